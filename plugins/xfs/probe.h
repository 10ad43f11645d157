/* SPDX-License-Identifier: Apache-2.0 */
/* Finished filesystems, whoever made them. */
#ifndef XFS_PROBE_H
#define XFS_PROBE_H

#include "kataimg/backend.h"
#include "plugins/xfs/super.h"

struct xfs_found {
	struct xfs_superblock super;
	struct xfs_totals totals; /* as the superblock has them; what it does not say is the AGs' */
	/* What the AGs' headers add up to. */
	uint64_t free_blocks, inodes, free_inodes;
};

/* -ENODATA: there is none; -EUCLEAN, with its message: it is broken; or another error. */
int xfs_probe_read(const struct kataimg_host *host, uint64_t window_bytes, struct xfs_found *found);

/* -EOPNOTSUPP when data or the log is on another device, with a message that says which. */
int xfs_devices_check(const struct kataimg_host *host, const struct xfs_superblock *super);

/* kataimg_backend.probe */
int xfs_probe(const struct kataimg_host *host, uint64_t window_bytes, struct kataimg_fs_info *info);

#endif
