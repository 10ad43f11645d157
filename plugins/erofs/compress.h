/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compression. In plan a file is cut into segments (segments.h), which all threads compress into
 * scratch, each on its own (worker.h); what comes out depends on neither their number nor their
 * order. A file that does not shrink keeps its other layout. The ends of files that are to go into
 * the packed file (pack.h), and files that go there whole, are left to it, and it is compressed
 * like any other.
 */
#ifndef EROFS_COMPRESS_H
#define EROFS_COMPRESS_H

#include "plugins/erofs/extent.h"
#include "plugins/erofs/layout.h"

/* Compresses what can gain, and the packed file that may come of it, and makes compressed inodes of
 * what shrank: fills inodes, segments and pack of the layout, and makes its inode_count. */
int erofs_compress_plan(struct erofs_layout *layout);
void erofs_segments_free(struct erofs_segments *segments);

/* Says how many files are compressed, and their bytes before and after. */
void erofs_compress_report(const struct erofs_layout *layout);

/* Places the clusters of a file that owns its data. */
int erofs_compress_place(const struct erofs_layout *layout, const struct erofs_inode *owner);
/* What is stored of an inline tail: inode->tail_bytes. */
int erofs_compress_read_tail(const struct erofs_layout *layout, const struct erofs_inode *inode,
			     uint8_t out[EROFS_BLOCK_BYTES]);

/* Walks the extents of a compressed file; begin with { 0 }. */
struct erofs_extent_cursor {
	uint32_t segment;
	uint32_t extent;
};
/* The next extent. false: there is none. */
bool erofs_extent_next(const struct erofs_segments *segments, const struct erofs_inode *owner,
		       struct erofs_extent_cursor *cursor, struct erofs_extent *extent);

#endif
