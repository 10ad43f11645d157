/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File data, and directories' and long links' whole blocks: block numbers in plan, promises in
 * write. With huge pages asked for, what can be mapped by them comes first, at the phase that the
 * image gives it; the rest fills the gaps, by falling size.
 */
#ifndef EROFS_DATA_H
#define EROFS_DATA_H

#include "plugins/erofs/layout.h"

/* Fills start blocks and blocks of a layout whose metadata has its places. -EFBIG: more blocks than
 * EROFS can number. */
int erofs_data_assign(struct erofs_layout *layout);

/* Places every file's data. */
int erofs_data_place(const struct erofs_layout *layout);

#endif
