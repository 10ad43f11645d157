/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "plugins/erofs/read.h"

/* One block of a directory. */
struct dir_block {
	const struct erofs_found_inode *dir;
	uint8_t *bytes;
	uint32_t used;
	uint32_t count; /* of entries */
};

static int refuse_block(const struct erofs_reader *reader, const struct dir_block *block)
{
	return window_refuse(&reader->window, "directory %" PRIu64 " has a block that is none",
			     block->dir->nid);
}

static struct erofs_dirent entry_at(const struct dir_block *block, uint32_t number)
{
	struct erofs_dirent dirent;

	memcpy(&dirent, block->bytes + number * sizeof(dirent), sizeof(dirent));
	return dirent;
}

/* Names follow one another; the last one ends at a NUL or with the block. */
static bool find_name(const struct dir_block *block, uint32_t number, const char **name,
		      uint32_t *len)
{
	uint32_t off = from_le16(entry_at(block, number).name_off), end = block->used;

	if (number + 1 < block->count)
		end = from_le16(entry_at(block, number + 1).name_off);
	if (off < block->count * sizeof(struct erofs_dirent) || off >= end || end > block->used)
		return false;
	*name = (const char *)block->bytes + off;
	*len = (uint32_t)strnlen(*name, end - off);
	return number + 1 == block->count || *len == end - off;
}

static bool is_dots(const char *name, uint32_t len)
{
	return name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));
}

static int report_block(struct erofs_reader *reader, struct dir_block *block,
			int (*found)(struct erofs_reader *reader, uint64_t nid))
{
	if (block->used < sizeof(struct erofs_dirent))
		return refuse_block(reader, block);
	block->count = from_le16(entry_at(block, 0).name_off) / sizeof(struct erofs_dirent);
	if (!block->count || block->count * sizeof(struct erofs_dirent) > block->used)
		return refuse_block(reader, block);
	for (uint32_t i = 0; i < block->count; i++) {
		uint64_t nid = from_le64(entry_at(block, i).nid);
		const char *name;
		uint32_t len;
		int ret;

		if (!find_name(block, i, &name, &len))
			return refuse_block(reader, block);
		if (is_dots(name, len))
			continue;
		ret = reader->sink->entry(reader->sink->ctx, block->dir->nid, name, len, nid);
		if (ret < 0)
			return ret;
		ret = found(reader, nid);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* The block at off of a directory. */
static int report_block_at(struct erofs_reader *reader, const struct erofs_map *map, uint64_t off,
			   struct dir_block *block,
			   int (*found)(struct erofs_reader *reader, uint64_t nid))
{
	uint64_t rest = block->dir->size - off;
	int ret;

	block->used = rest < reader->block_bytes ? (uint32_t)rest : reader->block_bytes;
	ret = window_look(&reader->window, block->used);
	if (ret < 0)
		return ret;
	ret = erofs_map_read(reader, map, off, block->bytes, block->used);
	return ret < 0 ? ret : report_block(reader, block, found);
}

static int report_blocks(struct erofs_reader *reader, const struct erofs_found_inode *dir,
			 const struct erofs_map *map, uint8_t *bytes,
			 int (*found)(struct erofs_reader *reader, uint64_t nid))
{
	struct dir_block block = { .dir = dir, .bytes = bytes };

	for (uint64_t off = 0; off < dir->size; off += reader->block_bytes) {
		int ret = report_block_at(reader, map, off, &block, found);

		if (ret < 0)
			return ret;
	}
	return 0;
}

int erofs_reader_dir(struct erofs_reader *reader, const struct erofs_found_inode *dir,
		     int (*found)(struct erofs_reader *reader, uint64_t nid))
{
	autofree uint8_t *bytes = malloc(reader->block_bytes);
	struct erofs_map map = { 0 };
	int ret = bytes ? erofs_map_load(reader, dir, &map) : -ENOMEM;

	if (ret == 0)
		ret = report_blocks(reader, dir, &map, bytes, found);
	array_free(&map.pieces);
	return ret;
}
