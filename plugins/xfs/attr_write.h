/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes that do not stay in the inode: leaves, their tree, and blocks of large values. */
#ifndef XFS_ATTR_WRITE_H
#define XFS_ATTR_WRITE_H

#include "plugins/xfs/attr.h"
#include "plugins/xfs/fork.h"

/*
 * Packs entries [first, end) of a sorted list into a leaf, into zeros: all but links, blkno, owner,
 * uuid and crc. Values that are not local get blocks of the fork from *value_block on, which moves.
 */
void xfs_attr_pack_leaf(const struct xfs_attrs *attrs, uint32_t first, uint32_t end,
			uint64_t *value_block, uint8_t *bytes);

/* Writes the fork of a sorted list. -ENOMEM, or what writing returned. */
int xfs_attrs_write(struct xfs_fork *fork, const struct xfs_attrs *attrs);

#endif
