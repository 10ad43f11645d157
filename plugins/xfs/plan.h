/* SPDX-License-Identifier: Apache-2.0 */
/* Which size: the smallest that holds a tree, and what is made of a given window. */
#ifndef XFS_PLAN_H
#define XFS_PLAN_H

#include "plugins/xfs/layout.h"

/* The fewest blocks that hold the tree. -EFBIG with its message, -ENOMEM or -ECANCELED. */
int xfs_plan_least(const struct xfs_source *source, uint64_t *blocks);

/*
 * The layout of a window of at least `least` blocks, as xfs_plan_least gave it. A filesystem of
 * just this size may not exist or not hold the tree (a last AG of less than 64 blocks; a
 * reservation that grows by two blocks where the filesystem grows by one): one of the next smaller
 * ones is then taken. Files stay whole where that works.
 */
int xfs_plan_window(const struct xfs_source *source, uint64_t least, uint64_t window_blocks,
		    struct xfs_layout *layout);

#endif
