/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One gzip member out of pieces that are compressed at the same time. Where pieces begin is fixed,
 * each may refer back to the 32 KiB in front of it as if one thread did it all, and each ends at a
 * byte (Z_SYNC_FLUSH), so that they only need to be put behind each other. Who compresses which
 * piece decides nothing.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "core/base/cancel.h"
#include "core/base/pool.h"
#include "core/compress/private.h"
#include "lib/byteorder.h"
#include "lib/calloc64.h"
#include "lib/cleanup.h"

/* A piece costs its thread the reading of a window, and the file some bytes: few enough of them
 * that neither shows, and so many that an initrd keeps all processors busy. */
#define PIECE_BYTES ((size_t)256 << 10)
#define WINDOW_BYTES ((size_t)32 << 10)
#define WINDOW_BITS 15
#define MEMORY_LEVEL 9

/* Room for what deflateBound does not know: the flush at the end of a piece. */
#define FLUSH_BYTES 64

/* So many pieces a thread may be ahead of the one that is to be written next. */
#define AHEAD_PER_THREAD 4

struct slot {
	uint8_t *bytes; /* owned; NULL: not used so far */
	size_t len;
	uLong crc; /* of what is compressed in it */
	bool ready;
};

struct gzip {
	struct compress_stream *stream;
	uint64_t count; /* of pieces, at least one */
	struct slot *slots;
	uint64_t slot_count;

	pthread_mutex_t lock; /* of all below, of slots' ready, and of error */
	pthread_cond_t changed;
	uint64_t next; /* the piece to be written next: all before it are */
	bool writing;  /* a thread does */
	bool failed;
	uLong crc; /* of all before next */
	struct error *error;
};

/* What a thread has for itself. */
struct worker {
	struct gzip *gzip;
	z_stream z;
	uint8_t in[WINDOW_BYTES + PIECE_BYTES];
};

static void fail(struct gzip *gzip)
{
	gzip->failed = true;
	pthread_cond_broadcast(&gzip->changed);
}

static void *make_worker(void *arg)
{
	struct gzip *gzip = arg;
	struct worker *worker = calloc(1, sizeof(*worker));

	if (worker && deflateInit2(&worker->z, gzip->stream->level, Z_DEFLATED, -WINDOW_BITS,
				   MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK) {
		worker->gzip = gzip;
		return worker;
	}
	free(worker);
	pthread_mutex_lock(&gzip->lock);
	error_nomem(gzip->error);
	fail(gzip);
	pthread_mutex_unlock(&gzip->lock);
	return NULL;
}

static void free_worker(void *arg)
{
	struct worker *worker = arg;

	deflateEnd(&worker->z);
	free(worker);
}

static size_t piece_len(const struct gzip *gzip, uint64_t index)
{
	const uint64_t left = gzip->stream->request->len - index * PIECE_BYTES;

	return left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
}

/* The piece's slot, once what was in it is written. NULL: a piece before it failed. One that need
 * not wait goes on even then: of several failures that of the first piece counts. */
static struct slot *claim(struct gzip *gzip, uint64_t index)
{
	bool mine;

	pthread_mutex_lock(&gzip->lock);
	while (index >= gzip->next + gzip->slot_count && !gzip->failed)
		pthread_cond_wait(&gzip->changed, &gzip->lock);
	mine = index < gzip->next + gzip->slot_count;
	pthread_mutex_unlock(&gzip->lock);
	return mine ? &gzip->slots[index % gzip->slot_count] : NULL;
}

/* window bytes of worker->in that were compressed before, and len behind them that now are. */
static int deflate_piece(struct worker *worker, size_t window, size_t len, bool last,
			 struct slot *slot)
{
	z_stream *z = &worker->z;
	const size_t room = deflateBound(z, PIECE_BYTES) + FLUSH_BYTES;
	int status;

	if (!slot->bytes)
		slot->bytes = malloc(room);
	if (!slot->bytes)
		return -ENOMEM;
	deflateReset(z);
	if (window > 0)
		deflateSetDictionary(z, worker->in, (uInt)window);
	z->next_in = worker->in + window;
	z->avail_in = (uInt)len;
	z->next_out = slot->bytes;
	z->avail_out = (uInt)room;
	status = deflate(z, last ? Z_FINISH : Z_SYNC_FLUSH);
	if (status != (last ? Z_STREAM_END : Z_OK) || z->avail_in > 0 || z->avail_out == 0)
		return -EIO;
	slot->len = room - z->avail_out;
	slot->crc = crc32(0, worker->in + window, (uInt)len);
	return 0;
}

static int fill(struct worker *worker, uint64_t index, struct slot *slot, struct error *error)
{
	const struct gzip *gzip = worker->gzip;
	const size_t window = index > 0 ? WINDOW_BYTES : 0;
	const size_t len = piece_len(gzip, index);
	int ret = compress_read(gzip->stream, worker->in, window + len,
				index * PIECE_BYTES - window, error);

	if (ret < 0)
		return ret;
	ret = deflate_piece(worker, window, len, index + 1 == gzip->count, slot);
	if (ret == -ENOMEM)
		return error_nomem(error);
	return ret < 0 ? error_set(error, EIO, "zlib cannot compress %s",
				   gzip->stream->request->in_name)
		       : 0;
}

/* Writes what is ready, as one thread at a time does; the lock is free meanwhile. */
static int write_ready(struct gzip *gzip, struct error *error)
{
	struct slot *slot = &gzip->slots[gzip->next % gzip->slot_count];
	int ret = 0;

	gzip->writing = true;
	while (ret == 0 && slot->ready) {
		const uint64_t done = gzip->next * PIECE_BYTES + piece_len(gzip, gzip->next);

		pthread_mutex_unlock(&gzip->lock);
		ret = compress_emit(gzip->stream, slot->bytes, slot->len, error);
		compress_tell(gzip->stream, done);
		pthread_mutex_lock(&gzip->lock);
		gzip->crc =
			crc32_combine(gzip->crc, slot->crc, (z_off_t)piece_len(gzip, gzip->next));
		slot->ready = false;
		slot = &gzip->slots[++gzip->next % gzip->slot_count];
		pthread_cond_broadcast(&gzip->changed);
	}
	gzip->writing = false;
	return ret;
}

static int run_piece(void *arg, uint64_t index)
{
	struct worker *worker = arg;
	struct gzip *gzip = worker->gzip;
	autoerror struct error error = ERROR_INIT;
	struct slot *slot = claim(gzip, index);
	int ret;

	if (!slot)
		return -ECANCELED;
	ret = fill(worker, index, slot, &error);
	pthread_mutex_lock(&gzip->lock);
	if (ret == 0) {
		slot->ready = true;
		if (!gzip->writing)
			ret = write_ready(gzip, &error);
	}
	if (ret < 0) {
		error_take(gzip->error, &error);
		fail(gzip);
	}
	pthread_mutex_unlock(&gzip->lock);
	return ret;
}

/* RFC 1952: no name, no time, and Unix; the eighth byte says which end of the levels it was. */
static int emit_header(struct compress_stream *stream, struct error *error)
{
	const uint8_t header[10] = {
		0x1f, 0x8b, Z_DEFLATED,
		0,    0,    0,
		0,    0,    stream->level == 9 ? 2 : stream->level == 1 ? 4 : 0,
		3,
	};

	return compress_emit(stream, header, sizeof(header), error);
}

static int emit_trailer(const struct gzip *gzip, struct error *error)
{
	const struct {
		le32 crc;
		le32 size; /* its low half */
	} trailer = { to_le32((uint32_t)gzip->crc), to_le32((uint32_t)gzip->stream->request->len) };

	return compress_emit(gzip->stream, &trailer, sizeof(trailer), error);
}

static int run_pieces(struct gzip *gzip, struct error *error)
{
	static const struct pool_workers workers = { make_worker, run_piece, free_worker };
	int ret;

	gzip->slots = calloc64(gzip->slot_count, sizeof(*gzip->slots));
	if (!gzip->slots)
		return error_nomem(error);
	pthread_mutex_init(&gzip->lock, NULL);
	pthread_cond_init(&gzip->changed, NULL);
	ret = pool_run_workers(gzip->stream->request->threads, gzip->count, &workers, gzip);
	pthread_cond_destroy(&gzip->changed);
	pthread_mutex_destroy(&gzip->lock);
	for (uint64_t i = 0; i < gzip->slot_count; i++)
		free(gzip->slots[i].bytes);
	free(gzip->slots);
	if (ret == -ECANCELED && !gzip->failed)
		return cancel_check(error);
	return ret;
}

int compress_gzip(struct compress_stream *stream, struct error *error)
{
	const uint64_t len = stream->request->len;
	struct gzip gzip = {
		.stream = stream,
		.count = len > 0 ? (len - 1) / PIECE_BYTES + 1 : 1,
		.slot_count = (uint64_t)stream->request->threads * AHEAD_PER_THREAD,
		.crc = crc32(0, NULL, 0),
		.error = error,
	};
	int ret = emit_header(stream, error);

	if (ret == 0)
		ret = run_pieces(&gzip, error);
	return ret < 0 ? ret : emit_trailer(&gzip, error);
}

const char *compress_gzip_version(void)
{
	return zlibVersion();
}
