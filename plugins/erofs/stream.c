/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/stream.h"

#include "plugins/erofs/super.h"

int erofs_stream_init(struct erofs_stream *stream, const struct kataimg_host *host)
{
	stream->off = 0;
	return writer_init(&stream->writer, host);
}

void erofs_stream_clear(struct erofs_stream *stream)
{
	writer_clear(&stream->writer);
}

int erofs_stream_put(struct erofs_stream *stream, const void *bytes, size_t len)
{
	uint64_t off = stream->off;

	stream->off += len;
	return writer_put(&stream->writer, off, bytes, len);
}

/* A tail is content, but in the superblock's block, whose checksum is over it, it is as good as
 * metadata. */
int erofs_stream_put_file(struct erofs_stream *stream, const struct kataimg_node *node,
			  uint64_t file_off, uint32_t len)
{
	const struct kataimg_host *host = stream->writer.host;
	uint64_t off = stream->off;
	uint8_t *bytes;
	int ret;

	stream->off += len;
	if (off >= EROFS_BLOCK_BYTES)
		return writer_put_inline(&stream->writer, off, node, file_off, len);
	ret = writer_take(&stream->writer, off, len, &bytes);
	return ret < 0 ? ret : host->source_read(host->ctx, node, file_off, bytes, len);
}

int erofs_stream_finish(struct erofs_stream *stream)
{
	const struct kataimg_host *host = stream->writer.host;
	uint8_t block[EROFS_BLOCK_BYTES];
	int ret = writer_flush(&stream->writer);

	if (ret < 0)
		return ret;
	ret = host->window_read(host->ctx, 0, block, sizeof(block));
	if (ret < 0)
		return ret;
	erofs_super_seal(block);
	return host->write(host->ctx, 0, block, sizeof(block));
}
