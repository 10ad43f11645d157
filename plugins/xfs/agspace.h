/* SPDX-License-Identifier: Apache-2.0 */
/* The free space of one AG as its B+trees describe it, after these trees took their own blocks. */
#ifndef XFS_AGSPACE_H
#define XFS_AGSPACE_H

#include <stdint.h>

#include "lib/array.h"
#include "plugins/xfs/layout.h"

struct xfs_run {
	uint32_t start, blocks; /* agbno */
};

/* Zero-initialised; used again for the next AG. */
struct xfs_agspace {
	ARRAY(struct xfs_run) runs; /* ascending */
	ARRAY(uint32_t) taken; /* blocks for the trees and then for the free list, descending */
	uint32_t btree_blocks; /* of both trees below their roots, half of them each; what else was
				  taken is the free list's */
	/* How far the walk over the space has come, and the run that is the next AG's. */
	uint64_t cursor, pending_start, pending_blocks;
};

/* Collects the runs of AG agno; AGs come in order, from 0. -ENOMEM. */
int xfs_agspace_collect(struct xfs_agspace *agspace, const struct xfs_layout *layout,
			uint32_t agno);
void xfs_agspace_clear(struct xfs_agspace *agspace);

uint32_t xfs_agspace_free_blocks(const struct xfs_agspace *agspace);
uint32_t xfs_agspace_longest(const struct xfs_agspace *agspace);

#endif
