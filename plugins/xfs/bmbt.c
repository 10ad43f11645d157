/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/bmbt.h"

#include "lib/round.h"
#include "plugins/xfs/seal.h"

static uint32_t root_max(uint32_t fork_bytes)
{
	return (fork_bytes - (uint32_t)sizeof(struct xfs_bmbt_root)) / (2 * sizeof(be64));
}

void xfs_bmbt_init(struct xfs_bmbt *tree, const struct xfs_extent *extents, uint32_t extent_count,
		   uint32_t fork_bytes)
{
	uint64_t below = extent_count;

	*tree = (struct xfs_bmbt){ .extents = extents, .extent_count = extent_count };
	do {
		below = div_up(below, XFS_BMBT_MAX);
		tree->count[tree->levels++] = (uint32_t)below;
	} while (below > root_max(fork_bytes));
}

uint64_t xfs_bmbt_blocks(const struct xfs_bmbt *tree)
{
	uint64_t blocks = 0;

	for (uint32_t level = 0; level < tree->levels; level++)
		blocks += tree->count[level];
	return blocks;
}

/* The number of a block among all blocks of the tree. */
static uint64_t block_number(const struct xfs_bmbt *tree, uint32_t level, uint32_t index)
{
	uint64_t number = index;

	for (uint32_t below = 0; below < level; below++)
		number += tree->count[below];
	return number;
}

static uint64_t block_fsbno(const struct xfs_bmbt *tree, struct xfs_fork *places, uint32_t level,
			    uint32_t index)
{
	return xfs_fsbno(places->geo, xfs_fork_block(places, block_number(tree, level, index)));
}

/* The first thing (extent or block below) under a block. */
static uint32_t first_below(const struct xfs_bmbt *tree, uint32_t level, uint32_t index)
{
	uint32_t below = level ? tree->count[level - 1] : tree->extent_count;

	return (uint32_t)xfs_part_begin(below, tree->count[level], index);
}

/* The first offset that a block maps. */
static be64 block_key(const struct xfs_bmbt *tree, uint32_t level, uint32_t index)
{
	uint32_t first = first_below(tree, level, index);

	while (level-- > 0)
		first = first_below(tree, level, first);
	return to_be64(tree->extents[first].file_block);
}

static void pack_children(const struct xfs_bmbt *tree, struct xfs_fork *places, uint32_t level,
			  uint32_t first, uint32_t count, uint8_t *keys, uint8_t *pointers)
{
	for (uint32_t i = 0; i < count; i++) {
		be64 key = block_key(tree, level, first + i);
		be64 pointer = to_be64(block_fsbno(tree, places, level, first + i));

		memcpy(keys + i * sizeof(key), &key, sizeof(key));
		memcpy(pointers + i * sizeof(pointer), &pointer, sizeof(pointer));
	}
}

void xfs_bmbt_pack_root(const struct xfs_bmbt *tree, struct xfs_fork *places, uint32_t fork_bytes,
			uint8_t *fork)
{
	uint32_t count = tree->count[tree->levels - 1];
	struct xfs_bmbt_root root = {
		.level = to_be16((uint16_t)tree->levels),
		.numrecs = to_be16((uint16_t)count),
	};
	uint8_t *keys = fork + sizeof(root);

	memcpy(fork, &root, sizeof(root));
	pack_children(tree, places, tree->levels - 1, 0, count, keys,
		      keys + root_max(fork_bytes) * sizeof(be64));
}

static be64 sibling(const struct xfs_bmbt *tree, struct xfs_fork *places, uint32_t level,
		    uint32_t index)
{
	if (index >= tree->count[level])
		return to_be64(XFS_NULL_FSBLOCK);
	return to_be64(block_fsbno(tree, places, level, index));
}

static void pack_body(const struct xfs_bmbt *tree, struct xfs_fork *places, uint32_t level,
		      uint32_t first, uint32_t count, uint8_t *bytes)
{
	uint8_t *body = bytes + sizeof(struct xfs_long_btree);

	if (level)
		pack_children(tree, places, level - 1, first, count, body,
			      bytes + XFS_BMBT_POINTERS);
	else
		xfs_extents_pack(places->geo, &tree->extents[first], count, body);
}

static int write_block(const struct xfs_bmbt *tree, struct xfs_fork *places, uint32_t level,
		       uint32_t index)
{
	uint32_t first = first_below(tree, level, index);
	uint32_t count = first_below(tree, level, index + 1) - first;
	struct xfs_long_btree head = {
		.magic = to_be32(XFS_BMBT_MAGIC),
		.level = to_be16((uint16_t)level),
		.numrecs = to_be16((uint16_t)count),
		.leftsib = sibling(tree, places, level, index - 1),
		.rightsib = sibling(tree, places, level, index + 1),
		.owner = to_be64(places->owner),
	};
	uint64_t block;
	uint8_t *bytes;
	int ret = xfs_fork_take(places, block_number(tree, level, index), &bytes, &block);

	if (ret < 0)
		return ret;
	head.blkno = to_be64(xfs_daddr(block));
	memcpy(head.uuid, places->uuid, sizeof(head.uuid));
	memcpy(bytes, &head, sizeof(head));
	pack_body(tree, places, level, first, count, bytes);
	xfs_seal(bytes, XFS_BLOCK_BYTES, offsetof(struct xfs_long_btree, crc));
	return 0;
}

int xfs_bmbt_write(const struct xfs_bmbt *tree, struct xfs_fork *places)
{
	int ret = 0;

	for (uint32_t level = 0; level < tree->levels; level++)
		for (uint32_t i = 0; ret == 0 && i < tree->count[level]; i++)
			ret = write_block(tree, places, level, i);
	return ret;
}
