/* SPDX-License-Identifier: Apache-2.0 */
#include "blocks.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sqfs/block.h>
#include <stdlib.h>
#include <string.h>

/* Small files share a block, and are read one after the other by several threads: so many blocks
 * are kept unpacked. */
#define SLOTS 16u

struct part {
	uint64_t off;
	uint32_t stored, from;
};

struct slot {
	uint8_t *bytes; /* block_bytes of them; NULL: never used */
	uint64_t off;
	size_t used; /* 0: holds nothing */
};

struct blocks {
	struct file file;
	sqfs_compressor_t *compressor;
	uint32_t block_bytes;
	uint8_t *packed; /* as it is in the window */
	struct part *parts;
	uint64_t count, room;
	struct slot slots[SLOTS];
	pthread_mutex_t lock; /* the compressor works for one at a time, too */
};

struct blocks *blocks_new(const struct file *file, const sqfs_super_t *super,
			  sqfs_compressor_t *compressor)
{
	struct blocks *blocks = calloc(1, sizeof(*blocks));
	uint8_t *packed = malloc(super->block_size);

	if (!blocks || !packed) {
		sqfs_destroy(compressor);
		free(packed);
		free(blocks);
		return NULL;
	}
	blocks->file = *file;
	blocks->compressor = compressor;
	blocks->block_bytes = super->block_size;
	blocks->packed = packed;
	pthread_mutex_init(&blocks->lock, NULL);
	return blocks;
}

void blocks_free(void *arg)
{
	struct blocks *blocks = arg;

	if (!blocks)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		free(blocks->slots[i].bytes);
	pthread_mutex_destroy(&blocks->lock);
	sqfs_destroy(blocks->compressor);
	free(blocks->parts);
	free(blocks->packed);
	free(blocks);
}

int blocks_add(struct blocks *blocks, uint64_t off, uint32_t stored, uint32_t from,
	       uint64_t *cookie)
{
	if (blocks->count == blocks->room) {
		uint64_t room = blocks->room ? 2 * blocks->room : 256;
		struct part *parts = realloc(blocks->parts, room * sizeof(*parts));

		if (!parts)
			return -ENOMEM;
		blocks->parts = parts;
		blocks->room = room;
	}
	*cookie = blocks->count;
	blocks->parts[blocks->count++] = (struct part){ off, stored, from };
	return 0;
}

static int refuse(const struct blocks *blocks, uint64_t off, const char *why)
{
	const struct kataimg_host *host = blocks->file.host;

	host->error(host->ctx, "the block at byte %" PRIu64 " %s", off, why);
	return -EUCLEAN;
}

static int unpack(struct blocks *blocks, const struct part *part, struct slot *slot)
{
	const struct kataimg_host *host = blocks->file.host;
	uint32_t len = SQFS_ON_DISK_BLOCK_SIZE(part->stored);
	sqfs_s32 result;
	int ret;

	slot->used = 0;
	if (!slot->bytes)
		slot->bytes = malloc(blocks->block_bytes);
	if (!slot->bytes)
		return -ENOMEM;
	if (len > blocks->block_bytes)
		return refuse(blocks, part->off, "is larger than a block");
	ret = host->window_read(host->ctx, part->off, blocks->packed, len);
	if (ret < 0)
		return ret;
	result = blocks->compressor->do_block(blocks->compressor, blocks->packed, len, slot->bytes,
					      blocks->block_bytes);
	if (result <= 0)
		return refuse(blocks, part->off, "cannot be unpacked");
	slot->off = part->off;
	slot->used = (size_t)result;
	return 0;
}

static int copy_out(struct blocks *blocks, const struct part *part, uint64_t skip, void *buf,
		    size_t len)
{
	/* Neighbours are at least some bytes apart, and seldom by a power of two. */
	struct slot *slot = &blocks->slots[part->off % 1021 % SLOTS];
	uint64_t from = part->from + skip;
	int ret = 0;

	if (slot->used == 0 || slot->off != part->off)
		ret = unpack(blocks, part, slot);
	if (ret < 0)
		return ret;
	if (from > slot->used || len > slot->used - from)
		return refuse(blocks, part->off, "unpacks to less than the files in it");
	memcpy(buf, slot->bytes + from, len);
	return 0;
}

int blocks_decode(void *arg, uint64_t cookie, uint64_t skip, void *buf, size_t len)
{
	struct blocks *blocks = arg;
	int ret;

	pthread_mutex_lock(&blocks->lock);
	ret = copy_out(blocks, &blocks->parts[cookie], skip, buf, len);
	pthread_mutex_unlock(&blocks->lock);
	return ret;
}
