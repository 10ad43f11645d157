/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CPIO_WRITE_H
#define CPIO_WRITE_H

#include "plugins/cpio/cpio.h"

/* The whole archive, with its trailer. What follows stays zeros. */
int cpio_write_archive(const struct cpio *cpio);

#endif
