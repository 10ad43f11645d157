/* SPDX-License-Identifier: Apache-2.0 */
/* From a layout to the window: every metadata block once, and a place for every extent of a file.
 */
#ifndef XFS_WRITE_H
#define XFS_WRITE_H

#include "plugins/xfs/layout.h"
#include "plugins/xfs/super.h"

int xfs_write(const struct xfs_layout *layout, const struct xfs_identity *identity);

#endif
