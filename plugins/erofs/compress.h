/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compression. In plan a file is cut into segments of 4 MiB, which all threads compress into
 * scratch, each on its own; what comes out depends on neither their number nor their order. A
 * segment is a row of extents: bytes of the file that one physical cluster of a block or more
 * holds. A file that does not shrink keeps its other layout.
 */
#ifndef EROFS_COMPRESS_H
#define EROFS_COMPRESS_H

#include "plugins/erofs/inode.h"

#define EROFS_SEGMENT_BYTES (UINT32_C(4) << 20)

/* An extent either covers more than a block's bytes, or is plain and covers at most as many. */
struct erofs_extent {
	uint32_t bytes;  /* of the file */
	uint32_t blocks; /* on disk */
	bool plain;      /* stored as it is */
};

struct erofs_segments;

/* Compresses what can gain and makes compressed inodes of what shrank. Whatever it returns, *made
 * is to be freed. */
int erofs_compress_plan(const struct erofs_source *source, struct erofs_inode *inodes,
			struct erofs_segments **made);
void erofs_segments_free(struct erofs_segments *segments);

/* Says how many files are compressed, and their bytes before and after. */
void erofs_compress_report(const struct erofs_source *source, const struct erofs_inode *inodes);

/* Places the clusters of a file that owns its data. */
int erofs_compress_place(const struct kataimg_host *host, const struct erofs_segments *segments,
			 const struct erofs_inode *owner);

/* Walks the extents of a compressed file; begin with { 0 }. */
struct erofs_extent_cursor {
	uint32_t segment;
	uint32_t extent;
};
/* The next extent. false: there is none. */
bool erofs_extent_next(const struct erofs_segments *segments, const struct erofs_inode *owner,
		       struct erofs_extent_cursor *cursor, struct erofs_extent *extent);

#endif
