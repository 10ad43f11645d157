/* SPDX-License-Identifier: Apache-2.0 */
/* Finds things by name in a finished tree, as a guest that has it as its root would. */
#ifndef TREE_FIND_H
#define TREE_FIND_H

#include <stddef.h>

#include "core/tree/tree.h"

/* NULL: the directory has no such entry. */
const struct kataimg_entry *tree_find_entry(const struct kataimg_node *dir, const char *name,
					    size_t len);

/*
 * Follows a path from the root and all symbolic links on the way, an absolute target from the
 * tree's root; ".." of the root is the root. Returns NULL with the reason in *code: ENOENT,
 * ENOTDIR, ELOOP after TREE_LINKS_MAX links (tree/way.h). All of them mean that nothing is there:
 * it takes no memory that could run out.
 */
const struct kataimg_node *tree_resolve(const struct tree *tree, const char *path, int *code);

/* The same, but when path ends in a symbolic link it is that link's node. */
const struct kataimg_node *tree_resolve_link(const struct tree *tree, const char *path, int *code);

#endif
