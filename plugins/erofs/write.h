/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata of a layout, in ascending order. */
#ifndef EROFS_WRITE_H
#define EROFS_WRITE_H

#include "plugins/erofs/layout.h"

/* Into the window. */
int erofs_write_metadata(const struct erofs_layout *layout, const struct erofs_identity *identity);

#endif
