/* SPDX-License-Identifier: Apache-2.0 */
/* What XFS cannot store, and why. */
#ifndef XFS_LIMITS_H
#define XFS_LIMITS_H

#include "kataimg/backend.h"
#include "plugins/xfs/geometry.h"

void xfs_limits_fill(const struct xfs_params *params, struct kataimg_limits *limits);

/* kataimg_backend.check */
int xfs_limits_check(const struct kataimg_node *node, char *reason, size_t reason_size);

#endif
