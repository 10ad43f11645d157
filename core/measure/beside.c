/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure/beside.h"

#include <stdio.h>
#include <string.h>

#define RAW ".raw"

char *beside_path(const char *image, const char *suffix)
{
	size_t len = strlen(image), raw = strlen(RAW);
	char *path;

	if (len > raw && strcmp(image + len - raw, RAW) == 0)
		len -= raw;
	return asprintf(&path, "%.*s%s", (int)len, image, suffix) < 0 ? NULL : path;
}
