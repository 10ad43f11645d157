/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XFS_VERIFY_H
#define XFS_VERIFY_H

#include "kataimg/backend.h"

/* Is there a filesystem in the window whose parts agree? -EUCLEAN, with its message: there is
 * not. */
int xfs_verify(const struct kataimg_host *host, uint64_t window_bytes);

#endif
