/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments of files, compressed on all threads into scratch. Each ends in a cluster that is not
 * full, which is half a block lost. So they are as long as they may be without one thread working
 * on when others have ended: a 16th of what is left of the file, but at least 16 MiB.
 */
#ifndef EROFS_SEGMENTS_H
#define EROFS_SEGMENTS_H

#include "plugins/erofs/layout.h"
#include "plugins/erofs/worker.h"

/* Clusters that lie together in scratch. */
struct erofs_run {
	uint64_t scratch_off;
	uint32_t blocks;
};

struct erofs_segment {
	uint64_t off;                 /* in its file */
	struct erofs_run *runs;       /* of its clusters, in order */
	struct erofs_extent *extents; /* NULL: it is not kept */
	uint32_t len;
	uint32_t run_count;
	uint32_t extent_count;
	uint32_t blocks;
	uint32_t node;
	uint32_t end_bytes; /* as the worker has it */
	bool big;           /* some extent has more than one block */
};

struct erofs_segments {
	struct kataimg_scratch *scratch;
	uint64_t scratch_end;
	struct erofs_segment *items;
	size_t count, room;
};

/* More, of a file. -ENOMEM. */
int erofs_segments_add(struct erofs_segments *segments, const struct kataimg_node *node);
/* Compresses those from first on. */
int erofs_segments_compress(const struct erofs_layout *layout, struct erofs_segments *segments,
			    size_t first);

#endif
