/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/smalltree.h"

#include <string.h>
#include <sys/stat.h>

#include "check/support/must.h"
#include "core/tree/find.h"
#include "lib/filetype.h"

void smalltree_init(struct smalltree *small)
{
	small->tree = tree_new_implied();
	must(small->tree != NULL);
	tree_root(small->tree)->implied = 0;
	small->edit = tree_edit_new(small->tree);
	must(small->edit);
}

void smalltree_free(struct smalltree *small)
{
	tree_edit_free(small->edit);
	tree_free(small->tree);
}

int smalltree_set_up(void **state)
{
	static struct smalltree small;

	smalltree_init(&small);
	*state = &small;
	return 0;
}

int smalltree_tear_down(void **state)
{
	smalltree_free(*state);
	return 0;
}

void smalltree_name(struct smalltree *small, const char *path, struct tree_node *node)
{
	autoerror struct error error = ERROR_INIT;
	struct tree_place place;

	must(tree_edit_locate(small->edit, path, TREE_PARENTS_IMPLIED, &place, &error) == 0);
	must(tree_edit_put(small->edit, place.dir, place.name, place.len, node) == 0);
}

struct tree_node *smalltree_add(struct smalltree *small, const char *path, unsigned int mode)
{
	struct tree_node *node = tree_add_node(small->tree, filetype_of_mode(mode));

	must(node);
	node->pub.mode = mode & 07777;
	smalltree_name(small, path, node);
	return node;
}

struct tree_node *smalltree_link(struct smalltree *small, const char *path, const char *target)
{
	struct tree_node *node = smalltree_add(small, path, S_IFLNK | 0777);

	must(tree_set_target(small->tree, node, target, strlen(target)) == 0);
	return node;
}

void smalltree_xattr(struct tree_node *node, struct kataimg_xattr *xattr, const char *name,
		     const void *value, size_t len)
{
	*xattr = (struct kataimg_xattr){ name, value, (uint32_t)strlen(name), (uint32_t)len };
	tree_set_xattrs(node, xattr, 1);
}

void smalltree_finish(struct smalltree *small)
{
	autoerror struct error error = ERROR_INIT;

	must(tree_edit_finish(small->edit, &error) == 0);
	tree_edit_free(small->edit);
	small->edit = NULL;
}

const struct kataimg_node *smalltree_get(const struct smalltree *small, const char *path)
{
	int code;

	return tree_resolve_link(small->tree, path, &code);
}
