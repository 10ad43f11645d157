/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/agspace.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "plugins/xfs/btree.h"

/* With trees of two levels the kernel wants twice the usual free list. */
#define EXTRA_AGFL_BLOCKS 4u

static int reserve(void **items, uint32_t *capacity, uint32_t count, size_t size)
{
	uint32_t wanted = *capacity ? *capacity : 64;
	void *larger;

	if (count <= *capacity)
		return 0;
	while (wanted < count)
		wanted *= 2;
	larger = reallocarray(*items, wanted, size);
	if (!larger)
		return -ENOMEM;
	*items = larger;
	*capacity = wanted;
	return 0;
}

static int add_run(struct xfs_agspace *agspace, uint32_t start, uint32_t blocks)
{
	struct xfs_run *last = agspace->count ? &agspace->runs[agspace->count - 1] : NULL;
	void *runs = agspace->runs;
	int ret;

	if (last && last->start + last->blocks == start) {
		last->blocks += blocks;
		return 0;
	}
	ret = reserve(&runs, &agspace->capacity, agspace->count + 1, sizeof(*agspace->runs));
	if (ret < 0)
		return ret;
	agspace->runs = runs;
	agspace->runs[agspace->count++] = (struct xfs_run){ start, blocks };
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
static uint32_t btree_blocks(uint32_t records)
{
	struct xfs_btree tree;

	xfs_btree_init(&tree, &xfs_bnobt, records);
	return 2 * xfs_btree_blocks(&tree);
}

/* From the end of the AG. Runs may vanish in this, so the trees may need fewer blocks than taken.
 */
static int take_blocks(struct xfs_agspace *agspace, uint32_t blocks)
{
	void *taken = agspace->taken;
	int ret = reserve(&taken, &agspace->taken_capacity, blocks, sizeof(*agspace->taken));

	if (ret < 0)
		return ret;
	agspace->taken = taken;
	while (agspace->taken_count < blocks && agspace->count) {
		struct xfs_run *last = &agspace->runs[agspace->count - 1];

		agspace->taken[agspace->taken_count++] = last->start + --last->blocks;
		if (last->blocks == 0)
			agspace->count--;
	}
	return 0;
}

int xfs_agspace_collect(struct xfs_agspace *agspace, const struct xfs_layout *layout, uint32_t agno)
{
	uint32_t blocks;
	int ret;

	agspace->count = 0;
	agspace->taken_count = 0;
	ret = collect_runs(agspace, layout, agno);
	if (ret < 0)
		return ret;
	blocks = btree_blocks(agspace->count);
	ret = blocks ? take_blocks(agspace, blocks + EXTRA_AGFL_BLOCKS) : 0;
	agspace->btree_blocks = btree_blocks(agspace->count);
	return ret;
}

void xfs_agspace_clear(struct xfs_agspace *agspace)
{
	free(agspace->runs);
	free(agspace->taken);
	*agspace = (struct xfs_agspace){ 0 };
}

uint32_t xfs_agspace_free_blocks(const struct xfs_agspace *agspace)
{
	uint32_t blocks = 0;

	for (uint32_t i = 0; i < agspace->count; i++)
		blocks += agspace->runs[i].blocks;
	return blocks;
}

uint32_t xfs_agspace_longest(const struct xfs_agspace *agspace)
{
	uint32_t longest = 0;

	for (uint32_t i = 0; i < agspace->count; i++)
		if (agspace->runs[i].blocks > longest)
			longest = agspace->runs[i].blocks;
	return longest;
}
