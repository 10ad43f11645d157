/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An open backend, and its parts:
 *
 *   options, limits           what is asked for, what cannot be stored
 *   source, shape, attr, dir  each inode's forks, for any size
 *   plan, layout*, agspace    which size, and where everything goes
 *   super, ag, inode, ...     bytes
 *   write, verify, probe      the window
 *   read, read_*              what is in a finished one: see read.h
 */
#ifndef XFS_XFS_H
#define XFS_XFS_H

#include "plugins/xfs/layout.h"
#include "plugins/xfs/options.h"

struct xfs {
	const struct kataimg_host *host;
	const struct kataimg_job *job;
	struct xfs_options options;
	/* From plan on. */
	struct xfs_source source;
	uint64_t least_blocks;
	/* Of the last window asked for. */
	struct xfs_layout layout;
	uint64_t layout_blocks; /* 0: none yet */
};

#endif
