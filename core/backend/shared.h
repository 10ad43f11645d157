/* SPDX-License-Identifier: Apache-2.0 */
/* Backends that are files: shared objects. */
#ifndef BACKEND_SHARED_H
#define BACKEND_SHARED_H

#include <stdbool.h>

#include "core/base/error.h"
#include "kataimg/backend.h"

/* Whether this program can load any. */
extern const bool shared_supported;

/*
 * Loads the file, if backend/trust.h has nothing against it, and finds its table, which nobody has
 * checked. It stays loaded until the process ends. Errors: kind ERROR_USAGE when it may not be
 * loaded, or is no backend.
 */
int shared_open(const char *path, const struct kataimg_backend **table, struct error *error);

#endif
