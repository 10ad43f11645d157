/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/pathname.h"

#include <string.h>

bool pathname_plain(const char *path, char *plain, size_t room)
{
	size_t used = 0;

	plain[0] = '\0';
	for (; *path; path += *path == '/') {
		size_t len = strcspn(path, "/");

		if (len == 2 && memcmp(path, "..", 2) == 0)
			return false;
		if (len > 0 && !(len == 1 && *path == '.')) {
			if (len + 2 > room - used)
				return false;
			if (used > 0)
				plain[used++] = '/';
			memcpy(plain + used, path, len);
			used += len;
			plain[used] = '\0';
		}
		path += len;
	}
	return true;
}
