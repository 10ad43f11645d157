/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/common/writer.h"

#include <errno.h>
#include <stdbool.h>

#include "lib/round.h"

/* What one task reads: enough to make handing it out cheap. */
#define TASK_INLINES 16u

struct writer_inline {
	const struct kataimg_node *node;
	uint64_t file_off;
	size_t at; /* in the buffer */
	size_t len;
};

int writer_init(struct writer *writer, const struct kataimg_host *host)
{
	*writer = (struct writer){ .host = host, .buffer = malloc(WRITER_BYTES) };
	return writer->buffer ? 0 : -ENOMEM;
}

void writer_clear(struct writer *writer)
{
	array_free(&writer->inlines);
	free(writer->buffer);
	*writer = (struct writer){ 0 };
}

/* An older core takes all that is written for metadata. */
static int read_inline(const struct writer *writer, const struct writer_inline *item)
{
	const struct kataimg_host *host = writer->host;
	uint8_t *bytes = writer->buffer + item->at;

	if (!KATAIMG_HAS(kataimg_host, host, source_read_inline))
		return host->source_read(host->ctx, item->node, item->file_off, bytes, item->len);
	return host->source_read_inline(host->ctx, item->node, item->file_off, bytes, item->len,
					writer->start + item->at);
}

static int read_some(void *arg, uint64_t task)
{
	const struct writer *writer = arg;
	size_t first = (size_t)task * TASK_INLINES, end = first + TASK_INLINES;
	int ret = 0;

	if (end > writer->inlines.count)
		end = writer->inlines.count;
	for (size_t i = first; ret == 0 && i < end; i++)
		ret = read_inline(writer, &writer->inlines.items[i]);
	return ret;
}

int writer_flush(struct writer *writer)
{
	const struct kataimg_host *host = writer->host;
	uint64_t tasks = div_up(writer->inlines.count, TASK_INLINES);
	size_t used = writer->used;
	int ret = tasks ? host->parallel(host->ctx, tasks, read_some, writer) : 0;

	writer->inlines.count = 0;
	writer->used = 0;
	if (ret < 0 || used == 0)
		return ret;
	return host->write(host->ctx, writer->start, writer->buffer, used);
}

static bool joins(const struct writer *writer, uint64_t off, size_t len)
{
	uint64_t end = writer->start + writer->used;

	return off >= end && off - end < WRITER_GAP_BYTES &&
	       off - writer->start + len <= WRITER_BYTES;
}

int writer_take(struct writer *writer, uint64_t off, size_t len, uint8_t **bytes)
{
	size_t at;
	int ret = joins(writer, off, len) ? 0 : writer_flush(writer);

	if (ret < 0)
		return ret;
	if (writer->used == 0)
		writer->start = off;
	at = (size_t)(off - writer->start);
	memset(writer->buffer + writer->used, 0, at + len - writer->used);
	*bytes = writer->buffer + at;
	writer->used = at + len;
	return 0;
}

int writer_put(struct writer *writer, uint64_t off, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;

	while (len > 0) {
		size_t part = len < WRITER_BYTES ? len : WRITER_BYTES;
		uint8_t *to;
		int ret = writer_take(writer, off, part, &to);

		if (ret < 0)
			return ret;
		memcpy(to, from, part);
		off += part;
		from += part;
		len -= part;
	}
	return 0;
}

int writer_put_inline(struct writer *writer, uint64_t off, const struct kataimg_node *node,
		      uint64_t file_off, size_t len)
{
	struct writer_inline *item;
	uint8_t *bytes;
	int ret = writer_take(writer, off, len, &bytes);

	if (ret < 0)
		return ret;
	item = array_add(&writer->inlines);
	if (!item)
		return -ENOMEM;
	*item = (struct writer_inline){ node, file_off, (size_t)(bytes - writer->buffer), len };
	return 0;
}
