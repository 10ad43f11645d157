/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The B+tree of a fork with more extents than its inode holds: a root in the inode, blocks below.
 * The tree's blocks are numbered from the leaves up; a list of extents, by that number, says where
 * each is.
 */
#ifndef XFS_BMBT_H
#define XFS_BMBT_H

#include "plugins/xfs/fork.h"

#define XFS_BMBT_MAX_LEVELS 5u

struct xfs_bmbt {
	const struct xfs_extent *extents;
	uint32_t extent_count;
	uint32_t levels;                     /* below the root */
	uint32_t count[XFS_BMBT_MAX_LEVELS]; /* of blocks on each level; 0 is the leaves */
};

/* fork_bytes: of the data fork in the inode. */
void xfs_bmbt_init(struct xfs_bmbt *tree, const struct xfs_extent *extents, uint32_t extent_count,
		   uint32_t fork_bytes);

uint64_t xfs_bmbt_blocks(const struct xfs_bmbt *tree);

/* The root, into zeros. places: the fork of the tree's own blocks. */
void xfs_bmbt_pack_root(const struct xfs_bmbt *tree, struct xfs_fork *places, uint32_t fork_bytes,
			uint8_t *fork);

int xfs_bmbt_write(const struct xfs_bmbt *tree, struct xfs_fork *places);

#endif
