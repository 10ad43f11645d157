/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a filesystem of a given size is cut into allocation groups (AGs), and where each AG keeps its
 * fixed blocks. Pure arithmetic. Blocks count from the start of the filesystem unless a name says
 * agbno.
 */
#ifndef XFS_GEOMETRY_H
#define XFS_GEOMETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "plugins/xfs/format.h"

/* What kernel and xfs_repair accept. */
#define XFS_AG_MIN_BLOCKS 4096u
#define XFS_AG_MAX_BLOCKS ((1u << 28) - 512) /* 1 TiB less 2 MiB */
#define XFS_LAST_AG_MIN_BLOCKS 64u
#define XFS_AG_MAX_COUNT 1024u /* our own: what the option agcount may ask for */
/* The kernel asks for up to 917 blocks (1596 with sectors of 4096 bytes), more for larger AGs. */
#define XFS_LOG_MIN_BLOCKS 1024u
#define XFS_LOG_MIN_BLOCKS_4K 2048u
#define XFS_LOG_MAX_BLOCKS (((UINT64_C(1) << 31) - (10u << 20)) / XFS_BLOCK_BYTES - 1)

/* Blocks of the free list that every AG starts with. */
#define XFS_AGFL_BLOCKS 4u
/* What the kernel never hands out: blocks for each AG (XFS_ALLOC_SET_ASIDE). */
#define XFS_SET_ASIDE_BLOCKS 8u
/* What xfs_repair reserves when it visits a short directory; with fewer blocks free it gives up in
 * the middle of its work. */
#define XFS_REPAIR_BLOCKS 28u

/* Chosen before the size is known. */
struct xfs_params {
	uint32_t sector_bytes; /* 512 or 4096 */
	uint32_t log_blocks;
	uint32_t agcount; /* of equal size; 0: one large AG and the shortest second one */
	bool modern;      /* bigtime and inobtcount */
};

struct xfs_geometry {
	struct xfs_params params;
	uint64_t dblocks;
	uint32_t agblocks;
	uint32_t agcount;
	uint32_t log_ag;
	uint8_t agblklog;
};

/*
 * -ENOSPC: no filesystem has this size. The shape: without params.agcount, AGs are as large as can
 * be and the last one takes what remains, but two there are (xfs_repair wants two) and the last
 * then has 64 blocks (71 at most: AGs are multiples of an inode chunk). The log is in AG 0. With
 * params.agcount, AGs are of equal size and the log is in the middle one, as mkfs.xfs does it.
 */
int xfs_geometry_init(struct xfs_geometry *geo, const struct xfs_params *params, uint64_t dblocks);

uint64_t xfs_geometry_min_blocks(const struct xfs_params *params);

uint32_t xfs_ag_length(const struct xfs_geometry *geo, uint32_t agno);
uint32_t xfs_ag_log_blocks(const struct xfs_geometry *geo, uint32_t agno);

/* Fixed blocks, as agbno. The header is a block (4 blocks with sectors of 4096 bytes); the roots
 * of the four B+trees follow; then the log, in its AG; then the free list. */
uint32_t xfs_ag_root(const struct xfs_geometry *geo, uint32_t tree);
uint32_t xfs_ag_log_start(const struct xfs_geometry *geo);
uint32_t xfs_ag_freelist(const struct xfs_geometry *geo, uint32_t agno);
/* The first block behind the fixed ones, and the first place for an inode chunk. xfs_repair
 * expects the root inode in the first chunk of AG 0. */
uint32_t xfs_ag_first_free(const struct xfs_geometry *geo, uint32_t agno);
uint32_t xfs_ag_first_chunk(const struct xfs_geometry *geo, uint32_t agno);

/*
 * What the kernel keeps free in an AG, at every mount, for the largest free-inode tree that the AG
 * could come to have, beyond the blocks that the tree has now: the sum over its levels, with
 * records and keys at half fill.
 */
uint64_t xfs_finobt_reserve(uint32_t length, uint32_t log_blocks, uint32_t finobt_blocks);

uint64_t xfs_fsbno(const struct xfs_geometry *geo, uint64_t block);
uint64_t xfs_inode_number(const struct xfs_geometry *geo, uint32_t agno, uint32_t agbno);

static inline uint64_t xfs_ag_start(const struct xfs_geometry *geo, uint32_t agno)
{
	return (uint64_t)agno * geo->agblocks;
}

static inline uint64_t xfs_daddr(uint64_t block)
{
	return block * XFS_BASIC_BLOCKS;
}

/* Where part number `part` begins when count things are dealt evenly to so many parts; below 2^32
 * each. */
static inline uint64_t xfs_part_begin(uint64_t count, uint64_t parts, uint64_t part)
{
	return count * part / parts;
}

#endif
