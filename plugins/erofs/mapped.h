/* SPDX-License-Identifier: Apache-2.0 */
/* Which files a guest is to map: these lie plain, in whole blocks. */
#ifndef EROFS_MAPPED_H
#define EROFS_MAPPED_H

#include <stdbool.h>

#include "plugins/erofs/source.h"

/* Of a regular file of the tree. */
bool erofs_is_mapped(const struct erofs_source *source, const struct kataimg_node *node);

#endif
