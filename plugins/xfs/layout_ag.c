/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "lib/calloc64.h"
#include "plugins/xfs/btree.h"
#include "plugins/xfs/layout.h"

static uint32_t inobt_blocks(uint32_t chunks)
{
	struct xfs_btree tree;

	xfs_btree_init(&tree, &xfs_inobt, chunks);
	return xfs_btree_blocks(&tree);
}

/* The AG's part of the free-inode reservation that its free list does not cover. */
static uint32_t hold_blocks(const struct xfs_geometry *geo, uint32_t agno)
{
	uint64_t reserve =
		xfs_finobt_reserve(xfs_ag_length(geo, agno), xfs_ag_log_blocks(geo, agno), 1);

	return reserve > XFS_AGFL_BLOCKS ? (uint32_t)reserve - XFS_AGFL_BLOCKS : 0;
}

/* Fills one AG with chunks of inodes, and their tree, before the next one gets any. */
static void place_chunks(const struct xfs_geometry *geo, uint32_t agno, uint64_t wanted,
			 struct xfs_ag *ag)
{
	uint32_t end = ag->length - ag->hold_blocks;
	uint32_t room;

	ag->chunk_start = xfs_ag_first_chunk(geo, agno);
	room = end > ag->chunk_start ? end - ag->chunk_start : 0;
	ag->chunks = room / XFS_CHUNK_BLOCKS;
	if (ag->chunks > wanted)
		ag->chunks = (uint32_t)wanted;
	while (ag->chunks * XFS_CHUNK_BLOCKS + inobt_blocks(ag->chunks) > room)
		ag->chunks--;
	ag->inobt_blocks = inobt_blocks(ag->chunks);
	ag->inobt_start = ag->chunk_start + ag->chunks * XFS_CHUNK_BLOCKS;
}

static int add_run(struct xfs_layout *layout, uint32_t agno, uint32_t start, uint32_t end)
{
	if (start >= end)
		return 0;
	return space_add(layout->space, xfs_ag_start(&layout->geo, agno) + start, end - start);
}

static int add_free_runs(struct xfs_layout *layout, uint32_t agno)
{
	const struct xfs_ag *ag = &layout->ags[agno];
	uint32_t first = xfs_ag_first_free(&layout->geo, agno);
	uint32_t end = ag->length - ag->hold_blocks;
	int ret;

	if (ag->chunks == 0)
		return add_run(layout, agno, first, end);
	ret = add_run(layout, agno, first, ag->chunk_start);
	return ret < 0 ? ret : add_run(layout, agno, ag->inobt_start + ag->inobt_blocks, end);
}

static void number_chunks(struct xfs_layout *layout, uint32_t agno, uint64_t first)
{
	const struct xfs_ag *ag = &layout->ags[agno];

	for (uint32_t i = 0; i < ag->chunks; i++)
		layout->chunks[first + i] = (uint32_t)xfs_inode_number(
			&layout->geo, agno, ag->chunk_start + i * XFS_CHUNK_BLOCKS);
}

static int init_ag(struct xfs_layout *layout, uint32_t agno, uint64_t *numbered)
{
	const struct xfs_geometry *geo = &layout->geo;
	struct xfs_ag *ag = &layout->ags[agno];

	ag->length = xfs_ag_length(geo, agno);
	ag->hold_blocks = hold_blocks(geo, agno);
	if (ag->length < xfs_ag_first_free(geo, agno) + ag->hold_blocks)
		return -ENOSPC;
	place_chunks(geo, agno, layout->chunk_count - *numbered, ag);
	number_chunks(layout, agno, *numbered);
	*numbered += ag->chunks;
	return add_free_runs(layout, agno);
}

int xfs_layout_init_ags(struct xfs_layout *layout)
{
	uint64_t numbered = 0;
	int ret = 0;

	layout->chunk_count = xfs_chunks_for(layout->source->tree->node_count);
	layout->ags = calloc64(layout->geo.agcount, sizeof(*layout->ags));
	layout->chunks = calloc64(layout->chunk_count, sizeof(*layout->chunks));
	layout->space = space_new();
	if (!layout->ags || !layout->chunks || !layout->space)
		return -ENOMEM;
	for (uint32_t agno = 0; ret == 0 && agno < layout->geo.agcount; agno++)
		ret = init_ag(layout, agno, &numbered);
	if (ret == 0 && numbered < layout->chunk_count)
		return -ENOSPC;
	return ret;
}
