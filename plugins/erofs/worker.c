/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/round.h"

/*
 * What is offered at a time: no extent covers more. A byte of LZ4 stands for at most 255, and a
 * reader's index counts back in blocks.
 */
#define EXTENT_RATIO_MAX 256u
#define EXTENT_BYTES_MAX (UINT32_C(4) << 20)
_Static_assert(EXTENT_BYTES_MAX / EROFS_BLOCK_BYTES < EROFS_CLUSTER_BLOCKS_FLAG,
	       "the index has room for an extent");
/* Beside that in memory, so that it need not be moved and stored with each cluster. */
#define IN_BYTES_MORE (UINT32_C(2) << 20)
#define OUT_BLOCKS_MORE 256u

static uint32_t cluster_bytes(const struct erofs_worker *worker)
{
	return worker->options->cluster_blocks * EROFS_BLOCK_BYTES;
}

static uint32_t extent_bytes_max(const struct erofs_worker *worker)
{
	uint32_t bytes = cluster_bytes(worker) * EXTENT_RATIO_MAX;

	return bytes < EXTENT_BYTES_MAX ? bytes : EXTENT_BYTES_MAX;
}

static bool get_memory(struct erofs_worker *worker)
{
	worker->in_room = extent_bytes_max(worker) + IN_BYTES_MORE;
	worker->in = malloc(worker->in_room);
	worker->out_room = worker->options->cluster_blocks + OUT_BLOCKS_MORE;
	worker->out = malloc((size_t)worker->out_room * EROFS_BLOCK_BYTES);
	worker->filler = erofs_filler_new(worker->options);
	return worker->in && worker->out && worker->filler;
}

struct erofs_worker *erofs_worker_new(const struct erofs_options *options)
{
	struct erofs_worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return NULL;
	worker->options = options;
	if (get_memory(worker))
		return worker;
	erofs_worker_free(worker);
	return NULL;
}

void erofs_worker_free(struct erofs_worker *worker)
{
	if (!worker)
		return;
	erofs_filler_free(worker->filler);
	array_free(&worker->extents);
	free(worker->in);
	free(worker->out);
	free(worker);
}

/* ---- In and out ---- */

static const uint8_t *next_in(const struct erofs_worker *worker)
{
	return worker->in + worker->in_at;
}

/* So much is offered to the library, whatever was read by chance. */
static uint32_t next_len(const struct erofs_worker *worker)
{
	uint32_t max = extent_bytes_max(worker);

	return worker->left < max ? (uint32_t)worker->left : max;
}

static uint8_t *next_out(struct erofs_worker *worker)
{
	return worker->out + (size_t)worker->out_blocks * EROFS_BLOCK_BYTES;
}

static void pass(struct erofs_worker *worker, uint32_t bytes)
{
	worker->in_at += bytes;
	worker->left -= bytes;
}

/* Has next_len bytes in memory, and with them as many as there is room for. */
static int read_on(struct erofs_worker *worker)
{
	const struct erofs_work *work = worker->work;
	uint32_t kept = worker->in_bytes - worker->in_at;
	uint64_t more = worker->left - kept;

	if (kept >= next_len(worker))
		return 0;
	memmove(worker->in, next_in(worker), kept);
	if (more > worker->in_room - kept)
		more = worker->in_room - kept;
	worker->in_at = 0;
	worker->in_bytes = kept + (uint32_t)more;
	return work->read(work->arg, work->len - worker->left + kept, worker->in + kept,
			  (uint32_t)more);
}

int erofs_worker_flush(struct erofs_worker *worker)
{
	uint32_t blocks = worker->out_blocks;

	worker->out_blocks = 0;
	return blocks ? worker->work->store(worker->work->arg, worker->out, blocks) : 0;
}

/* What a cluster needs: input, and room for blocks and extents. */
static int prepare(struct erofs_worker *worker)
{
	uint32_t blocks = worker->options->cluster_blocks;
	int ret = array_reserve(&worker->extents, blocks);

	if (ret < 0 || erofs_filler_failed(worker->filler))
		return -ENOMEM;
	if (blocks > worker->out_room - worker->out_blocks) {
		ret = erofs_worker_flush(worker);
		if (ret < 0)
			return ret;
	}
	return read_on(worker);
}

/* ---- Extents ---- */

static void add_extent(struct erofs_worker *worker, uint32_t bytes, uint32_t blocks, bool plain)
{
	worker->extents.items[worker->extents.count++] =
		(struct erofs_extent){ bytes, (uint16_t)blocks, plain };
	worker->blocks += blocks;
	worker->out_blocks += blocks;
	worker->big |= blocks > 1;
}

/* Stores blocks as they are, and the end of a segment padded with zeros. */
static void add_plain(struct erofs_worker *worker, const uint8_t *src, uint32_t len)
{
	while (len) {
		uint32_t bytes = len < EROFS_BLOCK_BYTES ? len : EROFS_BLOCK_BYTES;
		uint8_t *out = next_out(worker);

		memcpy(out, src, bytes);
		memset(out + bytes, 0, EROFS_BLOCK_BYTES - bytes);
		add_extent(worker, bytes, 1, true);
		src += bytes;
		len -= bytes;
	}
}

/* A cluster's data ends where its last block does. */
static void add_compressed(struct erofs_worker *worker, uint32_t consumed, uint32_t size)
{
	uint32_t bytes = (uint32_t)round_up(size, EROFS_BLOCK_BYTES);
	uint8_t *out = next_out(worker);

	memmove(out + bytes - size, out, size);
	memset(out, 0, bytes - size);
	add_extent(worker, consumed, bytes / EROFS_BLOCK_BYTES, false);
}

/* Compresses the start of what is next into the next blocks. Returns the bytes that they hold
 * then. */
static uint32_t fill(struct erofs_worker *worker, uint32_t limit, uint32_t *consumed)
{
	return erofs_fill(worker->filler, next_in(worker), next_len(worker), next_out(worker),
			  limit, worker->last, consumed);
}

/* Adds extents for the start of what is next, which compressed to size bytes. Returns the bytes
 * that they cover. */
static uint32_t take_cluster(struct erofs_worker *worker, uint32_t size, uint32_t consumed)
{
	uint32_t bytes = (uint32_t)round_up(size, EROFS_BLOCK_BYTES);

	worker->last = (struct erofs_ratio){ consumed, size ? bytes : EROFS_BLOCK_BYTES };
	if (consumed > bytes) {
		add_compressed(worker, consumed, size);
		return consumed;
	}
	/* What a cluster without gain would hold is no larger in plain blocks. */
	bytes = consumed / EROFS_BLOCK_BYTES * EROFS_BLOCK_BYTES;
	if (!bytes)
		bytes = worker->left < EROFS_BLOCK_BYTES ? (uint32_t)worker->left
							 : EROFS_BLOCK_BYTES;
	add_plain(worker, next_in(worker), bytes);
	return bytes;
}

/* Of an end that is not all of a cluster, as many blocks as it fills. Returns the bytes that they
 * cover. */
static uint32_t take_full_blocks(struct erofs_worker *worker, uint32_t size, uint32_t consumed)
{
	if (size % EROFS_BLOCK_BYTES)
		size = fill(worker, size / EROFS_BLOCK_BYTES * EROFS_BLOCK_BYTES, &consumed);
	return take_cluster(worker, size, consumed);
}

/* The end, of a block at most, in a block of its own. Where it stays there it is plain: readers
 * want a compressed extent to have more bytes than its blocks. */
static void add_inline(struct erofs_worker *worker, uint32_t len)
{
	uint32_t inline_max = worker->work->inline_max;
	uint32_t consumed, size = fill(worker, EROFS_BLOCK_BYTES, &consumed);

	if (size && consumed == len && size < len && size <= inline_max) {
		add_compressed(worker, len, size);
		worker->end_bytes = size;
		return;
	}
	add_plain(worker, next_in(worker), len);
	if (len <= inline_max)
		worker->end_bytes = len;
}

static int add_end(struct erofs_worker *worker)
{
	enum erofs_end end = worker->work->end;
	uint32_t len = next_len(worker);
	int ret;

	if (!len)
		return 0;
	if (end == EROFS_END_FRAGMENT) {
		worker->end_bytes = len;
		return 0;
	}
	ret = prepare(worker);
	if (ret < 0)
		return ret;
	if (end == EROFS_END_INLINE)
		add_inline(worker, len);
	else
		add_plain(worker, next_in(worker), len);
	return 0;
}

/* Adds what an extent of at most a cluster has of what is next. Returns the bytes that it covers, 0
 * when what is there would not fill a block, and belongs to the end. */
static uint32_t take_next(struct erofs_worker *worker)
{
	enum erofs_end end = worker->work->end;
	uint32_t consumed, size = fill(worker, cluster_bytes(worker), &consumed);

	if (end == EROFS_END_BLOCK || !size || consumed < worker->left)
		return take_cluster(worker, size, consumed);
	if (size >= EROFS_BLOCK_BYTES)
		return take_full_blocks(worker, size, consumed);
	if (end == EROFS_END_FRAGMENT)
		return 0;
	add_compressed(worker, consumed, size);
	if (size <= worker->work->inline_max)
		worker->end_bytes = size;
	return consumed;
}

static void begin(struct erofs_worker *worker, const struct erofs_work *work)
{
	worker->work = work;
	worker->extents.count = 0;
	worker->blocks = 0;
	worker->end_bytes = 0;
	worker->big = false;
	worker->last = (struct erofs_ratio){ 0 };
	worker->left = work->len;
	worker->in_at = 0;
	worker->in_bytes = 0;
	worker->out_blocks = 0;
}

int erofs_worker_compress(struct erofs_worker *worker, const struct erofs_work *work)
{
	uint32_t end_max =
		work->end == EROFS_END_FRAGMENT ? cluster_bytes(worker) : EROFS_BLOCK_BYTES;
	uint32_t bytes = 1;
	int ret;

	begin(worker, work);
	while (bytes && worker->left > end_max) {
		ret = prepare(worker);
		if (ret < 0)
			return ret;
		bytes = take_next(worker);
		pass(worker, bytes);
	}
	ret = add_end(worker);
	return erofs_filler_failed(worker->filler) ? -ENOMEM : ret;
}
