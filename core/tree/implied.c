/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/model.h"

struct tree *tree_new_implied(void)
{
	struct tree *tree = tree_new();
	struct tree_node *root = tree ? tree_add_node(tree, KATAIMG_DIR) : NULL;

	if (!root) {
		tree_free(tree);
		return NULL;
	}
	root->pub.mode = 0755;
	root->implied = 1;
	return tree;
}

void tree_set_implied_times(struct tree *tree, int64_t build_time)
{
	int64_t time = build_time ? build_time : tree_newest_mtime(tree);

	for (uint64_t i = 0; i < tree->pub.node_count; i++) {
		struct tree_node *node = tree_node(tree->nodes[i]);

		if (!node->implied)
			continue;
		node->pub.mtime_sec = time;
		node->pub.mtime_nsec = 0;
	}
}
