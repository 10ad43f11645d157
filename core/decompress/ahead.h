/* SPDX-License-Identifier: Apache-2.0 */
/* Decompression in a thread of its own, some blocks ahead of who uses what comes out. */
#ifndef DECOMPRESS_AHEAD_H
#define DECOMPRESS_AHEAD_H

#include "core/decompress/decompress.h"

struct ahead;

struct ahead_block {
	const void *bytes;
	size_t len;
	uint64_t taken; /* decompress_taken behind it: the same each time */
};

/* The thread calls source->read, and begins now. threads: of decompress_new. NULL when memory is
 * out. */
struct ahead *ahead_new(const struct decompress_source *source, unsigned int threads);
/* At any time. Waits for source->read to return. */
void ahead_free(struct ahead *ahead);
DEFINE_CLEANUP(struct ahead, ahead_free)

/* 1: the next block, until the next call; 0: the end, of which block->taken tells the place; or
 * -errno and *failure, as decompress_read. -ECANCELED. */
int ahead_next(struct ahead *ahead, struct ahead_block *block, struct decompress_failure *failure);

/* At the end: decompress_has_rest. */
bool ahead_has_rest(const struct ahead *ahead);

#endif
