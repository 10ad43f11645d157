/* SPDX-License-Identifier: Apache-2.0 */
/* An open backend. */
#ifndef XFS_STATE_H
#define XFS_STATE_H

#include "kataimg/backend.h"
#include "plugins/xfs/layout.h"
#include "plugins/xfs/super.h"

struct xfs_state {
	const struct kataimg_host *host;
	const struct kataimg_job *job;
	struct xfs_params params;
	struct xfs_identity identity;
	/* From plan on. */
	struct xfs_shape *shapes;
	struct xfs_source source;
	uint64_t least_blocks;
	/* Of the last window asked for. */
	struct xfs_layout layout;
	uint64_t layout_blocks; /* 0: none yet */
};

#define XFS_OPTION_COUNT 6
extern const struct kataimg_option xfs_options[XFS_OPTION_COUNT];

/* Reads options into params and identity. -EINVAL, with its message. */
int xfs_options_read(struct xfs_state *state, const struct kataimg_value *values);

/* The finished window against the layout. */
int xfs_verify(const struct xfs_layout *layout, const struct xfs_identity *identity);

/* kataimg_backend.probe */
int xfs_probe(const struct kataimg_host *host, uint64_t window_bytes, struct kataimg_fs_info *info);

#endif
