/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/whiteout.h"

#include <string.h>

#define PREFIX ".wh."
#define OPAQUE ".wh..wh..opq"

static bool starts(const char *name, size_t len, const char *prefix)
{
	return len >= strlen(prefix) && memcmp(name, prefix, strlen(prefix)) == 0;
}

static bool is(const char *name, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(name, word, len) == 0;
}

enum whiteout_kind whiteout_of_name(const char *name, size_t len)
{
	if (!starts(name, len, PREFIX))
		return WHITEOUT_NONE;
	if (is(name, len, OPAQUE))
		return WHITEOUT_OPAQUE;
	if (starts(name, len, PREFIX PREFIX))
		return WHITEOUT_AUFS;
	if (is(name, len, PREFIX) || is(name, len, PREFIX ".") || is(name, len, PREFIX ".."))
		return WHITEOUT_BAD;
	return WHITEOUT_NAME;
}

enum whiteout_kind whiteout_of(const char *path, size_t *end)
{
	enum whiteout_kind kind = WHITEOUT_NONE;
	const char *at = path;

	while (kind == WHITEOUT_NONE && *(at += strspn(at, "/"))) {
		size_t len = strcspn(at, "/");

		kind = whiteout_of_name(at, len);
		at += len;
	}
	*end = (size_t)(at - path);
	return kind;
}
