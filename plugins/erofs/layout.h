/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata's layout: each inode's form and size, then its place. */
#ifndef EROFS_LAYOUT_H
#define EROFS_LAYOUT_H

#include "plugins/erofs/erofs.h"

/* Fills what is open in fs->inodes, but for block numbers, after xattrs, equal files and compressed
 * ones are known; then fs->order, shared_off, meta_blocks and feature_incompat. */
int erofs_layout_plan(struct erofs *fs);

#endif
