/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/plan.h"

#include <errno.h>
#include <inttypes.h>

/* No extent can name a block beyond. */
#define MAX_BLOCKS (UINT64_C(1) << XFS_EXTENT_START_BITS)
/* So many sizes below the window's are tried one by one; from there on, steps grow by an eighth. */
#define SINGLE_STEPS 128u

/* 0: the tree fits; -ENOSPC: it does not, nor in more blocks up to *small. */
static int try_size(const struct xfs_source *source, uint64_t blocks, uint64_t *small)
{
	struct xfs_layout layout;
	int ret = xfs_layout_make(&layout, source, blocks, XFS_PACK_TIGHT);

	if (ret == -ENOSPC)
		*small = blocks + (layout.missing ? layout.missing - 1 : 0);
	xfs_layout_clear(&layout);
	return ret;
}

/* Finds the boundary between a size that is too small and one that is enough. */
static int bisect(const struct xfs_source *source, uint64_t small, uint64_t enough,
		  uint64_t *blocks)
{
	while (small + 1 < enough) {
		uint64_t middle = small + (enough - small) / 2;
		int ret = try_size(source, middle, &small);

		if (ret == 0)
			enough = middle;
		else if (ret != -ENOSPC)
			return ret;
	}
	*blocks = enough;
	return 0;
}

int xfs_plan_least(const struct xfs_source *source, uint64_t *blocks)
{
	uint64_t size = xfs_layout_least_blocks(source);
	uint64_t small = size - 1;

	for (uint64_t stride = 1; size < MAX_BLOCKS; stride *= 2) {
		int ret = try_size(source, size, &small);

		if (ret == 0)
			return bisect(source, small, size, blocks);
		if (ret != -ENOSPC)
			return ret;
		size = small + stride;
	}
	source->host->error(source->host->ctx, "the tree needs more than %" PRIu64 " blocks",
			    MAX_BLOCKS);
	return -EFBIG;
}

static int try_window(const struct xfs_source *source, uint64_t blocks, struct xfs_layout *layout)
{
	int ret = xfs_layout_make(layout, source, blocks, XFS_PACK_WHOLE);

	if (ret == -ENOSPC && source->huge_blocks) {
		xfs_layout_clear(layout);
		ret = xfs_layout_make(layout, source, blocks, XFS_PACK_TIGHT);
	}
	if (ret < 0)
		xfs_layout_clear(layout);
	return ret;
}

/* With hundreds of AGs, thousands of sizes in a row may not exist. */
static uint64_t next_step(uint64_t below)
{
	return below < SINGLE_STEPS ? below + 1 : below + below / 8;
}

int xfs_plan_window(const struct xfs_source *source, uint64_t least, uint64_t window_blocks,
		    struct xfs_layout *layout)
{
	uint64_t most = window_blocks - least;
	int ret = -ENOSPC;

	for (uint64_t below = 0; ret == -ENOSPC && below < most; below = next_step(below))
		ret = try_window(source, window_blocks - below, layout);
	return ret == -ENOSPC ? try_window(source, least, layout) : ret;
}
