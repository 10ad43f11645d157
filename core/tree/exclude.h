/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaves entries out by patterns (base/glob.h). A pattern without a '/' is matched against names,
 * in all directories; one with a '/' against the path from the root, with or without a '/' in
 * front; a
 * '/' at the end asks for directories alone. A directory goes with all below it.
 */
#ifndef TREE_EXCLUDE_H
#define TREE_EXCLUDE_H

#include <stddef.h>

#include "core/tree/tree.h"

/* *excluded: how many entries matched. Patterns that match nothing are warned of. */
int tree_exclude(struct tree *tree, char *const *patterns, size_t count, uint64_t *excluded,
		 struct error *error);

#endif
