/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/agspace.h"

#include <errno.h>
#include <stdbool.h>

#include "plugins/xfs/btree.h"

/* With trees of two levels the kernel wants twice the usual free list. */
#define EXTRA_AGFL_BLOCKS 4u

static struct xfs_run *last_run(const struct xfs_agspace *agspace)
{
	return agspace->runs.count ? &agspace->runs.items[agspace->runs.count - 1] : NULL;
}

static int add_run(struct xfs_agspace *agspace, uint32_t start, uint32_t blocks)
{
	struct xfs_run *run = last_run(agspace);

	if (run && run->start + run->blocks == start) {
		run->blocks += blocks;
		return 0;
	}
	run = array_add(&agspace->runs);
	if (!run)
		return -ENOMEM;
	*run = (struct xfs_run){ start, blocks };
	return 0;
}

static bool next_run(struct xfs_agspace *agspace, const struct space *space, uint64_t end)
{
	if (agspace->pending_blocks == 0 &&
	    space_next_run(space, &agspace->cursor, &agspace->pending_start,
			   &agspace->pending_blocks) < 0)
		return false;
	return agspace->pending_start < end;
}

static int collect_runs(struct xfs_agspace *agspace, const struct xfs_layout *layout, uint32_t agno)
{
	const struct xfs_ag *ag = &layout->ags[agno];
	uint64_t start = xfs_ag_start(&layout->geo, agno);
	int ret = 0;

	while (ret == 0 && next_run(agspace, layout->space, start + ag->length)) {
		ret = add_run(agspace, (uint32_t)(agspace->pending_start - start),
			      (uint32_t)agspace->pending_blocks);
		agspace->pending_blocks = 0;
	}
	if (ret == 0 && ag->hold_blocks)
		ret = add_run(agspace, ag->length - ag->hold_blocks, ag->hold_blocks);
	return ret;
}

/* Both trees have the same records, in another order. */
static uint32_t btree_blocks(const struct xfs_agspace *agspace)
{
	struct xfs_btree tree;

	xfs_btree_init(&tree, &xfs_bnobt, agspace->runs.count);
	return 2 * xfs_btree_blocks(&tree);
}

/* From the end of the AG. Runs may vanish in this, so the trees may need fewer blocks than taken.
 */
static int take_blocks(struct xfs_agspace *agspace, uint32_t blocks)
{
	while (agspace->taken.count < blocks && agspace->runs.count) {
		struct xfs_run *last = last_run(agspace);
		uint32_t *taken = array_add(&agspace->taken);

		if (!taken)
			return -ENOMEM;
		*taken = last->start + --last->blocks;
		if (last->blocks == 0)
			agspace->runs.count--;
	}
	return 0;
}

int xfs_agspace_collect(struct xfs_agspace *agspace, const struct xfs_layout *layout, uint32_t agno)
{
	uint32_t blocks;
	int ret;

	agspace->runs.count = 0;
	agspace->taken.count = 0;
	ret = collect_runs(agspace, layout, agno);
	if (ret < 0)
		return ret;
	blocks = btree_blocks(agspace);
	ret = blocks ? take_blocks(agspace, blocks + EXTRA_AGFL_BLOCKS) : 0;
	agspace->btree_blocks = btree_blocks(agspace);
	return ret;
}

void xfs_agspace_clear(struct xfs_agspace *agspace)
{
	array_free(&agspace->runs);
	array_free(&agspace->taken);
}

uint32_t xfs_agspace_free_blocks(const struct xfs_agspace *agspace)
{
	uint32_t blocks = 0;

	for (size_t i = 0; i < agspace->runs.count; i++)
		blocks += agspace->runs.items[i].blocks;
	return blocks;
}

uint32_t xfs_agspace_longest(const struct xfs_agspace *agspace)
{
	uint32_t longest = 0;

	for (size_t i = 0; i < agspace->runs.count; i++)
		if (agspace->runs.items[i].blocks > longest)
			longest = agspace->runs.items[i].blocks;
	return longest;
}
