/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/extent.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "lib/crc32c.h"
#include "lib/round.h"
#include "plugins/common/writer.h"
#include "plugins/ext4/format.h"

/* One level of the tree, as the level above sees it: first logical block and place of each block.
 */
struct level {
	struct ext4_extent *items;
	uint32_t count;
	uint16_t depth;
};

/* Where the blocks of the tree lie, in the order in which they are used. */
struct supply {
	const struct ext4_extent *run;
	uint32_t used;
};

static uint64_t blocks_for(uint64_t items)
{
	return div_up(items, EXT4_EXTENTS_PER_BLOCK);
}

uint64_t ext4_extent_tree_blocks(uint64_t extents)
{
	uint64_t blocks = 0;

	for (uint64_t items = extents; items > EXT4_EXTENTS_INLINE;) {
		items = blocks_for(items);
		blocks += items;
	}
	return blocks;
}

static void put_leaf(uint8_t *to, const struct ext4_extent *extent)
{
	struct ext4_extent_leaf leaf = {
		.block = to_le32(extent->logical),
		.len = to_le16((uint16_t)extent->blocks),
		.start_hi = to_le16((uint16_t)(extent->physical >> 32)),
		.start_lo = to_le32((uint32_t)extent->physical),
	};

	memcpy(to, &leaf, sizeof(leaf));
}

static void put_index(uint8_t *to, const struct ext4_extent *extent)
{
	struct ext4_extent_index index = {
		.block = to_le32(extent->logical),
		.leaf_lo = to_le32((uint32_t)extent->physical),
		.leaf_hi = to_le16((uint16_t)(extent->physical >> 32)),
	};

	memcpy(to, &index, sizeof(index));
}

static void put_node(uint8_t *to, const struct ext4_extent *items, uint32_t count, uint16_t max,
		     uint16_t depth)
{
	struct ext4_extent_header header = {
		.magic = to_le16(EXT4_EXTENT_MAGIC),
		.entries = to_le16((uint16_t)count),
		.max = to_le16(max),
		.depth = to_le16(depth),
	};

	memcpy(to, &header, sizeof(header));
	for (uint32_t i = 0; i < count; i++) {
		to += sizeof(header);
		if (depth == 0)
			put_leaf(to, &items[i]);
		else
			put_index(to, &items[i]);
	}
}

static uint64_t supply_next(struct supply *supply)
{
	if (supply->used == supply->run->blocks) {
		supply->run++;
		supply->used = 0;
	}
	return supply->run->physical + supply->used++;
}

/* Packs a level into blocks; on return it describes these blocks. They fit into the same items. */
static int write_level(struct writer *writer, uint32_t inode_seed, struct supply *supply,
		       struct level *level)
{
	uint32_t done = 0, blocks = 0;

	while (done < level->count) {
		uint32_t left = level->count - done;
		uint32_t count = left < EXT4_EXTENTS_PER_BLOCK ? left : EXT4_EXTENTS_PER_BLOCK;
		uint64_t physical = supply_next(supply);
		uint8_t *block;
		le32 checksum;
		int ret =
			writer_take(writer, physical * EXT4_BLOCK_BYTES, EXT4_BLOCK_BYTES, &block);

		if (ret < 0)
			return ret;
		put_node(block, level->items + done, count, EXT4_EXTENTS_PER_BLOCK, level->depth);
		checksum = to_le32(crc32c(inode_seed, block, EXT4_CSUM_OFFSET));
		memcpy(block + EXT4_CSUM_OFFSET, &checksum, sizeof(checksum));
		level->items[blocks++] = (struct ext4_extent){
			.logical = level->items[done].logical,
			.physical = physical,
		};
		done += count;
	}
	level->count = blocks;
	level->depth++;
	return 0;
}

int ext4_extent_tree_write(struct writer *writer, uint32_t inode_seed,
			   const struct ext4_extent *extents, uint32_t count,
			   const struct ext4_extent *tree_runs,
			   uint8_t inode_block[EXT4_INODE_BLOCK_BYTES])
{
	struct supply supply = { .run = tree_runs };
	autofree struct ext4_extent *items = NULL;
	struct level level = { .count = count };

	if (count <= EXT4_EXTENTS_INLINE) {
		put_node(inode_block, extents, count, EXT4_EXTENTS_INLINE, 0);
		return 0;
	}
	level.items = items = malloc(count * sizeof(*items));
	if (!items)
		return -ENOMEM;
	memcpy(items, extents, count * sizeof(*items));
	while (level.count > EXT4_EXTENTS_INLINE) {
		int ret = write_level(writer, inode_seed, &supply, &level);

		if (ret < 0)
			return ret;
	}
	put_node(inode_block, items, level.count, EXT4_EXTENTS_INLINE, level.depth);
	return 0;
}

uint64_t ext4_extent_lookup(const struct ext4_extent *extents, uint32_t logical, uint32_t *hint)
{
	while (extents[*hint].logical + extents[*hint].blocks <= logical)
		(*hint)++;
	return extents[*hint].physical + (logical - extents[*hint].logical);
}
