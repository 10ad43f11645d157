/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata: each inode's form and size, then its place. */
#ifndef EROFS_PLACES_H
#define EROFS_PLACES_H

#include "plugins/erofs/layout.h"

/* Once attributes, equal, sparse and compressed files are known: gives every inode its layout and
 * nid; fills order, shared_off, meta_blocks and feature_incompat. */
int erofs_places_take(struct erofs_layout *layout);

#endif
