/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/finish.h"

#include "core/tree/holes.h"
#include "core/tree/node.h"

int archive_finish_tree(struct tree *tree, const struct tree_options *options, struct error *error)
{
	tree_set_implied_times(tree, options->build_time);
	return tree_set_holes(tree, options->holes, error);
}
