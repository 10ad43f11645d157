/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files with holes. A file is cut into chunks of a power of two, each with a block number or none.
 * Small chunks follow the holes closely and make a long array, large ones store zeros: the size
 * with the smallest sum is taken, and the file stays flat where holes save nothing.
 *
 * Chunks that follow one another with data make a run, which lies in one piece.
 */
#ifndef EROFS_CHUNK_H
#define EROFS_CHUNK_H

#include "lib/array.h"
#include "plugins/erofs/inode.h"

struct erofs_chunk_run {
	uint32_t first_chunk;
	uint32_t chunks;
	uint32_t start_block;
};

/* Of all files, one after the other; ascending within a file. */
struct erofs_chunk_runs {
	struct erofs_chunk_run *items;
	size_t count, room;
};

/* Makes an inode with holes chunk-based where that saves something. -ENOMEM. */
int erofs_chunk_plan(const struct kataimg_node *node, struct erofs_inode *inode,
		     struct erofs_chunk_runs *runs);
/* All files that own their data. */
int erofs_chunks_plan(const struct erofs_source *source, struct erofs_inode *inodes,
		      struct erofs_chunk_runs *runs);

/* The bytes of the file that a run holds. */
void erofs_chunk_run_range(const struct erofs_inode *owner, const struct erofs_chunk_run *run,
			   uint64_t *file_off, uint64_t *len);

/* Walks the array: begin with { 0 }; the block of chunk 0, 1, 2 ... or EROFS_CHUNK_HOLE. */
struct erofs_chunk_cursor {
	uint64_t chunk;
	uint32_t run;
};
uint32_t erofs_chunk_next(const struct erofs_chunk_runs *runs, const struct erofs_inode *owner,
			  struct erofs_chunk_cursor *cursor);

#endif
