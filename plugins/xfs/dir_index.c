/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "plugins/xfs/dir_data.h"

static void put_bests(const struct xfs_dir_job *job, uint64_t first, uint64_t count, uint8_t *to)
{
	for (uint64_t i = 0; i < count; i++) {
		be16 best = to_be16(job->bests[first + i]);

		memcpy(to + i * sizeof(best), &best, sizeof(best));
	}
}

int xfs_dir_write_leaf(struct xfs_dir_job *job)
{
	be32 best_count = to_be32((uint32_t)job->shape->data_blocks);
	struct xfs_da_node head = {
		.head.magic = to_be16(XFS_DIR_LEAF1_MAGIC),
		.count = to_be16((uint16_t)job->index_count),
	};
	uint8_t *bytes, *tail;
	uint64_t block;
	int ret = xfs_fork_take(job->fork, XFS_DIR_LEAF_BLOCK, &bytes, &block);

	if (ret < 0)
		return ret;
	memcpy(bytes, &head, sizeof(head));
	tail = bytes + XFS_BLOCK_BYTES - sizeof(best_count);
	xfs_dir_pack_index(job, 0, job->index_count, bytes + sizeof(head));
	memcpy(tail, &best_count, sizeof(best_count));
	put_bests(job, 0, job->shape->data_blocks, tail - job->shape->data_blocks * sizeof(be16));
	xfs_fork_seal_da(job->fork, block, bytes);
	return 0;
}

/* Index entries are dealt evenly to the leaves of the node form. */
static uint64_t leaf_first(const struct xfs_dir_job *job, const struct xfs_da_tree *tree,
			   uint32_t leaf)
{
	return xfs_part_begin(job->index_count, tree->count[0], leaf);
}

static uint32_t index_hash(const struct xfs_dir_job *job, uint64_t entry)
{
	return (uint32_t)(job->index[entry] >> 32);
}

static bool is_deleted(const struct xfs_dir_job *job, uint64_t entry)
{
	return (uint32_t)job->index[entry] == XFS_DIR_DELETED_ADDRESS;
}

/* xfs_repair takes it for an error when the last two leaves end with the same hash. A higher one
 * behind, of a name that seems to have been deleted, keeps them apart. */
static void end_with_higher_hash(struct xfs_dir_job *job, uint32_t leaves)
{
	uint64_t last_first = xfs_part_begin(job->index_count, leaves, leaves - 1);
	uint64_t highest = index_hash(job, job->index_count - 1);

	if (leaves == 1 || highest == UINT32_MAX || index_hash(job, last_first - 1) != highest)
		return;
	job->index[job->index_count++] = (highest + 1) << 32 | XFS_DIR_DELETED_ADDRESS;
}

static void plan_leaves(struct xfs_dir_job *job, uint32_t *last_hash, struct xfs_da_tree *tree)
{
	uint32_t leaves = xfs_dir_leaves(job->node);

	xfs_da_init(tree, XFS_DIR_LEAF_BLOCK, leaves, last_hash);
	end_with_higher_hash(job, leaves);
	for (uint32_t i = 0; i < leaves; i++)
		last_hash[i] = index_hash(job, leaf_first(job, tree, i + 1) - 1);
}

static void pack_leaf(const struct xfs_dir_job *job, const struct xfs_da_tree *tree, uint32_t leaf,
		      uint8_t *bytes)
{
	uint64_t first = leaf_first(job, tree, leaf);
	uint64_t count = leaf_first(job, tree, leaf + 1) - first;
	struct xfs_da_node head = {
		.head.magic = to_be16(XFS_DIR_LEAFN_MAGIC),
		.count = to_be16((uint16_t)count),
		.second = to_be16(is_deleted(job, first + count - 1)),
	};

	memcpy(bytes, &head, sizeof(head));
	xfs_da_link(tree, 0, leaf, bytes);
	xfs_dir_pack_index(job, first, count, bytes + sizeof(head));
}

static int write_tree_block(struct xfs_dir_job *job, const struct xfs_da_tree *tree, uint32_t level,
			    uint32_t index)
{
	uint64_t block;
	uint8_t *bytes;
	int ret = xfs_fork_take(job->fork, xfs_da_address(tree, level, index), &bytes, &block);

	if (ret < 0)
		return ret;
	if (level == 0)
		pack_leaf(job, tree, index, bytes);
	else
		xfs_da_pack_node(tree, level, index, bytes);
	xfs_fork_seal_da(job->fork, block, bytes);
	return 0;
}

/* In the order of their places: the root, the leaves, the levels between. */
static int write_tree(struct xfs_dir_job *job, const struct xfs_da_tree *tree)
{
	uint32_t top = tree->levels;
	int ret = write_tree_block(job, tree, top, 0);

	for (uint32_t level = 0; level < top; level++)
		for (uint32_t i = 0; ret == 0 && i < tree->count[level]; i++)
			ret = write_tree_block(job, tree, level, i);
	return ret;
}

static int write_free_block(struct xfs_dir_job *job, uint64_t number)
{
	uint64_t first = number * XFS_DIR_FREE_BESTS;
	uint64_t count = job->shape->data_blocks - first;
	struct xfs_dir_free head = {
		.head.magic = to_be32(XFS_DIR_FREE_MAGIC),
		.firstdb = to_be32((uint32_t)first),
	};
	uint64_t block;
	uint8_t *bytes;
	int ret = xfs_fork_take(job->fork, XFS_DIR_FREE_BLOCK + number, &bytes, &block);

	if (ret < 0)
		return ret;
	if (count > XFS_DIR_FREE_BESTS)
		count = XFS_DIR_FREE_BESTS;
	head.nvalid = head.nused = to_be32((uint32_t)count);
	memcpy(bytes, &head, sizeof(head));
	put_bests(job, first, count, bytes + sizeof(head));
	xfs_fork_seal_dir(job->fork, block, bytes);
	return 0;
}

int xfs_dir_write_node(struct xfs_dir_job *job)
{
	autofree uint32_t *last_hash =
		reallocarray(NULL, xfs_dir_leaves(job->node), sizeof(*last_hash));
	struct xfs_da_tree tree;
	int ret;

	if (!last_hash)
		return -ENOMEM;
	plan_leaves(job, last_hash, &tree);
	ret = write_tree(job, &tree);
	for (uint64_t i = 0; ret == 0 && i < job->shape->free_blocks; i++)
		ret = write_free_block(job, i);
	return ret;
}
