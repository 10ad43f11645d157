/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "plugins/xfs/dir_data.h"

static void put_bests(const struct xfs_dir_job *job, uint64_t first, uint64_t count, be16 *to)
{
	for (uint64_t i = 0; i < count; i++)
		to[i] = to_be16(job->bests[first + i]);
}

int xfs_dir_write_leaf(struct xfs_dir_job *job)
{
	be32 best_count = to_be32((uint32_t)job->shape->data_blocks);
	struct xfs_da_node *head;
	uint8_t *bytes, *tail;
	uint64_t block;
	int ret = xfs_fork_take(job->fork, XFS_DIR_LEAF_BLOCK, &bytes, &block);

	if (ret < 0)
		return ret;
	head = (void *)bytes;
	tail = bytes + XFS_BLOCK_BYTES - sizeof(best_count);
	head->head.magic = to_be16(XFS_DIR_LEAF1_MAGIC);
	head->count = to_be16((uint16_t)job->index_count);
	xfs_dir_pack_index(job, 0, job->index_count, bytes + sizeof(*head));
	memcpy(tail, &best_count, sizeof(best_count));
	put_bests(job, 0, job->shape->data_blocks,
		  (be16 *)(void *)(tail - job->shape->data_blocks * sizeof(be16)));
	xfs_fork_seal_da(job->fork, block, bytes);
	return 0;
}

/* The leaves of the node form: index entries are dealt evenly to them. */
struct leaf_plan {
	struct xfs_da_tree tree;
	uint32_t *last_hash;
};

static uint64_t leaf_first(const struct xfs_dir_job *job, const struct leaf_plan *plan,
			   uint32_t leaf)
{
	return xfs_part_begin(job->index_count, plan->tree.count[0], leaf);
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

static int plan_leaves(struct xfs_dir_job *job, struct leaf_plan *plan)
{
	uint32_t leaves = xfs_dir_leaves(job->node);

	plan->last_hash = reallocarray(NULL, leaves, sizeof(*plan->last_hash));
	if (!plan->last_hash)
		return -ENOMEM;
	xfs_da_init(&plan->tree, XFS_DIR_LEAF_BLOCK, leaves, plan->last_hash);
	end_with_higher_hash(job, leaves);
	for (uint32_t i = 0; i < leaves; i++)
		plan->last_hash[i] = index_hash(job, leaf_first(job, plan, i + 1) - 1);
	return 0;
}

static void pack_leaf(const struct xfs_dir_job *job, const struct leaf_plan *plan, uint32_t leaf,
		      uint8_t *bytes)
{
	struct xfs_da_node *head = (void *)bytes;
	uint64_t first = leaf_first(job, plan, leaf);
	uint64_t count = leaf_first(job, plan, leaf + 1) - first;

	head->head.magic = to_be16(XFS_DIR_LEAFN_MAGIC);
	head->count = to_be16((uint16_t)count);
	head->second = to_be16(is_deleted(job, first + count - 1));
	xfs_da_link(&plan->tree, 0, leaf, &head->head);
	xfs_dir_pack_index(job, first, count, bytes + sizeof(*head));
}

static int write_tree_block(struct xfs_dir_job *job, const struct leaf_plan *plan, uint32_t level,
			    uint32_t index)
{
	uint64_t block;
	uint8_t *bytes;
	int ret =
		xfs_fork_take(job->fork, xfs_da_address(&plan->tree, level, index), &bytes, &block);

	if (ret < 0)
		return ret;
	if (level == 0)
		pack_leaf(job, plan, index, bytes);
	else
		xfs_da_pack_node(&plan->tree, level, index, bytes);
	xfs_fork_seal_da(job->fork, block, bytes);
	return 0;
}

/* In the order of their places: the root, the leaves, the levels between. */
static int write_tree(struct xfs_dir_job *job, const struct leaf_plan *plan)
{
	uint32_t top = plan->tree.levels;
	int ret = write_tree_block(job, plan, top, 0);

	for (uint32_t level = 0; level < top; level++)
		for (uint32_t i = 0; ret == 0 && i < plan->tree.count[level]; i++)
			ret = write_tree_block(job, plan, level, i);
	return ret;
}

static int write_free_block(struct xfs_dir_job *job, uint64_t number)
{
	uint64_t first = number * XFS_DIR_FREE_BESTS;
	uint64_t count = job->shape->data_blocks - first;
	struct xfs_dir_free *head;
	uint64_t block;
	uint8_t *bytes;
	int ret = xfs_fork_take(job->fork, XFS_DIR_FREE_BLOCK + number, &bytes, &block);

	if (ret < 0)
		return ret;
	if (count > XFS_DIR_FREE_BESTS)
		count = XFS_DIR_FREE_BESTS;
	head = (void *)bytes;
	head->head.magic = to_be32(XFS_DIR_FREE_MAGIC);
	head->firstdb = to_be32((uint32_t)first);
	head->nvalid = to_be32((uint32_t)count);
	head->nused = to_be32((uint32_t)count);
	put_bests(job, first, count, (be16 *)(void *)(head + 1));
	xfs_fork_seal_dir(job->fork, block, bytes);
	return 0;
}

int xfs_dir_write_node(struct xfs_dir_job *job)
{
	const struct kataimg_host *host = job->fork->writer->host;
	struct leaf_plan plan = { .last_hash = NULL };
	int ret = plan_leaves(job, &plan);

	if (ret < 0)
		host->error(host->ctx, "no memory for the index of %u entries",
			    job->node->entry_count);
	else
		ret = write_tree(job, &plan);
	for (uint64_t i = 0; ret == 0 && i < job->shape->free_blocks; i++)
		ret = write_free_block(job, i);
	free(plan.last_hash);
	return ret;
}
