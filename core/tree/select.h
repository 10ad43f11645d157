/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves of a tree what is at some paths, with all below and the directories on the way. */
#ifndef TREE_SELECT_H
#define TREE_SELECT_H

#include <stddef.h>

#include "core/tree/tree.h"

/*
 * Of a finished tree. Paths are from the root, a '/' in front or at the end of no meaning; "" or
 * "." is all. Links are not followed: a path through one is an error that says where it leads, and
 * so is one that names nothing.
 */
int tree_select(struct tree *tree, const char *const *paths, size_t count, struct error *error);

#endif
