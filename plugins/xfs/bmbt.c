/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/bmbt.h"

#include "lib/round.h"

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
			  uint32_t first, uint32_t count, be64 *keys, be64 *pointers)
{
	for (uint32_t i = 0; i < count; i++) {
		keys[i] = block_key(tree, level, first + i);
		pointers[i] = to_be64(block_fsbno(tree, places, level, first + i));
	}
}

void xfs_bmbt_pack_root(const struct xfs_bmbt *tree, struct xfs_fork *places, uint32_t fork_bytes,
			uint8_t *fork)
{
	struct xfs_bmbt_root *root = (void *)fork;
	be64 *keys = (void *)(root + 1);
	uint32_t count = tree->count[tree->levels - 1];

	root->level = to_be16((uint16_t)tree->levels);
	root->numrecs = to_be16((uint16_t)count);
	pack_children(tree, places, tree->levels - 1, 0, count, keys, keys + root_max(fork_bytes));
}

static void pack_head(const struct xfs_bmbt *tree, struct xfs_fork *places, uint32_t level,
		      uint32_t index, struct xfs_long_btree *head)
{
	uint64_t left = XFS_NULL_FSBLOCK;
	uint64_t right = XFS_NULL_FSBLOCK;

	if (index > 0)
		left = block_fsbno(tree, places, level, index - 1);
	if (index + 1 < tree->count[level])
		right = block_fsbno(tree, places, level, index + 1);
	head->magic = to_be32(XFS_BMBT_MAGIC);
	head->level = to_be16((uint16_t)level);
	head->leftsib = to_be64(left);
	head->rightsib = to_be64(right);
	head->owner = to_be64(places->owner);
	memcpy(head->uuid, places->uuid, sizeof(head->uuid));
}

static void pack_body(const struct xfs_bmbt *tree, struct xfs_fork *places, uint32_t level,
		      uint32_t index, struct xfs_long_btree *head)
{
	uint32_t first = first_below(tree, level, index);
	uint32_t count = first_below(tree, level, index + 1) - first;
	struct xfs_extent_record *records = (void *)(head + 1);

	head->numrecs = to_be16((uint16_t)count);
	if (level)
		pack_children(tree, places, level - 1, first, count, (void *)(head + 1),
			      (void *)((uint8_t *)head + XFS_BMBT_POINTERS));
	for (uint32_t i = 0; level == 0 && i < count; i++)
		records[i] = xfs_extent_pack(places->geo, &tree->extents[first + i]);
}

static int write_block(const struct xfs_bmbt *tree, struct xfs_fork *places, uint32_t level,
		       uint32_t index)
{
	struct xfs_long_btree *head;
	uint64_t block;
	uint8_t *bytes;
	int ret = xfs_fork_take(places, block_number(tree, level, index), &bytes, &block);

	if (ret < 0)
		return ret;
	head = (void *)bytes;
	pack_head(tree, places, level, index, head);
	pack_body(tree, places, level, index, head);
	head->blkno = to_be64(xfs_daddr(block));
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
