/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/da.h"

#include "lib/round.h"
#include "plugins/xfs/geometry.h"

void xfs_da_init(struct xfs_da_tree *tree, uint64_t base, uint32_t leaves,
		 const uint32_t *last_hash)
{
	*tree = (struct xfs_da_tree){ .base = base, .last_hash = last_hash, .count = { leaves } };
	while (tree->count[tree->levels] > 1) {
		tree->count[tree->levels + 1] =
			(uint32_t)div_up(tree->count[tree->levels], XFS_DA_MAX);
		tree->levels++;
	}
}

uint64_t xfs_da_blocks(uint32_t leaves)
{
	struct xfs_da_tree tree;
	uint64_t blocks = 0;

	xfs_da_init(&tree, 0, leaves, NULL);
	for (uint32_t level = 0; level <= tree.levels; level++)
		blocks += tree.count[level];
	return blocks;
}

uint64_t xfs_da_address(const struct xfs_da_tree *tree, uint32_t level, uint32_t index)
{
	uint64_t address = tree->base + 1 + index;

	if (level == tree->levels)
		return tree->base;
	for (uint32_t below = 0; below < level; below++)
		address += tree->count[below];
	return address;
}

void xfs_da_link(const struct xfs_da_tree *tree, uint32_t level, uint32_t index, uint8_t *block)
{
	struct xfs_da_block head;

	memcpy(&head, block, sizeof(head));
	if (index + 1 < tree->count[level])
		head.forw = to_be32((uint32_t)xfs_da_address(tree, level, index + 1));
	if (index > 0)
		head.back = to_be32((uint32_t)xfs_da_address(tree, level, index - 1));
	memcpy(block, &head, sizeof(head));
}

static uint32_t first_child(const struct xfs_da_tree *tree, uint32_t level, uint32_t index)
{
	return (uint32_t)xfs_part_begin(tree->count[level - 1], tree->count[level], index);
}

static uint32_t last_hash(const struct xfs_da_tree *tree, uint32_t level, uint32_t index)
{
	for (; level > 0; level--)
		index = first_child(tree, level, index + 1) - 1;
	return tree->last_hash[index];
}

void xfs_da_pack_node(const struct xfs_da_tree *tree, uint32_t level, uint32_t index,
		      uint8_t *block)
{
	uint32_t first = first_child(tree, level, index);
	uint32_t count = first_child(tree, level, index + 1) - first;
	struct xfs_da_node node = {
		.head.magic = to_be16(XFS_DA_NODE_MAGIC),
		.count = to_be16((uint16_t)count),
		.second = to_be16((uint16_t)level),
	};

	memcpy(block, &node, sizeof(node));
	xfs_da_link(tree, level, index, block);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t child = xfs_da_address(tree, level - 1, first + i);
		struct xfs_da_entry entry = {
			.hash = to_be32(last_hash(tree, level - 1, first + i)),
			.before = to_be32((uint32_t)child),
		};

		memcpy(block + sizeof(node) + i * sizeof(entry), &entry, sizeof(entry));
	}
}
