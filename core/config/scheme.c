/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/scheme.h"

#include <string.h>

static const char *const prefixes[] = {
	[SOURCE_OCI] = "oci:",
	[SOURCE_OCI_ARCHIVE] = "oci-archive:",
	[SOURCE_DOCKER_ARCHIVE] = "docker-archive:",
};

#define SCHEMES (sizeof(prefixes) / sizeof(prefixes[0]))

enum source_scheme source_scheme_of(const char *source, size_t *len)
{
	for (size_t i = SOURCE_PATH + 1; i < SCHEMES; i++) {
		*len = strlen(prefixes[i]);
		if (strncmp(source, prefixes[i], *len) == 0)
			return (enum source_scheme)i;
	}
	*len = 0;
	return SOURCE_PATH;
}
