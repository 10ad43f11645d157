/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Only the entries themselves are read: of a directory in blocks those at its beginning, and not
 * the hashes and the free space that kernels find names and room by.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/round.h"
#include "plugins/xfs/read.h"

/* Hashes begin at this byte of a directory. */
#define ENTRIES_END_BITS 35

static const struct xfs_block_kind block_kind =
	XFS_BLOCK_KIND("block of a directory", struct xfs_dir_block, XFS_DIR_BLOCK_MAGIC);
static const struct xfs_block_kind data_kind =
	XFS_BLOCK_KIND("data block of a directory", struct xfs_dir_block, XFS_DIR_DATA_MAGIC);

struct dir {
	struct xfs_reader *reader;
	const struct xfs_found_inode *inode;
	int (*found)(struct xfs_reader *reader, uint64_t number);
};

static int refuse(const struct dir *dir, const char *why)
{
	return window_refuse(&dir->reader->window, "directory inode %" PRIu64 " %s",
			     dir->inode->number, why);
}

static bool is_dots(const char *name, uint32_t len)
{
	return name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));
}

static int report(const struct dir *dir, const uint8_t *name, uint32_t len, uint64_t number)
{
	const struct kataimg_sink *sink = dir->reader->sink;
	int ret = sink->entry(sink->ctx, dir->inode->number, (const char *)name, len, number);

	return ret < 0 ? ret : dir->found(dir->reader, number);
}

/* ---- In the inode ---- */

static uint64_t take_number(const uint8_t *bytes, uint32_t number_bytes)
{
	uint64_t number = 0;

	for (uint32_t i = 0; i < number_bytes; i++)
		number = number << 8 | bytes[i];
	return number;
}

static int read_short(const struct dir *dir)
{
	const uint8_t *bytes = dir->inode->bytes + dir->inode->data.off;
	uint32_t end = dir->inode->data.len, type_bytes = dir->reader->has_types;
	uint32_t number_bytes, off;
	struct xfs_dir_short head;

	if (dir->inode->size > end || dir->inode->size < sizeof(head))
		return refuse(dir, "is longer than its place in the inode");
	end = (uint32_t)dir->inode->size;
	memcpy(&head, bytes, sizeof(head));
	number_bytes = head.count8 ? sizeof(be64) : sizeof(be32);
	off = (uint32_t)sizeof(head) + number_bytes; /* behind the parent's number */
	for (uint32_t i = 0; i < head.count; i++) {
		uint32_t name_off = off + 1 + (uint32_t)sizeof(be16), len, number_off;
		int ret;

		if (name_off > end)
			return refuse(dir, "has more entries than it has room for");
		len = bytes[off];
		number_off = name_off + len + type_bytes;
		off = number_off + number_bytes;
		if (len == 0 || off > end)
			return refuse(dir, "has an entry that leaves its place");
		ret = report(dir, bytes + name_off, len,
			     take_number(bytes + number_off, number_bytes));
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* ---- In blocks ---- */

/* Where the entries of a block end. */
static int find_end(const struct dir *dir, const uint8_t *bytes, bool is_only, uint32_t *end)
{
	struct xfs_dir_block_tail tail;
	uint32_t room = dir->reader->dir_bytes - (uint32_t)sizeof(tail);
	uint32_t count;

	*end = dir->reader->dir_bytes;
	if (!is_only)
		return 0;
	memcpy(&tail, bytes + room, sizeof(tail));
	count = from_be32(tail.count);
	if (count > (room - sizeof(struct xfs_dir_data)) / sizeof(struct xfs_dir_leaf_entry))
		return refuse(dir, "has more hashes than its block has room for");
	*end = room - count * (uint32_t)sizeof(struct xfs_dir_leaf_entry);
	return 0;
}

static uint16_t take_be16(const uint8_t *bytes)
{
	be16 disk;

	memcpy(&disk, bytes, sizeof(disk));
	return from_be16(disk);
}

/* What is at off: *len bytes, of which the last two say where they begin. */
static int read_entry(const struct dir *dir, const uint8_t *bytes, uint32_t off, uint32_t end,
		      uint32_t *len)
{
	const uint8_t *name = bytes + off + sizeof(be64) + 1;
	bool is_unused = take_be16(bytes + off) == XFS_DIR_UNUSED_TAG;
	/* An unused stretch may be so short that the block ends before the place of a name's
	 * length. */
	uint32_t name_len = is_unused ? 0 : bytes[off + sizeof(be64)];

	if (is_unused)
		*len = take_be16(bytes + off + sizeof(be16));
	else
		*len = (uint32_t)round_up(sizeof(be64) + 1 + name_len + dir->reader->has_types +
						  sizeof(be16),
					  XFS_DIR_ALIGN);
	if (*len == 0 || *len % XFS_DIR_ALIGN || *len > end - off)
		return refuse(dir, "has an entry that leaves its block");
	if (take_be16(bytes + off + *len - sizeof(be16)) != off)
		return refuse(dir, "has an entry that belongs elsewhere");
	if (is_unused)
		return 0;
	if (name_len == 0)
		return refuse(dir, "has an entry without a name");
	if (is_dots((const char *)name, name_len))
		return 0;
	return report(dir, name, name_len, take_number(bytes + off, sizeof(be64)));
}

static int read_block(const struct dir *dir, struct xfs_map *map, uint64_t number, uint8_t *bytes)
{
	struct xfs_reader *reader = dir->reader;
	uint64_t blocks = UINT64_C(1) << reader->super.dirblklog, off;
	uint32_t end, len;
	bool is_only;
	int ret = xfs_map_read(reader, dir->inode, map, number * blocks, blocks, bytes, &off);

	if (ret < 0)
		return ret;
	is_only = number == 0 && dir->inode->size == reader->dir_bytes &&
		  xfs_block_is(bytes, &block_kind);
	ret = xfs_reader_check_block(reader, bytes, reader->dir_bytes, off,
				     is_only ? &block_kind : &data_kind, dir->inode->number);
	if (ret < 0)
		return ret;
	ret = find_end(dir, bytes, is_only, &end);
	/* No entry is smaller than its alignment and a name's length, and all ends are aligned. */
	for (uint32_t at = sizeof(struct xfs_dir_data); ret == 0 && at < end; at += len) {
		if (end - at < 2 * XFS_DIR_ALIGN && take_be16(bytes + at) != XFS_DIR_UNUSED_TAG)
			return refuse(dir, "has an entry that leaves its block");
		ret = read_entry(dir, bytes, at, end, &len);
	}
	return ret;
}

static int read_blocks(const struct dir *dir, struct xfs_map *map, uint8_t *bytes)
{
	unsigned int log = dir->reader->super.dirblklog;
	uint64_t end = UINT64_C(1) << (ENTRIES_END_BITS - dir->reader->block_bits - log);
	uint64_t next = 0;

	/* An extent may begin or end inside a directory's block. */
	for (size_t i = 0; i < map->extents.count; i++) {
		const struct xfs_found_extent *extent = &map->extents.items[i];
		uint64_t first = extent->file_block >> log;
		uint64_t last = (extent->file_block + extent->blocks - 1) >> log;

		for (next = first > next ? first : next; next <= last && next < end; next++) {
			int ret = read_block(dir, map, next, bytes);

			if (ret < 0)
				return ret;
		}
	}
	return 0;
}

int xfs_reader_dir(struct xfs_reader *reader, const struct xfs_found_inode *inode,
		   int (*found)(struct xfs_reader *reader, uint64_t number))
{
	const struct dir dir = { reader, inode, found };
	autocall(xfs_map_free) struct xfs_map map = { 0 };
	autofree uint8_t *bytes = NULL;
	int ret;

	if (inode->data.format == XFS_FORK_LOCAL)
		return read_short(&dir);
	if (inode->size == 0 || inode->size % reader->dir_bytes)
		return refuse(&dir, "has a size that is none of whole blocks");
	bytes = malloc(reader->dir_bytes);
	if (!bytes)
		return -ENOMEM;
	ret = xfs_map_load(reader, inode, &inode->data, &map);
	return ret < 0 ? ret : read_blocks(&dir, &map, bytes);
}
