/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash trees over the leaves of a directory or of an attribute fork. A single leaf is the root
 * itself and has no tree. Otherwise the root node is at the tree's base block, the leaves follow,
 * then the levels between.
 */
#ifndef XFS_DA_H
#define XFS_DA_H

#include <stdint.h>

#include "plugins/xfs/format.h"

#define XFS_DA_MAX_LEVELS 5u

struct xfs_da_tree {
	uint64_t base;                     /* in the fork, in blocks */
	const uint32_t *last_hash;         /* of each leaf; the caller's */
	uint32_t levels;                   /* of nodes above the leaves */
	uint32_t count[XFS_DA_MAX_LEVELS]; /* of blocks on each level; 0 is the leaves */
};

void xfs_da_init(struct xfs_da_tree *tree, uint64_t base, uint32_t leaves,
		 const uint32_t *last_hash);

/* Blocks of leaves and nodes together. */
uint64_t xfs_da_blocks(uint32_t leaves);

/* Place in the fork of block `index` of a level. */
uint64_t xfs_da_address(const struct xfs_da_tree *tree, uint32_t level, uint32_t index);

/* Links a block, whose links are 0, with its neighbours on the level. */
void xfs_da_link(const struct xfs_da_tree *tree, uint32_t level, uint32_t index, uint8_t *block);

/* The node `index` of a level above 0, into zeros: all but blkno, owner, uuid and crc. */
void xfs_da_pack_node(const struct xfs_da_tree *tree, uint32_t level, uint32_t index,
		      uint8_t *block);

#endif
