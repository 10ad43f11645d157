/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TREE_HOLES_H
#define TREE_HOLES_H

#include "core/tree/tree.h"

/* Gives the files of a finished tree, which have the source's holes, those that are asked for: by
 * reading their bytes, or none. */
int tree_set_holes(struct tree *tree, enum tree_holes holes, struct error *error);

#endif
