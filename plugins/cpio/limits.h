/* SPDX-License-Identifier: Apache-2.0 */
/* What the form newc, and the kernel that unpacks it, cannot hold. */
#ifndef CPIO_LIMITS_H
#define CPIO_LIMITS_H

#include "kataimg/backend.h"

void cpio_limits_set(struct kataimg_limits *limits);

#endif
