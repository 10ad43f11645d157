/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/totals.h"

#include "lib/round.h"
#include "plugins/xfs/format.h"
#include "plugins/xfs/geometry.h"

#define POOL_MAX_BLOCKS 8192u

#define TERABYTE_BLOCKS (UINT64_C(1) << (40 - XFS_BLOCK_LOG))

uint64_t xfs_totals_kept_blocks(const struct xfs_totals *totals)
{
	return XFS_SET_ASIDE_BLOCKS * totals->agcount + totals->btree_blocks +
	       totals->reserve_blocks;
}

uint64_t xfs_totals_pool_blocks(const struct xfs_totals *totals)
{
	uint64_t blocks = totals->dblocks / 20;

	return blocks < POOL_MAX_BLOCKS ? blocks : POOL_MAX_BLOCKS;
}

static uint8_t usual_percentage(uint64_t dblocks)
{
	if (dblocks < TERABYTE_BLOCKS)
		return 25;
	return dblocks < 50 * TERABYTE_BLOCKS ? 5 : 1;
}

void xfs_totals_choose_imax(struct xfs_totals *totals, uint64_t free_inodes)
{
	uint64_t used = totals->icount - totals->ifree;
	uint64_t inodes = used > free_inodes ? 2 * used : used + free_inodes;
	uint64_t blocks = round_up(div_up(inodes, XFS_INODES_PER_BLOCK), XFS_CHUNK_BLOCKS);
	uint64_t percent = div_up(blocks * 100, totals->dblocks);

	totals->imax_pct = usual_percentage(totals->dblocks);
	if (percent > totals->imax_pct)
		totals->imax_pct = (uint8_t)(percent < 100 ? percent : 0);
}

/* As statfs counts: unused inodes, and those that free blocks could become. */
static uint64_t possible_inodes(const struct xfs_totals *totals, uint32_t inodes_per_block,
				uint64_t free_blocks)
{
	uint64_t chunk_blocks = div_up(XFS_CHUNK_INODES, inodes_per_block);
	uint64_t inodes = totals->icount + free_blocks * inodes_per_block;
	uint64_t most = totals->dblocks * totals->imax_pct / 100;

	most = (most - most % chunk_blocks) * inodes_per_block;
	if (totals->imax_pct && inodes > most)
		inodes = most;
	return inodes > totals->icount ? inodes : totals->icount;
}

void xfs_totals_describe(const struct xfs_totals *totals, uint32_t block_bytes,
			 uint32_t inodes_per_block, struct kataimg_fs_info *info)
{
	uint64_t kept = xfs_totals_kept_blocks(totals) + xfs_totals_pool_blocks(totals);
	uint64_t free_blocks = totals->fdblocks > kept ? totals->fdblocks - kept : 0;

	info->size_bytes = totals->dblocks * block_bytes;
	info->block_bytes = block_bytes;
	info->free_bytes = free_blocks * block_bytes;
	info->inodes = possible_inodes(totals, inodes_per_block, free_blocks);
	info->free_inodes = info->inodes - (totals->icount - totals->ifree);
}
