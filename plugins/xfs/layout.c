/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/layout.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/calloc64.h"
#include "lib/round.h"
#include "plugins/xfs/agspace.h"

static uint64_t ag_reserve(const struct xfs_geometry *geo, uint32_t agno)
{
	return xfs_finobt_reserve(xfs_ag_length(geo, agno), xfs_ag_log_blocks(geo, agno), 1);
}

static uint64_t sum_reserves(const struct xfs_geometry *geo)
{
	uint64_t blocks = 0;

	for (uint32_t agno = 0; agno < geo->agcount; agno++)
		blocks += ag_reserve(geo, agno);
	return blocks;
}

/* Blocks that shall be available: for data, and for inodes yet to be made. */
static uint64_t wanted_blocks(const struct xfs_source *source)
{
	uint64_t chunks = xfs_chunks_for(source->tree->node_count);
	uint64_t unused =
		chunks * XFS_CHUNK_INODES - source->tree->node_count - XFS_RESERVED_INODES;
	uint64_t blocks = 0;

	if (source->free_inodes > unused)
		blocks = div_up(source->free_inodes - unused, XFS_INODES_PER_BLOCK);
	return blocks > source->free_blocks ? blocks : source->free_blocks;
}

/* One block more is one free block more at most: what is missing has to be added. */
static int need_free(struct xfs_layout *layout, uint64_t free_blocks, uint64_t needed)
{
	if (free_blocks >= needed)
		return 0;
	layout->missing = needed - free_blocks;
	return -ENOSPC;
}

static int finish_ag(struct xfs_layout *layout, struct xfs_agspace *agspace, uint32_t agno)
{
	struct xfs_ag *ag = &layout->ags[agno];
	int ret = xfs_agspace_collect(agspace, layout, agno);

	if (ret < 0)
		return ret;
	ag->free_blocks = xfs_agspace_free_blocks(agspace);
	ag->free_runs = (uint32_t)agspace->runs.count;
	ag->longest = xfs_agspace_longest(agspace);
	ag->btree_blocks = agspace->btree_blocks;
	ag->agfl_count = XFS_AGFL_BLOCKS + (uint32_t)agspace->taken.count - ag->btree_blocks;
	layout->totals.fdblocks += (uint64_t)ag->free_blocks + ag->agfl_count + ag->btree_blocks;
	layout->totals.btree_blocks += ag->btree_blocks;
	layout->totals.reserve_blocks += ag_reserve(&layout->geo, agno);
	return need_free(layout, (uint64_t)ag->free_blocks + ag->agfl_count,
			 ag_reserve(&layout->geo, agno));
}

static int finish_ags(struct xfs_layout *layout)
{
	struct xfs_agspace agspace = { 0 };
	int ret = 0;

	for (uint32_t agno = 0; ret == 0 && agno < layout->geo.agcount; agno++)
		ret = finish_ag(layout, &agspace, agno);
	xfs_agspace_clear(&agspace);
	return ret;
}

/* Free blocks that let the kernel mount without a warning, xfs_repair work, and give what was asked
 * for. */
static uint64_t least_free_blocks(const struct xfs_source *source, const struct xfs_totals *totals)
{
	uint64_t kept = xfs_totals_kept_blocks(totals);
	uint64_t wanted = wanted_blocks(source);

	if (wanted)
		return kept + wanted + xfs_totals_pool_blocks(totals);
	return kept > XFS_REPAIR_BLOCKS ? kept : XFS_REPAIR_BLOCKS;
}

static int make(struct xfs_layout *layout)
{
	uint64_t nodes = layout->source->tree->node_count;
	int ret = xfs_layout_init_ags(layout);

	if (ret < 0)
		return ret;
	layout->places = calloc64(nodes, sizeof(*layout->places));
	if (!layout->places)
		return -ENOMEM;
	ret = xfs_layout_place_forks(layout);
	if (ret < 0)
		return ret;
	layout->totals = (struct xfs_totals){
		.dblocks = layout->geo.dblocks,
		.agcount = layout->geo.agcount,
		.icount = layout->chunk_count * XFS_CHUNK_INODES,
		.ifree = layout->chunk_count * XFS_CHUNK_INODES - nodes - XFS_RESERVED_INODES,
	};
	ret = finish_ags(layout);
	if (ret < 0)
		return ret;
	xfs_totals_choose_imax(&layout->totals, layout->source->free_inodes);
	return need_free(layout, layout->totals.fdblocks,
			 least_free_blocks(layout->source, &layout->totals));
}

int xfs_layout_make(struct xfs_layout *layout, const struct xfs_source *source, uint64_t dblocks,
		    enum xfs_packing packing)
{
	const struct kataimg_host *host = source->host;
	int ret;

	*layout = (struct xfs_layout){ .source = source, .packing = packing };
	ret = xfs_geometry_init(&layout->geo, &source->params, dblocks);
	if (ret < 0)
		return ret;
	ret = make(layout);
	if (ret == -EFBIG)
		host->error(host->ctx, "more extents than this program can lay out");
	return ret;
}

void xfs_layout_clear(struct xfs_layout *layout)
{
	free(layout->ags);
	free(layout->chunks);
	free(layout->places);
	array_free(&layout->extents);
	space_free(layout->space);
	*layout = (struct xfs_layout){ 0 };
}

/* What a filesystem of this geometry needs, counted without regard to place. */
static uint64_t needed_blocks(const struct xfs_source *source, const struct xfs_geometry *geo)
{
	struct xfs_totals totals = {
		.dblocks = geo->dblocks,
		.agcount = geo->agcount,
		.reserve_blocks = sum_reserves(geo),
	};
	uint64_t blocks = source->shapes.blocks;

	for (uint32_t agno = 0; agno < geo->agcount; agno++)
		blocks += xfs_ag_freelist(geo, agno);
	blocks += xfs_chunks_for(source->tree->node_count) * XFS_CHUNK_BLOCKS;
	return blocks + least_free_blocks(source, &totals);
}

uint64_t xfs_layout_least_blocks(const struct xfs_source *source)
{
	uint64_t blocks = xfs_geometry_min_blocks(&source->params);
	struct xfs_geometry geo;

	while (xfs_geometry_init(&geo, &source->params, blocks) == 0) {
		uint64_t needed = needed_blocks(source, &geo);

		if (needed <= blocks)
			break;
		blocks = needed;
	}
	return blocks;
}
