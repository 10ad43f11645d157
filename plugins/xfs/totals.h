/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counts of a whole filesystem, and what statfs(2) makes of them. describe and probe share
 * this, so that they agree.
 */
#ifndef XFS_TOTALS_H
#define XFS_TOTALS_H

#include <stdint.h>

#include "kataimg/backend.h"

struct xfs_totals {
	uint64_t dblocks;
	uint64_t agcount;
	uint64_t icount, ifree; /* inodes in chunks, and the unused ones among them */
	uint64_t fdblocks;
	uint64_t btree_blocks;   /* of the free-space trees, below their roots */
	uint64_t reserve_blocks; /* that the kernel keeps for the free-inode trees */
	uint8_t imax_pct;        /* percentage of the blocks that inodes may take; 0: all */
};

/* Free blocks that the kernel hands to nobody, at any mount. */
uint64_t xfs_totals_kept_blocks(const struct xfs_totals *totals);
/* The pool that a writable mount sets aside on top: a 20th, at most 32 MiB. */
uint64_t xfs_totals_pool_blocks(const struct xfs_totals *totals);

/* The percentage that mkfs.xfs would choose, or what leaves room to double the inodes and for so
 * many free ones. */
void xfs_totals_choose_imax(struct xfs_totals *totals, uint64_t free_inodes);

/* size_bytes, block_bytes, free_bytes, inodes and free_inodes, of a writable mount. */
void xfs_totals_describe(const struct xfs_totals *totals, uint32_t block_bytes,
			 uint32_t inodes_per_block, struct kataimg_fs_info *info);

#endif
