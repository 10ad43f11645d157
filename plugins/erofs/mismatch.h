/* SPDX-License-Identifier: Apache-2.0 */
/* Says what of a finished window is not what was written. All return -EUCLEAN. */
#ifndef EROFS_MISMATCH_H
#define EROFS_MISMATCH_H

#include "plugins/erofs/layout.h"

int erofs_mismatch_of(const struct erofs_layout *layout, const struct kataimg_node *node,
		      const char *what);

/* Of the byte of the metadata at off, which belongs to some object. */
int erofs_mismatch_at(const struct erofs_layout *layout, uint64_t off);

#endif
