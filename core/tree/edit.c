/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/tree/find.h"
#include "core/tree/model.h"
#include "core/tree/way.h"
#include "lib/array.h"
#include "lib/hashtable.h"

/* An added name: a finished directory's are found by their order, these by their hash. */
struct edit_name {
	struct tree_node *dir;
	struct tree_name *name;
};

struct tree_edit {
	struct tree *tree;
	ARRAY(struct edit_name) added;
	struct hashtable by_name; /* their numbers */

	/* The directory of the last path, and the part of the path that led there. */
	struct tree_node *last_dir;
	char *last_path;
	size_t last_len, last_room;
};

struct tree_edit *tree_edit_new(struct tree *tree)
{
	struct tree_edit *edit = calloc(1, sizeof(*edit));

	if (!edit)
		return NULL;
	edit->tree = tree;
	tree->root->pub.parent = &tree->root->pub;
	return edit;
}

void tree_edit_free(struct tree_edit *edit)
{
	if (!edit)
		return;
	array_free(&edit->added);
	hashtable_free(&edit->by_name);
	free(edit->last_path);
	free(edit);
}

/* The hash of a name begins with the directory's address, so that nobody can choose names whose
 * hashes are equal. */
static uint32_t hash(const struct tree_node *dir, const char *name, size_t len)
{
	uint64_t start = (uint64_t)(uintptr_t)dir * UINT64_C(0x9E3779B97F4A7C15);

	return hash_bytes((uint32_t)(start >> 32), name, len);
}

/* The added name; NULL: there is none. */
static struct tree_name *find_added(const struct tree_edit *edit, const struct tree_node *dir,
				    const char *name, size_t len)
{
	uint32_t wanted = hash(dir, name, len), number;
	size_t step = 0;

	while (hashtable_next(&edit->by_name, wanted, &step, &number)) {
		const struct edit_name *added = &edit->added.items[number];

		if (added->dir == dir && strncmp(added->name->name, name, len) == 0 &&
		    added->name->name[len] == '\0')
			return added->name;
	}
	return NULL;
}

struct tree_node *tree_edit_find(const struct tree_edit *edit, const struct tree_node *dir,
				 const char *name, size_t len)
{
	const struct tree_name *added = find_added(edit, dir, name, len);
	const struct kataimg_entry *entry;

	if (added)
		return added->node;
	entry = tree_find_entry(&dir->pub, name, len);
	return entry ? tree_node(entry->node) : NULL;
}

/* What an existing name stands for becomes node; false when there is no such name. */
static bool replace(struct tree_edit *edit, struct tree_node *dir, const char *name, size_t len,
		    struct tree_node *node)
{
	struct tree_name *added = find_added(edit, dir, name, len);
	const struct kataimg_entry *entry = added ? NULL : tree_find_entry(&dir->pub, name, len);

	if (!added && !entry)
		return false;
	if (added)
		added->node = node;
	else
		tree_entries(dir)[entry - dir->pub.entries].node = node ? &node->pub : NULL;
	dir->edited = 1;
	edit->last_dir = NULL;
	return true;
}

int tree_edit_put(struct tree_edit *edit, struct tree_node *dir, const char *name, size_t len,
		  struct tree_node *node)
{
	struct edit_name *added;
	int ret;

	if (node->pub.type == KATAIMG_DIR)
		node->pub.parent = &dir->pub; /* for "..", until tree_finish says it anew */
	if (replace(edit, dir, name, len, node))
		return 0;
	ret = tree_add_name(edit->tree, dir, name, len, node);
	if (ret < 0)
		return ret;
	added = array_add(&edit->added);
	if (!added)
		return -ENOMEM;
	*added = (struct edit_name){ dir, dir->names };
	return hashtable_put(&edit->by_name, hash(dir, name, len),
			     (uint32_t)(edit->added.count - 1));
}

void tree_edit_remove(struct tree_edit *edit, struct tree_node *dir, const char *name, size_t len)
{
	replace(edit, dir, name, len, NULL);
}

void tree_edit_clear(struct tree_edit *edit, struct tree_node *dir)
{
	for (uint32_t i = 0; i < dir->pub.entry_count; i++)
		tree_remove_entry(dir, i);
	for (struct tree_name *name = dir->names; name; name = name->next)
		name->node = NULL;
	dir->edited = 1;
	edit->last_dir = NULL;
}

bool tree_edit_is_empty(const struct tree_node *dir)
{
	for (uint32_t i = 0; i < dir->pub.entry_count; i++)
		if (dir->pub.entries[i].node)
			return false;
	for (const struct tree_name *name = dir->names; name; name = name->next)
		if (name->node)
			return false;
	return true;
}

static bool is_word(const char *name, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(name, word, len) == 0;
}

/* The next component at or after *at that means something; false at the end. */
static bool next_component(const char **at, const char **name, size_t *len)
{
	do {
		*at += strspn(*at, "/");
		*name = *at;
		*len = strcspn(*at, "/");
		*at += *len;
	} while (is_word(*name, *len, "."));
	return *len > 0;
}

static int add_implied(struct tree_edit *edit, struct tree_node *dir, const char *name, size_t len,
		       struct tree_node **made, struct error *error)
{
	struct tree_node *node = tree_add_node(edit->tree, KATAIMG_DIR);

	if (!node || tree_edit_put(edit, dir, name, len, node) < 0)
		return error_nomem(error);
	node->pub.mode = 0755;
	node->implied = 1;
	*made = node;
	return 0;
}

static int fail_no_directory(const char *name, size_t len, const struct tree_node *node,
			     struct error *error)
{
	if (!node)
		return error_set(error, ENOENT, "there is no directory %.*s", (int)len, name);
	return error_set(error, ENOTDIR, "%.*s on its way is %s", (int)len, name,
			 node->pub.type == KATAIMG_LNK ? "a symbolic link" : "not a directory");
}

struct edit_way {
	struct tree_way way; /* first: find gets it */
	struct tree_edit *edit;
	unsigned int parents;
	struct error *error;
};

/* Only directories, and links to them, are on a way. What a link names is not what an archive
 * names, so that nothing there gives way. */
static int enter(struct tree_way *way, struct tree_node *dir, const char *name, size_t len,
		 struct tree_node **found)
{
	const struct edit_way *own = (struct edit_way *)way;
	struct tree_node *node = tree_edit_find(own->edit, dir, name, len);
	bool is_followed =
		node && node->pub.type == KATAIMG_LNK && own->parents & TREE_PARENTS_FOLLOWED;

	*found = node;
	if (is_followed || (node && node->pub.type == KATAIMG_DIR))
		return 0;
	if (node && own->parents & TREE_PARENTS_REPLACED && way->depth == 0)
		node = NULL;
	if (!node && own->parents & TREE_PARENTS_IMPLIED)
		return add_implied(own->edit, dir, name, len, found, own->error);
	return fail_no_directory(name, len, node, own->error);
}

static struct edit_way begin_way(struct tree_edit *edit, unsigned int parents, struct tree_node *at,
				 struct error *error)
{
	return (struct edit_way){ .way = { .root = edit->tree->root, .at = at, .find = enter },
				  .edit = edit,
				  .parents = parents,
				  .error = error };
}

/* Gives the one error of a way that has no message yet, too many links, its message. */
static int end_way(int ret, struct error *error)
{
	if (ret == -ELOOP)
		return error_set(error, ELOOP, "too many symbolic links are on its way");
	return ret;
}

int tree_edit_follow(struct tree_edit *edit, const struct tree_node *link, struct tree_node **dir,
		     struct error *error)
{
	struct edit_way own = begin_way(edit, TREE_PARENTS_FOLLOWED, *dir, error);
	int ret = end_way(tree_way_follow(&own.way, link), error);

	*dir = own.way.at;
	return ret;
}

/* Begins at the last path's directory when the new path leads through it and a name follows, else
 * at the root. */
static const char *resume(const struct tree_edit *edit, const char *path, struct tree_way *way)
{
	const char *at, *name;
	size_t len;

	if (!edit->last_dir || strncmp(path, edit->last_path, edit->last_len) != 0 ||
	    path[edit->last_len] != '/')
		return path;
	at = path + edit->last_len;
	if (!next_component(&at, &name, &len))
		return path;
	way->at = edit->last_dir;
	return path + edit->last_len;
}

static int remember(struct tree_edit *edit, const char *path, const struct tree_place *place)
{
	size_t len = place->len ? (size_t)(place->name - path) : 0;

	while (len > 0 && path[len - 1] == '/')
		len--;
	edit->last_dir = NULL;
	if (len == 0)
		return 0;
	if (len > edit->last_room && array_grow(&edit->last_path, &edit->last_room, 0, len, 1) < 0)
		return -ENOMEM;
	memcpy(edit->last_path, path, len);
	edit->last_len = len;
	edit->last_dir = place->dir;
	return 0;
}

int tree_edit_locate(struct tree_edit *edit, const char *path, unsigned int parents,
		     struct tree_place *place, struct error *error)
{
	struct edit_way own = begin_way(edit, parents, edit->tree->root, error);
	const char *at = resume(edit, path, &own.way), *name;
	int ret = 0;
	size_t len;

	*place = (struct tree_place){ .len = 0 };
	while (ret == 0 && next_component(&at, &name, &len)) {
		if (is_word(name, len, ".."))
			return error_set(error, EINVAL, "its path has a \"..\"");
		if (place->len > 0)
			ret = end_way(tree_way_step(&own.way, place->name, place->len, false),
				      error);
		place->name = name;
		place->len = len;
	}
	if (ret < 0)
		return ret;
	place->dir = own.way.at;
	place->node =
		place->len ? tree_edit_find(edit, place->dir, place->name, place->len) : place->dir;
	return remember(edit, path, place) < 0 ? error_nomem(error) : 0;
}

int tree_edit_finish(struct tree_edit *edit, struct error *error)
{
	edit->last_dir = NULL;
	return tree_finish(edit->tree, error);
}
