/* SPDX-License-Identifier: Apache-2.0 */
/* Where a fork's blocks are, and the writing of those that hold metadata. */
#ifndef XFS_FORK_H
#define XFS_FORK_H

#include <assert.h>
#include <stdint.h>

#include "plugins/common/writer.h"
#include "plugins/xfs/format.h"
#include "plugins/xfs/geometry.h"

#define XFS_EXTENT_START_BITS 43
#define XFS_EXTENT_LENGTH_BITS 21
/* Extents end at multiples of 2 MiB where they can: a huge page does not straddle two. */
#define XFS_EXTENT_CUT_BLOCKS 512u
#define XFS_EXTENT_START_MAX ((UINT64_C(1) << XFS_EXTENT_START_BITS) - 1)
#define XFS_EXTENT_MAX_BLOCKS ((1u << XFS_EXTENT_LENGTH_BITS) - 1)

struct xfs_extent {
	uint64_t file_block;
	uint64_t start : XFS_EXTENT_START_BITS; /* from the start of the filesystem */
	uint64_t blocks : XFS_EXTENT_LENGTH_BITS;
};
static_assert(sizeof(struct xfs_extent) == 16, "an extent counts for every file");

/* A fork whose blocks are about to be written. */
struct xfs_fork {
	struct writer *writer;
	const struct xfs_geometry *geo;
	const uint8_t *uuid;
	uint64_t owner; /* inode number */
	const struct xfs_extent *extents;
	uint32_t extent_count;
	uint32_t cursor; /* the extent of the last block asked for */
};

/* The place of a block of the fork; it has one. Blocks asked for in ascending order are quick. */
uint64_t xfs_fork_block(struct xfs_fork *fork, uint64_t file_block);
/* Zeros to fill in, for a block of the fork, and its place. */
int xfs_fork_take(struct xfs_fork *fork, uint64_t file_block, uint8_t **bytes, uint64_t *block);

/* Fill in place, owner, UUID and checksum of a block that is otherwise finished. */
void xfs_fork_seal_dir(const struct xfs_fork *fork, uint64_t block, uint8_t *bytes);
void xfs_fork_seal_da(const struct xfs_fork *fork, uint64_t block, uint8_t *bytes);

/* The disk's form of so many mappings. */
void xfs_extents_pack(const struct xfs_geometry *geo, const struct xfs_extent *extents,
		      uint32_t count, uint8_t *to);

#endif
