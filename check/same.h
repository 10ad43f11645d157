/* SPDX-License-Identifier: Apache-2.0 */
/* What was read back, against what was written. */
#ifndef CHECK_SAME_H
#define CHECK_SAME_H

#include "core/tree/tree.h"

/* Is the tree that was found the one that was made, node by node? holes: those count, too. 0, or 1
 * after a sentence. */
int same_trees(const char *occasion, const struct tree *made, const struct tree *found, bool holes);

#endif
