/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata of a finished layout, in ascending order. */
#ifndef EROFS_WRITE_H
#define EROFS_WRITE_H

#include "plugins/erofs/erofs.h"

/* Into the window. */
int erofs_write_metadata(const struct erofs *fs);
/* Against the window: -EBADMSG, with the object that is not what was written. */
int erofs_compare_metadata(const struct erofs *fs);

#endif
