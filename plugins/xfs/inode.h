/* SPDX-License-Identifier: Apache-2.0 */
/* Inodes as they are on disk: 512 bytes, core and both forks. */
#ifndef XFS_INODE_H
#define XFS_INODE_H

#include "plugins/xfs/layout.h"

#define XFS_TIME_MIN INT64_C(-2147483648)
#define XFS_TIME_MAX INT64_C(2147483647)
#define XFS_BIGTIME_MAX INT64_C(16299260424)

/* 14 bits on disk, of which the kernel reads 9. */
#define XFS_DEVICE_MAX_MAJOR ((1u << 9) - 1)
#define XFS_DEVICE_MAX_MINOR ((1u << 18) - 1)

struct xfs_inode_job {
	const struct xfs_layout *layout;
	const uint8_t *uuid;
};

/* All pack into zeros. */
void xfs_inode_pack_free(const struct xfs_inode_job *job, uint64_t number, uint8_t *bytes);
/* The realtime section's bitmap (slot 1) or summary (slot 2); both empty, as old as the root. */
void xfs_inode_pack_realtime(const struct xfs_inode_job *job, uint32_t slot, uint8_t *bytes);
void xfs_inode_pack(const struct xfs_inode_job *job, const struct kataimg_node *node,
		    uint8_t *bytes);

/* The disk's form of a point in time. */
uint64_t xfs_time_pack(int64_t sec, uint32_t nsec, bool bigtime);

#endif
