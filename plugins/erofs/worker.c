/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/worker.h"

#include <stdlib.h>
#include <string.h>

#include "lib/round.h"
#include "plugins/erofs/fill.h"

struct erofs_worker *erofs_worker_new(const struct erofs_options *options)
{
	struct erofs_worker *worker = malloc(sizeof(*worker));

	if (!worker)
		return NULL;
	worker->options = options;
	worker->filler = erofs_filler_new(options);
	if (worker->filler)
		return worker;
	free(worker);
	return NULL;
}

void erofs_worker_free(struct erofs_worker *worker)
{
	if (!worker)
		return;
	erofs_filler_free(worker->filler);
	free(worker);
}

static uint32_t cluster_bytes(const struct erofs_worker *worker)
{
	return worker->options->cluster_blocks * EROFS_BLOCK_BYTES;
}

static uint8_t *next_out(struct erofs_worker *worker)
{
	return worker->out + (size_t)worker->blocks * EROFS_BLOCK_BYTES;
}

static uint32_t out_room(const struct erofs_worker *worker)
{
	return EROFS_SEGMENT_BYTES - worker->blocks * EROFS_BLOCK_BYTES;
}

static void add_extent(struct erofs_worker *worker, uint32_t bytes, uint32_t blocks, bool plain)
{
	worker->extents[worker->extent_count++] =
		(struct erofs_extent){ bytes, (uint16_t)blocks, plain };
	worker->blocks += blocks;
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

/* Compresses the start of src into the next blocks. Returns the bytes that they hold then. */
static uint32_t fill(struct erofs_worker *worker, const uint8_t *src, uint32_t len, uint32_t limit,
		     uint32_t *consumed)
{
	uint32_t room = out_room(worker);

	return erofs_fill(worker->filler, src, len, next_out(worker), limit < room ? limit : room,
			  worker->dense, consumed);
}

/* Adds extents for the start of src, which compressed to size bytes. Returns the bytes that they
 * cover. */
static uint32_t take_cluster(struct erofs_worker *worker, const uint8_t *src, uint32_t len,
			     uint32_t size, uint32_t consumed)
{
	uint32_t bytes = (uint32_t)round_up(size, EROFS_BLOCK_BYTES);

	worker->dense = !size || consumed <= bytes;
	if (!worker->dense) {
		add_compressed(worker, consumed, size);
		return consumed;
	}
	/* What a cluster without gain would hold is no larger in plain blocks. */
	bytes = consumed / EROFS_BLOCK_BYTES * EROFS_BLOCK_BYTES;
	if (!bytes)
		bytes = len < EROFS_BLOCK_BYTES ? len : EROFS_BLOCK_BYTES;
	add_plain(worker, src, bytes);
	return bytes;
}

/* Of an end that is not all of a cluster, as many blocks as it fills. Returns the bytes that they
 * cover. */
static uint32_t take_full_blocks(struct erofs_worker *worker, const uint8_t *src, uint32_t len,
				 uint32_t size, uint32_t consumed)
{
	if (size % EROFS_BLOCK_BYTES)
		size = fill(worker, src, len, size / EROFS_BLOCK_BYTES * EROFS_BLOCK_BYTES,
			    &consumed);
	return take_cluster(worker, src, len, size, consumed);
}

/* The end, of a block at most, in a block of its own. Where it stays there it is plain: readers
 * want a compressed extent to have more bytes than its blocks. */
static void add_inline(struct erofs_worker *worker, const uint8_t *src, uint32_t len)
{
	uint32_t consumed, size = fill(worker, src, len, EROFS_BLOCK_BYTES, &consumed);

	if (size && consumed == len && size < len && size <= worker->inline_max) {
		add_compressed(worker, len, size);
		worker->end_bytes = size;
		return;
	}
	add_plain(worker, src, len);
	if (len <= worker->inline_max)
		worker->end_bytes = len;
}

static void add_end(struct erofs_worker *worker, const uint8_t *src, uint32_t len,
		    enum erofs_end end)
{
	if (!len)
		return;
	if (end == EROFS_END_FRAGMENT)
		worker->end_bytes = len;
	else if (end == EROFS_END_INLINE)
		add_inline(worker, src, len);
	else
		add_plain(worker, src, len);
}

/* Adds what an extent of at most a cluster has of src. Returns the bytes that it covers, 0 when
 * what is there would not fill a block, and belongs to the end. */
static uint32_t take_next(struct erofs_worker *worker, const uint8_t *src, uint32_t len,
			  enum erofs_end end)
{
	uint32_t consumed, size = fill(worker, src, len, cluster_bytes(worker), &consumed);

	if (end == EROFS_END_BLOCK || !size || consumed < len)
		return take_cluster(worker, src, len, size, consumed);
	if (size >= EROFS_BLOCK_BYTES)
		return take_full_blocks(worker, src, len, size, consumed);
	if (end == EROFS_END_FRAGMENT)
		return 0;
	add_compressed(worker, len, size);
	if (size <= worker->inline_max)
		worker->end_bytes = size;
	return len;
}

void erofs_worker_compress(struct erofs_worker *worker, uint32_t len, enum erofs_end end,
			   uint32_t inline_max)
{
	uint32_t end_max = end == EROFS_END_FRAGMENT ? cluster_bytes(worker) : EROFS_BLOCK_BYTES;
	const uint8_t *src = worker->in;
	uint32_t bytes = 1;

	worker->extent_count = 0;
	worker->blocks = 0;
	worker->end_bytes = 0;
	worker->inline_max = inline_max;
	worker->big = false;
	worker->dense = false;
	while (bytes && len > end_max) {
		bytes = take_next(worker, src, len, end);
		src += bytes;
		len -= bytes;
	}
	add_end(worker, src, len, end);
}
