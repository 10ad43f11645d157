/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void ext4_io_init(struct ext4_io *io, const struct kataimg_host *host)
{
	*io = (struct ext4_io){ .name = "window", .host = host };
}

static errcode_t io_open(const char *name, int flags, io_channel *channel)
{
	io_channel opened = calloc(1, sizeof(*opened));

	(void)flags;
	if (!opened)
		return EXT2_ET_NO_MEMORY;
	opened->magic = EXT2_ET_MAGIC_IO_CHANNEL;
	opened->manager = &ext4_io_manager;
	opened->block_size = 1024;
	opened->refcount = 1;
	opened->private_data = (void *)name;
	*channel = opened;
	return 0;
}

static errcode_t io_close(io_channel channel)
{
	if (--channel->refcount == 0)
		free(channel);
	return 0;
}

static errcode_t io_set_blksize(io_channel channel, int blksize)
{
	channel->block_size = blksize;
	return 0;
}

/* A negative count is a number of bytes. */
static size_t count_bytes(io_channel channel, int count)
{
	return count < 0 ? (size_t)-count : (size_t)count * (size_t)channel->block_size;
}

static errcode_t io_result(struct ext4_io *io, int ret)
{
	if (ret < 0 && io->error == 0)
		io->error = ret;
	return -ret;
}

static errcode_t io_read_blk64(io_channel channel, unsigned long long block, int count, void *data)
{
	struct ext4_io *io = channel->private_data;

	return io_result(io, io->host->window_read(io->host->ctx,
						   block * (unsigned int)channel->block_size, data,
						   count_bytes(channel, count)));
}

static errcode_t io_write_blk64(io_channel channel, unsigned long long block, int count,
				const void *data)
{
	struct ext4_io *io = channel->private_data;

	return io_result(io,
			 io->host->write(io->host->ctx, block * (unsigned int)channel->block_size,
					 data, count_bytes(channel, count)));
}

static errcode_t io_read_blk(io_channel channel, unsigned long block, int count, void *data)
{
	return io_read_blk64(channel, block, count, data);
}

static errcode_t io_write_blk(io_channel channel, unsigned long block, int count, const void *data)
{
	return io_write_blk64(channel, block, count, data);
}

static errcode_t io_flush(io_channel channel)
{
	(void)channel;
	return 0;
}

struct struct_io_manager ext4_io_manager = {
	.magic = EXT2_ET_MAGIC_IO_MANAGER,
	.name = "kataimg window",
	.open = io_open,
	.close = io_close,
	.set_blksize = io_set_blksize,
	.read_blk = io_read_blk,
	.write_blk = io_write_blk,
	.flush = io_flush,
	.read_blk64 = io_read_blk64,
	.write_blk64 = io_write_blk64,
};
