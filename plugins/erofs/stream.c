/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/round.h"
#include "plugins/erofs/super.h"

#define PIECE_BYTES (1u << 20)
#define TAILS_MAX 8192u
/* Tails that one task reads: enough to make handing it out cheap. */
#define TASK_TAILS 16u

struct tail {
	const struct kataimg_node *node;
	uint64_t file_off;
	uint32_t at; /* in the piece */
	uint32_t len;
};

struct erofs_stream {
	const struct erofs_layout *layout;
	uint64_t off; /* of the piece */
	uint32_t used;
	uint32_t tail_count;
	struct tail tails[TAILS_MAX];
	uint8_t piece[PIECE_BYTES];
};

struct erofs_stream *erofs_stream_new(const struct erofs_layout *layout)
{
	struct erofs_stream *stream = malloc(sizeof(*stream));

	if (!stream)
		return NULL;
	stream->layout = layout;
	stream->off = 0;
	stream->used = 0;
	stream->tail_count = 0;
	return stream;
}

void erofs_stream_free(struct erofs_stream *stream)
{
	free(stream);
}

/* A tail is content, but in the superblock's block, whose checksum is over it, it is as good as
 * metadata. */
static int read_tail(struct erofs_stream *stream, const struct tail *tail)
{
	const struct kataimg_host *host = stream->layout->source->host;
	uint64_t off = stream->off + tail->at;
	uint8_t *bytes = stream->piece + tail->at;

	if (off < EROFS_BLOCK_BYTES || !KATAIMG_HAS(kataimg_host, host, source_read_inline))
		return host->source_read(host->ctx, tail->node, tail->file_off, bytes, tail->len);
	return host->source_read_inline(host->ctx, tail->node, tail->file_off, bytes, tail->len,
					off);
}

static int read_tails(void *arg, uint64_t index)
{
	struct erofs_stream *stream = arg;
	uint32_t first = (uint32_t)index * TASK_TAILS;
	uint32_t end =
		first + TASK_TAILS < stream->tail_count ? first + TASK_TAILS : stream->tail_count;

	for (uint32_t i = first; i < end; i++) {
		int ret = read_tail(stream, &stream->tails[i]);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int write_piece(struct erofs_stream *stream)
{
	const struct kataimg_host *host = stream->layout->source->host;
	uint32_t tasks = (uint32_t)div_up(stream->tail_count, TASK_TAILS);
	int ret = tasks ? host->parallel(host->ctx, tasks, read_tails, stream) : 0;

	if (ret < 0)
		return ret;
	/* Block 0 is complete here: it alone cannot hold TAILS_MAX tails. */
	if (stream->off == 0)
		erofs_super_seal(stream->piece);
	return host->write(host->ctx, stream->off, stream->piece, stream->used);
}

static int flush(struct erofs_stream *stream)
{
	int ret = write_piece(stream);

	stream->off += stream->used;
	stream->used = 0;
	stream->tail_count = 0;
	return ret;
}

/* The next stretch of the piece, at most len bytes: its start, and *got says how long it is. */
static int reserve(struct erofs_stream *stream, uint64_t len, uint8_t **at, uint32_t *got)
{
	/* A piece ends at a block's end, wherever it begins. */
	uint32_t limit = PIECE_BYTES - stream->off % EROFS_BLOCK_BYTES;

	if (stream->used == limit) {
		int ret = flush(stream);

		if (ret < 0)
			return ret;
		limit = PIECE_BYTES;
	}
	*got = limit - stream->used;
	if (len < *got)
		*got = (uint32_t)len;
	*at = stream->piece + stream->used;
	stream->used += *got;
	return 0;
}

int erofs_stream_seek(struct erofs_stream *stream, uint64_t off)
{
	while (stream->off + stream->used < off) {
		uint8_t *at;
		uint32_t got;
		int ret = reserve(stream, off - stream->off - stream->used, &at, &got);

		if (ret < 0)
			return ret;
		memset(at, 0, got);
	}
	return 0;
}

int erofs_stream_put(struct erofs_stream *stream, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	while (len) {
		uint8_t *at;
		uint32_t got;
		int ret = reserve(stream, len, &at, &got);

		if (ret < 0)
			return ret;
		memcpy(at, bytes, got);
		bytes += got;
		len -= got;
	}
	return 0;
}

int erofs_stream_put_file(struct erofs_stream *stream, const struct kataimg_node *node,
			  uint64_t file_off, uint32_t len)
{
	uint8_t *at;
	uint32_t got;
	int ret = stream->tail_count == TAILS_MAX ? flush(stream) : 0;

	if (ret < 0)
		return ret;
	ret = reserve(stream, len, &at, &got);
	if (ret < 0)
		return ret;
	stream->tails[stream->tail_count++] = (struct tail){
		.node = node, .file_off = file_off, .at = (uint32_t)(at - stream->piece), .len = len
	};
	return 0;
}

int erofs_stream_finish(struct erofs_stream *stream)
{
	return stream->used ? flush(stream) : 0;
}
