/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/holes.h"

#include <errno.h>

#include "core/tree/node.h"
#include "core/tree/reader.h"
#include "core/tree/segments.h"

struct reading {
	const struct tree *tree;
	const struct kataimg_node *node;
	struct error *error;
};

static int read_node(void *arg, uint64_t off, void *buf, size_t len)
{
	const struct reading *reading = arg;

	return tree_read(reading->tree, reading->node, off, buf, len, reading->error);
}

static uint64_t next_data(void *arg, uint64_t off, uint64_t size)
{
	const struct reading *reading = arg;
	struct tree_extent extent;

	return tree_next_extent(reading->tree, reading->node, off, size, &extent) ? extent.file_off
										  : size;
}

static int set_holes(struct tree *tree, struct tree_node *node, enum tree_holes holes,
		     struct error *error)
{
	struct reading reading = { tree, &node->pub, error };
	const struct segments_content content = { read_node, next_data, &reading };
	struct segments list = { 0 };
	int ret;

	if (holes == TREE_HOLES_FILL)
		ret = segments_add(&list, 0, node->pub.size);
	else
		ret = segments_detect(&list, node->pub.size, segments_run_bytes(holes), &content);
	if (ret == 0)
		ret = tree_set_segments(tree, node, list.items, list.count);
	segments_free(&list);
	if (ret == -ECANCELED)
		return error_set(error, ECANCELED, "interrupted");
	return ret == -ENOMEM ? error_nomem(error) : ret;
}

int tree_set_holes(struct tree *tree, enum tree_holes holes, struct error *error)
{
	const struct kataimg_tree *nodes = tree_public(tree);
	int ret = 0;

	if (holes == TREE_HOLES_SOURCE)
		return 0;
	for (uint64_t i = 0; ret == 0 && i < nodes->node_count; i++)
		if (nodes->nodes[i]->type == KATAIMG_REG)
			ret = set_holes(tree, tree_node(nodes->nodes[i]), holes, error);
	return ret;
}
