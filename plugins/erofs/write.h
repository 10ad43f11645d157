/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata, from a finished layout into the window, in ascending order. */
#ifndef EROFS_WRITE_H
#define EROFS_WRITE_H

#include "plugins/erofs/erofs.h"

int erofs_write_metadata(const struct erofs *fs);

#endif
