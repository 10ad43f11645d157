/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/common/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int writer_init(struct writer *writer, const struct kataimg_host *host)
{
	*writer = (struct writer){ .host = host, .buffer = malloc(WRITER_BYTES) };
	return writer->buffer ? 0 : -ENOMEM;
}

void writer_clear(struct writer *writer)
{
	free(writer->buffer);
	*writer = (struct writer){ 0 };
}

int writer_flush(struct writer *writer)
{
	size_t used = writer->used;

	writer->used = 0;
	if (used == 0)
		return 0;
	return writer->host->write(writer->host->ctx, writer->start, writer->buffer, used);
}

int writer_take(struct writer *writer, uint64_t off, size_t len, uint8_t **bytes)
{
	if (off != writer->start + writer->used || len > WRITER_BYTES - writer->used) {
		int ret = writer_flush(writer);

		if (ret < 0)
			return ret;
		writer->start = off;
	}
	*bytes = writer->buffer + writer->used;
	memset(*bytes, 0, len);
	writer->used += len;
	return 0;
}
