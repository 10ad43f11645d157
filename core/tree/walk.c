/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/tree/find.h"
#include "lib/array.h"

void tree_walk_begin(struct tree_walk *walk, const struct kataimg_node *top)
{
	*walk = (struct tree_walk){ .top = top, .dir = top };
}

void tree_walk_end(struct tree_walk *walk)
{
	free(walk->path);
	*walk = (struct tree_walk){ 0 };
}

static void descend(struct tree_walk *walk)
{
	if (!walk->entry || walk->entry->node->type != KATAIMG_DIR)
		return;
	walk->path[walk->len] = '/';
	walk->dir_len = walk->len + 1;
	walk->dir = walk->entry->node;
	walk->next = 0;
}

/* A directory has one name, which says where its parent is to go on. */
static void ascend(struct tree_walk *walk)
{
	const struct kataimg_node *dir = walk->dir;
	const struct kataimg_entry *own = tree_find_entry(dir->parent, dir->name, dir->name_len);

	walk->next = (uint32_t)(own - dir->parent->entries) + 1;
	walk->dir_len -= dir->name_len + 1;
	walk->dir = dir->parent;
}

/* With a '/' or a NUL behind it. */
static int put_path(struct tree_walk *walk)
{
	size_t len = walk->entry->name_len;

	if (walk->room - walk->dir_len <= len &&
	    array_grow(&walk->path, &walk->room, walk->dir_len, len + 1, 1) < 0)
		return -ENOMEM;
	memcpy(walk->path + walk->dir_len, walk->entry->name, len);
	walk->len = walk->dir_len + len;
	walk->path[walk->len] = '\0';
	return 0;
}

int tree_walk_next(struct tree_walk *walk)
{
	int ret;

	descend(walk);
	while (walk->next == walk->dir->entry_count) {
		if (walk->dir == walk->top)
			return 0;
		ascend(walk);
	}
	walk->entry = &walk->dir->entries[walk->next++];
	ret = put_path(walk);
	return ret < 0 ? ret : 1;
}

bool tree_walk_is_link(const struct tree_walk *walk)
{
	const struct kataimg_entry *entry = walk->entry;
	const struct kataimg_node *node = entry->node;

	return node->type != KATAIMG_DIR &&
	       (node->parent != walk->dir || node->name_len != entry->name_len ||
		memcmp(node->name, entry->name, entry->name_len) != 0);
}
