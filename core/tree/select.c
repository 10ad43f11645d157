/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/select.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/tree/find.h"
#include "core/tree/model.h"
#include "lib/array.h"
#include "lib/calloc64.h"
#include "lib/cleanup.h"

enum mark { MARK_NONE, MARK_WAY, MARK_ALL };

struct selection {
	uint8_t *marks; /* owned; enum mark, by node: of directories */
	ARRAY(const struct kataimg_entry *) chosen;
};

static void selection_release(struct selection *selection)
{
	free(selection->marks);
	array_free(&selection->chosen);
}

static int fail_step(const char *path, const struct kataimg_node *at, size_t len,
		     struct error *error)
{
	if (at->type == KATAIMG_LNK)
		return error_set(error, ELOOP,
				 "%s: %.*s is a symbolic link to %s: name what it leads to", path,
				 (int)len, path, at->target);
	return error_errno(error, ENOTDIR, "%s", path);
}

/* The entry of a step; at is what the way so far leads to, len how much of the path that is. */
static const struct kataimg_entry *take_step(const char *path, size_t len, size_t step_len,
					     const struct kataimg_node *at, struct error *error)
{
	const struct kataimg_entry *entry;

	if (at->type != KATAIMG_DIR) {
		fail_step(path, at, len, error);
		return NULL;
	}
	entry = tree_find_entry(at, path + len + (path[len] == '/'), step_len);
	if (!entry)
		error_errno(error, ENOENT, "%s", path);
	return entry;
}

static void mark_way(struct selection *selection, const struct kataimg_node *dir, enum mark mark)
{
	if (selection->marks[dir->index] < mark)
		selection->marks[dir->index] = (uint8_t)mark;
}

static int choose(struct selection *selection, const struct kataimg_entry *entry,
		  struct error *error)
{
	const struct kataimg_entry **chosen = array_add(&selection->chosen);

	if (!chosen)
		return error_nomem(error);
	*chosen = entry;
	return 0;
}

/* Without doubled '/' and ".": "a/b". To be freed; NULL when memory is out. */
static char *plain_path(const char *path)
{
	char *plain = malloc(strlen(path) + 1), *end = plain;

	while (plain && *path) {
		size_t len = strcspn(path, "/");

		if (len > 0 && !(len == 1 && *path == '.')) {
			if (end > plain)
				*end++ = '/';
			memcpy(end, path, len);
			end += len;
		}
		path += len + (path[len] == '/');
	}
	if (plain)
		*end = '\0';
	return plain;
}

static int select_path(struct selection *selection, const struct kataimg_node *at, const char *text,
		       struct error *error)
{
	autofree char *path = plain_path(text);
	size_t len = 0;

	if (!path)
		return error_nomem(error);
	while (path[len]) {
		size_t from = len + (path[len] == '/'), step = strcspn(path + from, "/");
		const struct kataimg_entry *entry = take_step(path, len, step, at, error);

		if (!entry)
			return -error->code;
		mark_way(selection, at, MARK_WAY);
		if (choose(selection, entry, error) < 0)
			return -error->code;
		at = entry->node;
		len = from + step;
	}
	if (at->type == KATAIMG_DIR)
		mark_way(selection, at, MARK_ALL);
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct kataimg_entry *const *one = a, *const *other = b;

	return (*one > *other) - (*one < *other);
}

static void leave_out(struct selection *selection, struct tree_node *dir)
{
	for (uint32_t i = 0; i < dir->pub.entry_count; i++) {
		const struct kataimg_entry *entry = &dir->pub.entries[i];

		if (!bsearch(&entry, selection->chosen.items, selection->chosen.count,
			     sizeof(entry), by_place))
			tree_remove_entry(dir, i);
	}
}

static void take_all(struct selection *selection, const struct kataimg_node *dir)
{
	for (uint32_t i = 0; i < dir->entry_count; i++)
		if (dir->entries[i].node->type == KATAIMG_DIR)
			mark_way(selection, dir->entries[i].node, MARK_ALL);
}

int tree_select(struct tree *tree, const char *const *paths, size_t count, struct error *error)
{
	struct selection selection __attribute__((
		cleanup(selection_release))) = { .marks = calloc64(tree->pub.node_count, 1) };
	int ret = selection.marks ? 0 : error_nomem(error);

	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = select_path(&selection, tree->pub.nodes[0], paths[i], error);
	if (ret < 0 || count == 0)
		return ret;
	if (selection.chosen.count > 0)
		qsort(selection.chosen.items, selection.chosen.count,
		      sizeof(*selection.chosen.items), by_place);
	/* Parents precede their entries in tree order. */
	for (uint64_t i = 0; i < tree->pub.node_count; i++) {
		struct tree_node *node = tree_node(tree->nodes[i]);

		if (selection.marks[i] == MARK_ALL)
			take_all(&selection, &node->pub);
		else if (selection.marks[i] == MARK_WAY)
			leave_out(&selection, node);
	}
	return tree_finish(tree, error);
}
