/* SPDX-License-Identifier: Apache-2.0 */
/* The backends that are in the program itself: none, but in a static one, which has no others. */
#ifndef BACKEND_BUILTIN_H
#define BACKEND_BUILTIN_H

#include "kataimg/backend.h"

/* NULL at the end. */
extern const struct kataimg_backend *const builtin_backends[];

/* What stands for the path of one. */
#define BUILTIN_PATH "built in"

/* NULL: it is not built in. */
const struct kataimg_backend *builtin_find(const char *name);

#endif
