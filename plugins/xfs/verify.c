/* SPDX-License-Identifier: Apache-2.0 */
/*
 * That every byte is as it was written, the core has seen. What it cannot see is whether what was
 * written makes sense: the superblock's counts come from the whole, those of the AGs' headers from
 * each AG's free space and inodes.
 */
#include "plugins/xfs/verify.h"

#include <errno.h>
#include <inttypes.h>

#include "plugins/xfs/probe.h"

static int compare_sums(const struct kataimg_host *host, const char *what, uint64_t superblock,
			uint64_t ags)
{
	if (superblock == ags)
		return 0;
	host->error(host->ctx,
		    "the superblock counts %" PRIu64 " %s, the allocation groups %" PRIu64,
		    superblock, what, ags);
	return -EUCLEAN;
}

int xfs_verify(const struct kataimg_host *host, uint64_t window_bytes)
{
	struct xfs_found found;
	int ret = xfs_probe_read(host, window_bytes, &found);

	if (ret == -ENODATA) {
		host->error(host->ctx, "the window has no superblock");
		return -EUCLEAN;
	}
	if (ret < 0)
		return ret;
	ret = compare_sums(host, "free blocks", found.totals.fdblocks, found.free_blocks);
	if (ret < 0)
		return ret;
	ret = compare_sums(host, "inodes", found.totals.icount, found.inodes);
	if (ret < 0)
		return ret;
	return compare_sums(host, "unused inodes", found.totals.ifree, found.free_inodes);
}
