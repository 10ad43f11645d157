/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/cover.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "core/archive/whiteout.h"
#include "core/base/pathname.h"

/* Of a layer with more names the rest hides nothing: its memory has a limit. */
#define NAMES_MAX 100000

struct cover_name {
	const char *path; /* in the arena */
	bool itself;      /* it hides a file there */
	bool below;       /* and all that is below */
};

static struct cover_name *find(const struct cover *cover, const char *path, size_t len)
{
	size_t step = 0;
	uint32_t number;

	while (hashtable_next(&cover->table, hash_bytes(HASH_START, path, len), &step, &number)) {
		struct cover_name *name = &cover->items.items[number];

		if (strncmp(name->path, path, len) == 0 && name->path[len] == '\0')
			return name;
	}
	return NULL;
}

static int add(struct cover *cover, const char *path, bool itself, bool below)
{
	size_t len = strlen(path);
	struct cover_name *name = find(cover, path, len);

	if (!name && cover->items.count == NAMES_MAX)
		return 0;
	if (!name) {
		const char *text = arena_text(&cover->names, path, len);

		name = text ? array_add(&cover->items) : NULL;
		if (!name)
			return -ENOMEM;
		name->path = text;
		if (hashtable_put(&cover->table, hash_bytes(HASH_START, path, len),
				  (uint32_t)(cover->items.count - 1)) < 0)
			return -ENOMEM;
	}
	name->itself |= itself;
	name->below |= below;
	return 0;
}

/* plain is "DIRECTORY/.wh.NAME" or "DIRECTORY/.wh..wh..opq", and becomes what that speaks of. */
static void name_hidden(char *plain, enum whiteout_kind kind)
{
	char *slash = strrchr(plain, '/'), *name = slash ? slash + 1 : plain;

	if (kind == WHITEOUT_NAME)
		memmove(name, name + WHITEOUT_PREFIX_LEN, strlen(name + WHITEOUT_PREFIX_LEN) + 1);
	else
		*(slash ? slash : plain) = '\0';
}

int cover_add(struct cover *cover, const struct archive_member *member)
{
	bool is_directory = archive_entry_filetype(member->entry) == AE_IFDIR &&
			    !archive_entry_hardlink(member->entry);
	char plain[PATH_MAX];
	enum whiteout_kind kind;
	size_t end;

	if (!pathname_plain(member->path, plain, sizeof(plain)))
		return 0;
	kind = whiteout_of(plain, &end);
	if (kind == WHITEOUT_NONE)
		return add(cover, plain, true, !is_directory);
	if (kind != WHITEOUT_NAME && kind != WHITEOUT_OPAQUE)
		return 0;
	plain[end] = '\0';
	name_hidden(plain, kind);
	return add(cover, plain, kind == WHITEOUT_NAME, true);
}

bool cover_hides(const struct cover *cover, const char *plain)
{
	const struct cover_name *name = find(cover, plain, strlen(plain));

	if (name && name->itself)
		return true;
	name = find(cover, "", 0);
	if (name && name->below)
		return true;
	for (const char *slash = strchr(plain, '/'); slash; slash = strchr(slash + 1, '/')) {
		name = find(cover, plain, (size_t)(slash - plain));
		if (name && name->below)
			return true;
	}
	return false;
}

void cover_release(struct cover *cover)
{
	hashtable_free(&cover->table);
	array_free(&cover->items);
	arena_free(&cover->names);
}
