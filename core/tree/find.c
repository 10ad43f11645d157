/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/find.h"

#include <errno.h>
#include <string.h>

#include "core/tree/node.h"
#include "core/tree/way.h"

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

static int find(struct tree_way *way, struct tree_node *dir, const char *name, size_t len,
		struct tree_node **found)
{
	const struct kataimg_entry *entry = tree_find_entry(&dir->pub, name, len);

	(void)way;
	*found = entry ? tree_node(entry->node) : NULL;
	return entry ? 0 : -ENOENT;
}

static const struct kataimg_node *resolve(const struct tree *tree, const char *path,
					  bool keep_last_link, int *code)
{
	struct tree_node *root = tree_node(tree_public(tree)->nodes[0]);
	struct tree_way way = { .root = root, .at = root, .find = find };
	int ret = tree_way_walk(&way, path, keep_last_link);

	*code = -ret;
	return ret < 0 ? NULL : &way.at->pub;
}

const struct kataimg_node *tree_resolve(const struct tree *tree, const char *path, int *code)
{
	return resolve(tree, path, false, code);
}

const struct kataimg_node *tree_resolve_link(const struct tree *tree, const char *path, int *code)
{
	return resolve(tree, path, true, code);
}
