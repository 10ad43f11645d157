/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compression. In plan a file is cut into segments of 4 MiB, which all threads compress into
 * scratch, each on its own; what comes out depends on neither their number nor their order. A
 * segment is a row of extents: bytes of the file that one physical cluster of a block or more
 * holds. A file that does not shrink keeps its other layout.
 */
#ifndef EROFS_COMPRESS_H
#define EROFS_COMPRESS_H

#include "plugins/erofs/erofs.h"

#define EROFS_SEGMENT_BYTES (UINT32_C(4) << 20)
#define EROFS_CLUSTER_BLOCKS_MAX 16u

/* An extent either covers more than a block's bytes, or is plain and covers at most as many. */
struct erofs_extent {
	uint32_t bytes;  /* of the file */
	uint32_t blocks; /* on disk */
	bool plain;      /* stored as it is */
};

struct erofs_segments;

/* Compresses what the options ask for and makes compressed inodes of what shrank. */
int erofs_compress_plan(struct erofs *fs);
void erofs_segments_free(struct erofs_segments *segments);

/* Places the clusters of a file that owns its data. */
int erofs_compress_place(const struct erofs *fs, const struct erofs_inode *inode);

/* Walks the extents of a compressed file; begin with { 0 }. */
struct erofs_extent_cursor {
	uint32_t segment;
	uint32_t extent;
};
/* The next extent. false: there is none. */
bool erofs_extent_next(const struct erofs *fs, const struct erofs_inode *inode,
		       struct erofs_extent_cursor *cursor, struct erofs_extent *extent);

#endif
