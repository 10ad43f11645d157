/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/whiteout.h"

#include <string.h>

#include "core/archive/unpack.h"

#define PREFIX ".wh."
/* All that is in the directory. Other names with two prefixes are notes of a layer's maker. */
#define OPAQUE ".wh..wh..opq"

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool starts(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

bool whiteout_is(const char *path)
{
	return starts(last_name(path), PREFIX);
}

static int hide(struct unpack *unpack, struct archive_entry *entry, const char *path,
		struct error *error)
{
	const char *name = last_name(path);
	autoerror struct error nowhere = ERROR_INIT;
	struct tree_place place;

	(void)entry, (void)error;
	if (!whiteout_is(path))
		return 0;
	/* Below what is not there, or no directory, there is nothing to hide. */
	if (unpack_locate(unpack, path, TREE_PARENTS_NEEDED, &place, &nowhere) < 0)
		return 0;
	if (strcmp(name, OPAQUE) == 0)
		tree_edit_clear(unpack->edit, place.dir);
	else if (!starts(name, PREFIX PREFIX))
		tree_edit_remove(unpack->edit, place.dir, place.name + strlen(PREFIX),
				 place.len - strlen(PREFIX));
	return 0;
}

int unpack_whiteouts(struct unpack *unpack, struct error *error)
{
	return unpack_each(unpack, hide, error);
}
