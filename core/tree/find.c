/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/find.h"

#include <errno.h>
#include <string.h>

#define PATH_BYTES_MAX 4096

const struct kataimg_entry *tree_find_entry(const struct kataimg_node *dir, const char *name,
					    size_t len)
{
	uint32_t low = 0, high = dir->entry_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct kataimg_entry *entry = &dir->entries[middle];
		size_t shorter = len < entry->name_len ? len : entry->name_len;
		int order = memcmp(name, entry->name, shorter);

		if (order == 0)
			order = (len > entry->name_len) - (len < entry->name_len);
		if (order == 0)
			return entry;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/*
 * A way on its way. Nothing is allocated on it: a caller who asks whether something is there must
 * not be told that it is not because memory ran out.
 */
struct resolution {
	const struct kataimg_node *root, *at;
	unsigned int links;
	bool keep_last_link;
	char rest[PATH_BYTES_MAX + 2]; /* behind the last link; before one, the caller's path */
};

/* The link's target comes in front of what was behind the link. */
static int follow(struct resolution *way, const struct kataimg_node *link, const char *behind)
{
	size_t target_len = (size_t)link->size, behind_len = strlen(behind);

	if (++way->links > TREE_LINKS_MAX)
		return -ELOOP;
	if (target_len + behind_len > PATH_BYTES_MAX)
		return -ENAMETOOLONG;
	/* What is behind may be in rest already. */
	memmove(way->rest + target_len + 1, behind, behind_len + 1);
	memcpy(way->rest, link->target, target_len);
	way->rest[target_len] = '/';
	if (way->rest[0] == '/')
		way->at = way->root;
	return 0;
}

static int step(struct resolution *way, const char *name, size_t len, const char *behind,
		const char **next)
{
	const struct kataimg_entry *entry;

	*next = behind;
	if (way->at->type != KATAIMG_DIR)
		return -ENOTDIR;
	if (len == 1 && name[0] == '.')
		return 0;
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		way->at = way->at->parent;
		return 0;
	}
	entry = tree_find_entry(way->at, name, len);
	if (!entry)
		return -ENOENT;
	if (entry->node->type == KATAIMG_LNK && (*behind || !way->keep_last_link)) {
		int ret = follow(way, entry->node, behind);

		*next = way->rest;
		return ret;
	}
	way->at = entry->node;
	return 0;
}

static const struct kataimg_node *resolve(const struct tree *tree, const char *path,
					  bool keep_last_link, int *code)
{
	struct resolution way;
	const char *at = path;
	int ret = 0;

	way.root = way.at = tree_public(tree)->nodes[0];
	way.links = 0;
	way.keep_last_link = keep_last_link;

	while (ret == 0 && *(at += strspn(at, "/"))) {
		size_t len = strcspn(at, "/");

		ret = step(&way, at, len, at + len, &at);
	}
	*code = -ret;
	return ret < 0 ? NULL : way.at;
}

const struct kataimg_node *tree_resolve(const struct tree *tree, const char *path, int *code)
{
	return resolve(tree, path, false, code);
}

const struct kataimg_node *tree_resolve_link(const struct tree *tree, const char *path, int *code)
{
	return resolve(tree, path, true, code);
}
