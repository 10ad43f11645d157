/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/ext4/disk.h"

#define WRITER_BLOCKS 256u

int ext4_writer_init(struct ext4_writer *writer, const struct kataimg_host *host)
{
	*writer = (struct ext4_writer){ .host = host };
	writer->buf = malloc((size_t)WRITER_BLOCKS * EXT4_BLOCK_BYTES);
	return writer->buf ? 0 : -ENOMEM;
}

void ext4_writer_destroy(struct ext4_writer *writer)
{
	free(writer->buf);
	writer->buf = NULL;
}

int ext4_writer_flush(struct ext4_writer *writer)
{
	size_t len = writer->blocks * EXT4_BLOCK_BYTES;

	writer->blocks = 0;
	if (len == 0)
		return 0;
	return writer->host->write(writer->host->ctx, writer->start_block * EXT4_BLOCK_BYTES,
				   writer->buf, len);
}

int ext4_writer_block(struct ext4_writer *writer, uint64_t number, uint8_t **block)
{
	if (writer->blocks == WRITER_BLOCKS || number != writer->start_block + writer->blocks) {
		int ret = ext4_writer_flush(writer);

		if (ret < 0)
			return ret;
	}
	if (writer->blocks == 0)
		writer->start_block = number;
	*block = writer->buf + writer->blocks++ * EXT4_BLOCK_BYTES;
	memset(*block, 0, EXT4_BLOCK_BYTES);
	return 0;
}
