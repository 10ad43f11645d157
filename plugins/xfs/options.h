/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the backend. */
#ifndef XFS_OPTIONS_H
#define XFS_OPTIONS_H

#include "kataimg/backend.h"
#include "plugins/xfs/geometry.h"
#include "plugins/xfs/super.h"

#define XFS_OPTION_COUNT 6
extern const struct kataimg_option xfs_option_table[XFS_OPTION_COUNT];

struct xfs_options {
	struct xfs_params params;
	struct xfs_identity identity;
};

/* All that are wrong are refused in one go; the first error is the result: -EINVAL. */
int xfs_options_read(const struct kataimg_host *host, const struct kataimg_job *job,
		     const struct kataimg_value *values, struct xfs_options *options);

#endif
