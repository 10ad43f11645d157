/* SPDX-License-Identifier: Apache-2.0 */
/* The superblock, which every AG has a copy of. */
#ifndef XFS_SUPER_H
#define XFS_SUPER_H

#include "plugins/xfs/format.h"
#include "plugins/xfs/geometry.h"
#include "plugins/xfs/totals.h"

/* What identifies a filesystem. */
struct xfs_identity {
	uint8_t uuid[16];
	char label[XFS_LABEL_BYTES]; /* padded with zeros */
};

/* All but the checksum. */
struct xfs_superblock xfs_super_make(const struct xfs_geometry *geo,
				     const struct xfs_identity *identity,
				     const struct xfs_totals *totals);

/* Sealed, into zeros of a sector. */
void xfs_super_pack(const struct xfs_geometry *geo, const struct xfs_identity *identity,
		    const struct xfs_totals *totals, uint8_t *bytes);

/* Feature names, the oldest kernel, UUID and label of any XFS superblock. */
void xfs_super_describe(const struct xfs_superblock *super, struct kataimg_fs_info *info);

#endif
