/* SPDX-License-Identifier: Apache-2.0 */
/* What a thread compresses with: bytes of a file become extents, and blocks that hold them. */
#ifndef EROFS_WORKER_H
#define EROFS_WORKER_H

#include "plugins/erofs/extent.h"
#include "plugins/erofs/options.h"

#define EROFS_SEGMENT_BYTES (UINT32_C(4) << 20)
#define EROFS_SEGMENT_EXTENTS_MAX (EROFS_SEGMENT_BYTES / EROFS_BLOCK_BYTES)

/* What becomes of a segment's end, where it does not fill a cluster. */
enum erofs_end {
	EROFS_END_BLOCK,  /* a cluster of its own */
	EROFS_END_INLINE, /* the same, of one block: it may go beside the inode, if it fits there */
	EROFS_END_FRAGMENT /* it is left over, for the packed file */
};

struct erofs_worker {
	struct erofs_worker *next; /* the owner's */
	const struct erofs_options *options;
	struct erofs_filler *filler;
	/* What the last call made. */
	struct erofs_extent extents[EROFS_SEGMENT_EXTENTS_MAX];
	uint32_t extent_count;
	uint32_t blocks;
	uint32_t inline_max;
	uint32_t end_bytes; /* INLINE: what the last extent has in its block, 0: it is no such one.
			     * FRAGMENT: what is left over, of the file. */
	bool big;           /* some extent has more than one block */
	bool dense;         /* the last extent did not shrink */
	uint8_t in[EROFS_SEGMENT_BYTES];
	uint8_t out[EROFS_SEGMENT_BYTES];
};

/* NULL when memory is out. */
struct erofs_worker *erofs_worker_new(const struct erofs_options *options);
void erofs_worker_free(struct erofs_worker *worker);

/* Makes extents of in[0 .. len). inline_max: what fits beside the inode. */
void erofs_worker_compress(struct erofs_worker *worker, uint32_t len, enum erofs_end end,
			   uint32_t inline_max);

#endif
