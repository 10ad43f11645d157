/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of the core's model, made entry by entry, for tests of what changes or judges them. */
#ifndef SUPPORT_SMALLTREE_H
#define SUPPORT_SMALLTREE_H

#include "core/tree/edit.h"

struct smalltree {
	struct tree *tree;
	struct tree_edit *edit; /* until smalltree_finish */
};

/* For cmocka: *state becomes a struct smalltree. */
int smalltree_set_up(void **state);
int smalltree_tear_down(void **state);

#define SMALLTREE_TEST(function) \
	cmocka_unit_test_setup_teardown(function, smalltree_set_up, smalltree_tear_down)

/* The same for who holds one. */
void smalltree_init(struct smalltree *small);
void smalltree_free(struct smalltree *small);

/* An entry at the path, of the mode's type and permissions; missing directories are made. */
struct tree_node *smalltree_add(struct smalltree *small, const char *path, unsigned int mode);
struct tree_node *smalltree_link(struct smalltree *small, const char *path, const char *target);
/* Another name of a node. */
void smalltree_name(struct smalltree *small, const char *path, struct tree_node *node);
/* An attribute more; name and value must outlive the tree. */
void smalltree_xattr(struct tree_node *node, struct kataimg_xattr *xattr, const char *name,
		     const void *value, size_t len);

void smalltree_finish(struct smalltree *small);

/* The node at a path of the finished tree, without following links; NULL: none. */
const struct kataimg_node *smalltree_get(const struct smalltree *small, const char *path);

#endif
