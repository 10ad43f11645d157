/* SPDX-License-Identifier: Apache-2.0 */
/* What a thread compresses with: bytes of a file become extents, and blocks that hold them. Both
 * pass by: however long a segment is, a few MiB of it are in memory. */
#ifndef EROFS_WORKER_H
#define EROFS_WORKER_H

#include "lib/array.h"
#include "plugins/erofs/extent.h"
#include "plugins/erofs/fill.h"

/* What becomes of a segment's end, where it does not fill a cluster. */
enum erofs_end {
	EROFS_END_BLOCK,  /* a cluster of its own */
	EROFS_END_INLINE, /* the same, of one block: it may go beside the inode, if it fits there */
	EROFS_END_FRAGMENT /* it is left over, for the packed file */
};

/* What is to be compressed, and where it comes from and goes to. */
struct erofs_work {
	uint64_t len;
	enum erofs_end end;
	uint32_t inline_max; /* what fits beside the inode */
	/* The bytes from off on, each once and in order. */
	int (*read)(void *arg, uint64_t off, uint8_t *buf, uint32_t len);
	/* The next blocks. */
	int (*store)(void *arg, const uint8_t *blocks, uint32_t count);
	void *arg;
};

struct erofs_worker {
	struct erofs_worker *next; /* the owner's */
	const struct erofs_options *options;
	struct erofs_filler *filler;
	const struct erofs_work *work;
	/* What the last work made. */
	ARRAY(struct erofs_extent) extents;
	uint32_t blocks;
	uint32_t end_bytes; /* INLINE: what the last extent has in its block, 0: it is no such one.
			     * FRAGMENT: what is left over, of the file. */
	bool big;           /* some extent has more than one block */
	struct erofs_ratio last;
	uint64_t left; /* of the work, with what is in memory */
	uint8_t *in;
	uint32_t in_at, in_bytes, in_room;
	uint8_t *out;
	uint32_t out_blocks, out_room;
};

/* NULL when memory is out. */
struct erofs_worker *erofs_worker_new(const struct erofs_options *options);
void erofs_worker_free(struct erofs_worker *worker);

/* Makes extents of a work, which the worker knows until the next. Returns what read and store do,
 * or -ENOMEM. The last blocks stay in out, until erofs_worker_flush. */
int erofs_worker_compress(struct erofs_worker *worker, const struct erofs_work *work);
int erofs_worker_flush(struct erofs_worker *worker);

#endif
