/* SPDX-License-Identifier: Apache-2.0 */
/* What a layout is made of: options and job from open on, tree and shapes from plan on. It is the
 * same for every size. */
#ifndef XFS_SOURCE_H
#define XFS_SOURCE_H

#include "kataimg/backend.h"
#include "plugins/xfs/geometry.h"
#include "plugins/xfs/shape.h"

struct xfs_source {
	const struct kataimg_host *host;
	struct xfs_params params;
	uint64_t huge_blocks;   /* 0: no alignment */
	uint64_t window_blocks; /* where the window starts in the image */
	uint64_t free_blocks;   /* that an unprivileged writer shall have; 0: none asked for */
	uint64_t free_inodes;
	const struct kataimg_tree *tree;
	struct xfs_shapes shapes;
};

#endif
