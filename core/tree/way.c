/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/way.h"

#include <errno.h>
#include <string.h>

#include "core/tree/node.h"

int tree_way_follow(struct tree_way *way, const struct tree_node *link)
{
	int ret;

	if (++way->links > TREE_LINKS_MAX)
		return -ELOOP;
	if (link->pub.target[0] == '/')
		way->at = way->root;
	way->depth++;
	ret = tree_way_walk(way, link->pub.target, false);
	way->depth--;
	return ret;
}

int tree_way_step(struct tree_way *way, const char *name, size_t len, bool keep_link)
{
	struct tree_node *node = NULL;
	int ret;

	if (way->at->pub.type != KATAIMG_DIR)
		return -ENOTDIR;
	if (len == 1 && name[0] == '.')
		return 0;
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		way->at = tree_node(way->at->pub.parent);
		return 0;
	}
	ret = way->find(way, way->at, name, len, &node);
	if (ret < 0)
		return ret;
	if (node->pub.type == KATAIMG_LNK && !keep_link)
		return tree_way_follow(way, node);
	way->at = node;
	return 0;
}

int tree_way_walk(struct tree_way *way, const char *path, bool keep_last_link)
{
	const char *at = path;
	int ret = 0;

	while (ret == 0 && *(at += strspn(at, "/"))) {
		size_t len = strcspn(at, "/");

		ret = tree_way_step(way, at, len, keep_last_link && !at[len]);
		at += len;
	}
	return ret;
}
