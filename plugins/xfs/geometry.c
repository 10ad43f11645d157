/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/geometry.h"

#include <errno.h>

#include "lib/round.h"

#define AG_TREES 4u
/* The fewest records, and keys, in a block of an inode tree. */
#define INOBT_MIN_RECORDS 126u
#define INOBT_MIN_KEYS 252u

static uint32_t header_blocks(const struct xfs_params *params)
{
	return (uint32_t)div_up(4 * params->sector_bytes, XFS_BLOCK_BYTES);
}

static int choose_equal_ags(struct xfs_geometry *geo)
{
	uint64_t least = div_up(geo->dblocks, XFS_AG_MAX_BLOCKS);
	uint64_t count = geo->params.agcount > least ? geo->params.agcount : least;

	geo->agblocks = (uint32_t)round_up(div_up(geo->dblocks, count), XFS_CHUNK_BLOCKS);
	geo->agcount = (uint32_t)div_up(geo->dblocks, geo->agblocks);
	geo->log_ag = geo->agcount / 2;
	return count == geo->agcount ? 0 : -ENOSPC;
}

static int choose_large_ags(struct xfs_geometry *geo)
{
	uint64_t first = geo->dblocks - XFS_LAST_AG_MIN_BLOCKS;

	if (geo->dblocks < XFS_LAST_AG_MIN_BLOCKS)
		return -ENOSPC;
	geo->agblocks = XFS_AG_MAX_BLOCKS;
	if (first < XFS_AG_MAX_BLOCKS)
		geo->agblocks = (uint32_t)(first - first % XFS_CHUNK_BLOCKS);
	if (geo->agblocks == 0)
		return -ENOSPC;
	geo->agcount = (uint32_t)div_up(geo->dblocks, geo->agblocks);
	geo->log_ag = 0;
	return 0;
}

static uint8_t log2_up(uint32_t value)
{
	uint8_t log = 0;

	while ((UINT64_C(1) << log) < value)
		log++;
	return log;
}

int xfs_geometry_init(struct xfs_geometry *geo, const struct xfs_params *params, uint64_t dblocks)
{
	int ret;

	*geo = (struct xfs_geometry){ .params = *params, .dblocks = dblocks };
	ret = params->agcount ? choose_equal_ags(geo) : choose_large_ags(geo);
	if (ret < 0)
		return ret;
	geo->agblklog = log2_up(geo->agblocks);
	if (geo->agblocks < XFS_AG_MIN_BLOCKS || geo->agcount < 2 ||
	    xfs_ag_length(geo, geo->agcount - 1) < XFS_LAST_AG_MIN_BLOCKS ||
	    xfs_ag_length(geo, geo->log_ag) < xfs_ag_first_free(geo, geo->log_ag) ||
	    xfs_ag_length(geo, 0) < xfs_ag_first_chunk(geo, 0) + XFS_CHUNK_BLOCKS)
		return -ENOSPC;
	return 0;
}

uint64_t xfs_geometry_min_blocks(const struct xfs_params *params)
{
	uint64_t count = params->agcount ? params->agcount : 2;

	return (count - 1) * XFS_AG_MIN_BLOCKS + XFS_LAST_AG_MIN_BLOCKS;
}

uint32_t xfs_ag_length(const struct xfs_geometry *geo, uint32_t agno)
{
	uint64_t rest = geo->dblocks - xfs_ag_start(geo, agno);

	return rest < geo->agblocks ? (uint32_t)rest : geo->agblocks;
}

uint32_t xfs_ag_log_blocks(const struct xfs_geometry *geo, uint32_t agno)
{
	return agno == geo->log_ag ? geo->params.log_blocks : 0;
}

uint32_t xfs_ag_root(const struct xfs_geometry *geo, uint32_t tree)
{
	return header_blocks(&geo->params) + tree;
}

uint32_t xfs_ag_log_start(const struct xfs_geometry *geo)
{
	return xfs_ag_root(geo, AG_TREES);
}

uint32_t xfs_ag_freelist(const struct xfs_geometry *geo, uint32_t agno)
{
	return xfs_ag_root(geo, AG_TREES) + xfs_ag_log_blocks(geo, agno);
}

uint32_t xfs_ag_first_free(const struct xfs_geometry *geo, uint32_t agno)
{
	return xfs_ag_freelist(geo, agno) + XFS_AGFL_BLOCKS;
}

uint32_t xfs_ag_first_chunk(const struct xfs_geometry *geo, uint32_t agno)
{
	return (uint32_t)round_up(xfs_ag_first_free(geo, agno), XFS_CHUNK_BLOCKS);
}

uint64_t xfs_finobt_reserve(uint32_t length, uint32_t log_blocks, uint32_t finobt_blocks)
{
	uint64_t records =
		(uint64_t)(length - log_blocks) * XFS_INODES_PER_BLOCK / XFS_CHUNK_INODES;
	uint64_t least = INOBT_MIN_RECORDS;
	uint64_t blocks = 0;

	while (records > 1) {
		records = div_up(records, least);
		blocks += records;
		least = INOBT_MIN_KEYS;
	}
	return blocks > finobt_blocks ? blocks - finobt_blocks : 0;
}

uint64_t xfs_fsbno(const struct xfs_geometry *geo, uint64_t block)
{
	return block / geo->agblocks << geo->agblklog | block % geo->agblocks;
}

uint64_t xfs_inode_number(const struct xfs_geometry *geo, uint32_t agno, uint32_t agbno)
{
	return ((uint64_t)agno << geo->agblklog | agbno) * XFS_INODES_PER_BLOCK;
}
