/* SPDX-License-Identifier: Apache-2.0 */
/* What EROFS cannot store: kataimg_backend's limits and check. */
#ifndef EROFS_LIMITS_H
#define EROFS_LIMITS_H

#include "kataimg/backend.h"

void erofs_limits_set(struct kataimg_limits *limits);
int erofs_limits_check(const struct kataimg_node *node, char *reason, size_t reason_size);

#endif
