/* SPDX-License-Identifier: Apache-2.0 */
/* A symbolic link whose target does not fit its inode: one block. */
#ifndef XFS_SYMLINK_H
#define XFS_SYMLINK_H

#include "kataimg/backend.h"
#include "plugins/xfs/fork.h"

#define XFS_SYMLINK_MAX_BYTES 1023u

int xfs_symlink_write(struct xfs_fork *fork, const struct kataimg_node *node);

#endif
