/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a tree that archives make. */
#ifndef ARCHIVE_FINISH_H
#define ARCHIVE_FINISH_H

#include "core/archive/archive.h"

/* After tree_finish: the times of implied directories, and the holes that options->holes asks for.
 */
int archive_finish_tree(struct tree *tree, const struct tree_options *options, struct error *error);

#endif
