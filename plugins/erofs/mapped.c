/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/mapped.h"

#include <limits.h>
#include <string.h>

#include "lib/glob.h"

/* A pattern with a '/' is for paths from the root, with or without one in front. */
static bool matches(const struct erofs_source *source, const char *pattern,
		    const struct kataimg_node *node)
{
	const struct kataimg_host *host = source->host;
	char path[PATH_MAX];

	if (!strchr(pattern, '/'))
		return glob_match(pattern, node->name);
	return glob_match(pattern + (*pattern == '/'),
			  host->path(host->ctx, node, path, sizeof(path)));
}

/* The patterns are words of the option's text. */
static bool matches_any(const struct erofs_source *source, const struct kataimg_node *node)
{
	const char *at = source->options.map;

	while (*(at += strspn(at, EROFS_MAP_BLANKS))) {
		char pattern[EROFS_MAP_BYTES_MAX + 1];
		size_t len = strcspn(at, EROFS_MAP_BLANKS);

		memcpy(pattern, at, len);
		pattern[len] = '\0';
		if (matches(source, pattern, node))
			return true;
		at += len;
	}
	return false;
}

bool erofs_is_mapped(const struct erofs_source *source, const struct kataimg_node *node)
{
	if (node->type != KATAIMG_REG)
		return false;
	if (source->options.data != EROFS_DATA_AUTO)
		return source->options.data == EROFS_DATA_DAX;
	return matches_any(source, node);
}
