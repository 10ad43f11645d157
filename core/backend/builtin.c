/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/builtin.h"

#include <string.h>

/* BUILTINS, from the build: BUILTIN(name) of each. */
#define BUILTIN(name) extern const struct kataimg_backend kataimg_##name##_backend;
BUILTINS
#undef BUILTIN

#define BUILTIN(name) &kataimg_##name##_backend,
const struct kataimg_backend *const builtin_backends[] = { BUILTINS NULL };
#undef BUILTIN

const struct kataimg_backend *builtin_find(const char *name)
{
	for (size_t i = 0; builtin_backends[i]; i++)
		if (strcmp(builtin_backends[i]->name, name) == 0)
			return builtin_backends[i];
	return NULL;
}
