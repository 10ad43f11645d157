/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/holes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/tree/content.h"
#include "core/tree/node.h"
#include "core/tree/reader.h"
#include "core/tree/segments.h"
#include "lib/calloc64.h"

struct reading {
	const struct tree *tree;
	const struct kataimg_node *node;
	struct error *error;
};

/* Of a source that has not all of its bytes: they need not be there for this. */
static int peek(const struct reading *reading, const struct tree_later *later, uint64_t off,
		char *buf, size_t len)
{
	uint64_t at = off, end = off + len;
	struct tree_extent extent;

	while (tree_next_extent(reading->tree, reading->node, at, end, &extent)) {
		int ret = later->peek(later->arg, extent.source_off, buf + (extent.file_off - off),
				      (size_t)extent.len, reading->error);

		if (ret < 0)
			return ret;
		memset(buf + (at - off), 0, (size_t)(extent.file_off - at));
		at = extent.file_off + extent.len;
	}
	memset(buf + (at - off), 0, (size_t)(end - at));
	return 0;
}

static int read_node(void *arg, uint64_t off, void *buf, size_t len)
{
	const struct reading *reading = arg;
	const struct tree_source *source = tree_source_of(reading->tree, reading->node);

	if (source && source->later.peek)
		return peek(reading, &source->later, off, buf, len);
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

/* Where a file's bytes begin. */
struct place {
	const struct kataimg_node *node;
	uint64_t off;
	uint64_t index; /* of the node */
	uint16_t source;
};

static struct place place_of(const struct kataimg_node *node, uint64_t index)
{
	bool is_shared = tree_node(node)->content_kind >= TREE_CONTENT_STRETCH;

	return (struct place){ .node = node,
			       .off = tree_source_off(node),
			       .index = index,
			       .source = is_shared ? tree_node(node)->source : 0 };
}

static int compare_places(const void *a, const void *b)
{
	const struct place *one = a, *two = b;

	if (one->source != two->source)
		return one->source < two->source ? -1 : 1;
	if (one->off != two->off)
		return one->off < two->off ? -1 : 1;
	return (one->index > two->index) - (one->index < two->index);
}

/* In the order of their sources: an archive is gone through once. */
int tree_set_holes(struct tree *tree, enum tree_holes holes, struct error *error)
{
	const struct kataimg_tree *nodes = tree_public(tree);
	autofree struct place *places = NULL;
	uint64_t count = 0;
	int ret = 0;

	if (holes == TREE_HOLES_SOURCE)
		return 0;
	places = calloc64(nodes->node_count, sizeof(*places));
	if (!places)
		return error_nomem(error);
	for (uint64_t i = 0; i < nodes->node_count; i++)
		if (nodes->nodes[i]->type == KATAIMG_REG)
			places[count++] = place_of(nodes->nodes[i], i);
	qsort(places, (size_t)count, sizeof(*places), compare_places);
	for (uint64_t i = 0; ret == 0 && i < count; i++)
		ret = set_holes(tree, tree_node(places[i].node), holes, error);
	return ret;
}
