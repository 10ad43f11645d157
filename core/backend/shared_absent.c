/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of shared.c in a static program. */
#include "core/backend/shared.h"

const bool shared_supported = false;

int shared_open(const char *path, const struct kataimg_backend **table, struct error *error)
{
	(void)table;
	return error_usage(error,
			   "the backend %s cannot be loaded: this kataimg is static, and has just "
			   "those that are built in, which go by their names",
			   path);
}
