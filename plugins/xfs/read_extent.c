/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "plugins/xfs/read.h"

/* Blocks of the smallest size, half full, reach any number of extents with fewer. */
#define LEVELS_MAX 16u
#define FILE_BLOCK_BITS 54
#define COUNT_BITS 21

static const struct xfs_block_kind bmbt_kind =
	XFS_BLOCK_KIND("block of an extent btree", struct xfs_long_btree, XFS_BMBT_MAGIC);

struct walk {
	struct xfs_reader *reader;
	const struct xfs_found_inode *inode;
	const struct xfs_found_fork *fork;
	const struct xfs_emit *emit;
	uint64_t next; /* no extent begins before this block of the file */
	uint64_t count;
};

static int refuse(const struct walk *walk, const char *why)
{
	return window_refuse(&walk->reader->window, "the extents of inode %" PRIu64 " %s",
			     walk->inode->number, why);
}

static struct xfs_found_extent unpack_extent(const uint8_t *bytes)
{
	struct xfs_extent_record record;
	uint64_t high, low;

	memcpy(&record, bytes, sizeof(record));
	high = from_be64(record.high);
	low = from_be64(record.low);
	return (struct xfs_found_extent){
		.unwritten = high >> 63,
		.file_block = high >> 9 & ((UINT64_C(1) << FILE_BLOCK_BITS) - 1),
		.fsbno = (high & 511) << (64 - COUNT_BITS) | low >> COUNT_BITS,
		.blocks = low & ((UINT64_C(1) << COUNT_BITS) - 1),
	};
}

static int take_extents(struct walk *walk, const uint8_t *bytes, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		struct xfs_found_extent extent =
			unpack_extent(bytes + i * sizeof(struct xfs_extent_record));
		int ret;

		if (!extent.blocks || extent.file_block < walk->next)
			return refuse(walk, "overlap each other");
		walk->next = extent.file_block + extent.blocks;
		if (walk->next > (uint64_t)INT64_MAX >> walk->reader->block_bits)
			return refuse(walk, "reach farther than any file");
		ret = xfs_reader_place(walk->reader, extent.fsbno, extent.blocks,
				       walk->inode->number, &extent.off);
		if (ret < 0)
			return ret;
		ret = walk->emit->emit(walk->emit->arg, &extent);
		if (ret < 0)
			return ret;
	}
	walk->count += count;
	return 0;
}

/* ---- The btree ---- */

static int walk_block(struct walk *walk, uint64_t fsbno, uint32_t level);

/* Pointers lie behind the place for the largest number of keys. */
static int walk_children(struct walk *walk, const uint8_t *pointers, uint32_t count, uint32_t level)
{
	for (uint32_t i = 0; i < count; i++) {
		be64 fsbno;
		int ret;

		memcpy(&fsbno, pointers + i * sizeof(fsbno), sizeof(fsbno));
		ret = walk_block(walk, from_be64(fsbno), level - 1);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int walk_block(struct walk *walk, uint64_t fsbno, uint32_t level)
{
	struct xfs_reader *reader = walk->reader;
	uint32_t most = (reader->block_bytes - (uint32_t)sizeof(struct xfs_long_btree)) /
			(uint32_t)sizeof(struct xfs_extent_record);
	autofree uint8_t *bytes = NULL;
	struct xfs_long_btree head;
	uint64_t off;
	uint32_t count;
	int ret = xfs_reader_place(reader, fsbno, 1, walk->inode->number, &off);

	if (ret < 0)
		return ret;
	bytes = malloc(reader->block_bytes);
	if (!bytes)
		return -ENOMEM;
	ret = xfs_reader_load(reader, off, bytes, reader->block_bytes);
	if (ret < 0)
		return ret;
	ret = xfs_reader_check_block(reader, bytes, reader->block_bytes, off, &bmbt_kind,
				     walk->inode->number);
	if (ret < 0)
		return ret;
	memcpy(&head, bytes, sizeof(head));
	count = from_be16(head.numrecs);
	if (from_be16(head.level) != level || count == 0 || count > most)
		return refuse(walk, "have a btree block of another level, or size");
	if (level == 0)
		return take_extents(walk, bytes + sizeof(head), count);
	return walk_children(walk, bytes + sizeof(head) + most * sizeof(be64), count, level);
}

static int walk_btree(struct walk *walk)
{
	const uint8_t *bytes = walk->inode->bytes + walk->fork->off;
	struct xfs_bmbt_root root;
	uint32_t most, level, count;

	if (walk->fork->len < sizeof(root))
		return refuse(walk, "have no room for a btree");
	memcpy(&root, bytes, sizeof(root));
	most = (walk->fork->len - (uint32_t)sizeof(root)) / (uint32_t)(2 * sizeof(be64));
	level = from_be16(root.level);
	count = from_be16(root.numrecs);
	if (level == 0 || level > LEVELS_MAX || count == 0 || count > most)
		return refuse(walk, "have a btree of an impossible shape");
	return walk_children(walk, bytes + sizeof(root) + most * sizeof(be64), count, level);
}

static int walk_fork(struct walk *walk)
{
	const struct xfs_found_fork *fork = walk->fork;

	if (fork->format == XFS_FORK_BTREE)
		return walk_btree(walk);
	if (fork->format != XFS_FORK_EXTENTS)
		return refuse(walk, "are of a form that there is none of");
	if (fork->extents > fork->len / sizeof(struct xfs_extent_record))
		return refuse(walk, "are more than the inode has room for");
	return take_extents(walk, walk->inode->bytes + fork->off, fork->extents);
}

int xfs_reader_extents(struct xfs_reader *reader, const struct xfs_found_inode *inode,
		       const struct xfs_found_fork *fork, const struct xfs_emit *emit)
{
	struct walk walk = { .reader = reader, .inode = inode, .fork = fork, .emit = emit };
	int ret = walk_fork(&walk);

	if (ret < 0)
		return ret;
	return walk.count == fork->extents ? 0 : refuse(&walk, "are not as many as it counts");
}

/* ---- Maps ---- */

struct gather {
	struct xfs_reader *reader;
	const struct xfs_found_inode *inode;
	struct xfs_map *map;
};

static int add_extent(void *arg, const struct xfs_found_extent *extent)
{
	const struct gather *gather = arg;
	struct xfs_found_extent *added;

	if (extent->unwritten)
		return 0;
	/* No two of a sound fork's extents share a block. */
	if (gather->map->extents.count >= gather->reader->dblocks)
		return window_refuse(&gather->reader->window,
				     "inode %" PRIu64 " has more extents than there are blocks",
				     gather->inode->number);
	added = array_add(&gather->map->extents);
	if (!added)
		return -ENOMEM;
	*added = *extent;
	return 0;
}

static int compare_places(const void *left, const void *right)
{
	const struct xfs_found_extent *a = left, *b = right;

	return (a->off > b->off) - (a->off < b->off);
}

static int check_places(const struct xfs_reader *reader, const struct xfs_found_inode *inode,
			const struct xfs_map *map)
{
	size_t count = map->extents.count;
	autofree struct xfs_found_extent *sorted = calloc(count + 1, sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	if (count > 0)
		memcpy(sorted, map->extents.items, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_places);
	for (size_t i = 1; i < count; i++)
		if (sorted[i].off - sorted[i - 1].off < sorted[i - 1].blocks << reader->block_bits)
			return window_refuse(&reader->window,
					     "inode %" PRIu64 " has two extents in one place",
					     inode->number);
	return 0;
}

int xfs_map_load(struct xfs_reader *reader, const struct xfs_found_inode *inode,
		 const struct xfs_found_fork *fork, struct xfs_map *map)
{
	struct gather gather = { reader, inode, map };
	const struct xfs_emit emit = { add_extent, &gather };
	int ret = xfs_reader_extents(reader, inode, fork, &emit);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < map->extents.count; i++)
		map->unread += map->extents.items[i].blocks;
	return check_places(reader, inode, map);
}

static const struct xfs_found_extent *find_extent(const struct xfs_map *map, uint64_t file_block)
{
	size_t low = 0, high = map->extents.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct xfs_found_extent *extent = &map->extents.items[middle];

		if (file_block < extent->file_block)
			high = middle;
		else if (file_block - extent->file_block >= extent->blocks)
			low = middle + 1;
		else
			return extent;
	}
	return NULL;
}

int xfs_map_read(struct xfs_reader *reader, const struct xfs_found_inode *inode,
		 struct xfs_map *map, uint64_t file_block, uint64_t blocks, uint8_t *buf,
		 uint64_t *off)
{
	if (blocks > map->unread)
		return window_refuse(&reader->window,
				     "inode %" PRIu64 " has metadata that leads in a circle",
				     inode->number);
	map->unread -= blocks;
	for (uint64_t done = 0; done < blocks;) {
		const struct xfs_found_extent *extent = find_extent(map, file_block + done);
		uint64_t skip, part;
		int ret;

		if (!extent)
			return window_refuse(&reader->window,
					     "inode %" PRIu64
					     " has a hole where metadata should be, at block "
					     "%" PRIu64,
					     inode->number, file_block + done);
		skip = file_block + done - extent->file_block;
		part = extent->blocks - skip < blocks - done ? extent->blocks - skip
							     : blocks - done;
		if (done == 0)
			*off = extent->off + (skip << reader->block_bits);
		ret = xfs_reader_load(reader, extent->off + (skip << reader->block_bits),
				      buf + (done << reader->block_bits),
				      (size_t)(part << reader->block_bits));
		if (ret < 0)
			return ret;
		done += part;
	}
	return 0;
}
