/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/byteorder.h"
#include "lib/crc32c.h"

int xfs_writer_init(struct xfs_writer *writer, const struct kataimg_host *host)
{
	*writer = (struct xfs_writer){ .host = host, .buffer = malloc(XFS_WRITER_BYTES) };
	if (writer->buffer)
		return 0;
	host->error(host->ctx, "no memory for a buffer of %u bytes", XFS_WRITER_BYTES);
	return -ENOMEM;
}

void xfs_writer_clear(struct xfs_writer *writer)
{
	free(writer->buffer);
	writer->buffer = NULL;
}

int xfs_writer_flush(struct xfs_writer *writer)
{
	size_t used = writer->used;

	writer->used = 0;
	if (used == 0)
		return 0;
	return writer->host->write(writer->host->ctx, writer->start, writer->buffer, used);
}

int xfs_writer_take(struct xfs_writer *writer, uint64_t off, size_t len, uint8_t **bytes)
{
	if (off != writer->start + writer->used || writer->used + len > XFS_WRITER_BYTES) {
		int ret = xfs_writer_flush(writer);

		if (ret < 0)
			return ret;
		writer->start = off;
	}
	*bytes = writer->buffer + writer->used;
	memset(*bytes, 0, len);
	writer->used += len;
	return 0;
}

void xfs_seal(void *object, size_t len, size_t crc_off)
{
	le32 crc = to_le32(~crc32c(~0u, object, len));

	memcpy((uint8_t *)object + crc_off, &crc, sizeof(crc));
}

bool xfs_seal_matches(void *object, size_t len, size_t crc_off)
{
	uint8_t *field = (uint8_t *)object + crc_off;
	le32 stored;

	memcpy(&stored, field, sizeof(stored));
	memset(field, 0, sizeof(stored));
	xfs_seal(object, len, crc_off);
	if (memcmp(field, &stored, sizeof(stored)) == 0)
		return true;
	memcpy(field, &stored, sizeof(stored));
	return false;
}
