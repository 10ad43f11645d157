/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree of its own for who changes what others have, too. What an edit replaces but never changes
 * in place (names, values, targets, segments, ranges) stays the original's; nodes, and the lists of
 * entries and attributes that edits work in, are copied.
 */
#include <stdlib.h>
#include <string.h>

#include "core/tree/model.h"

#include "lib/calloc64.h"

struct duplication {
	const struct tree *origin;
	struct tree *tree;
	struct tree_node *nodes; /* by their index */
};

static const struct kataimg_node *twin(const struct duplication *work,
				       const struct kataimg_node *node)
{
	return &work->nodes[node->index].pub;
}

static int copy_entries(struct duplication *work, struct kataimg_node *node)
{
	struct kataimg_entry *entries =
		arena_array(&work->tree->arena, node->entry_count, sizeof(*entries));

	if (!entries)
		return -1;
	for (uint32_t i = 0; i < node->entry_count; i++) {
		entries[i] = node->entries[i];
		entries[i].node = twin(work, node->entries[i].node);
	}
	node->entries = entries;
	return 0;
}

static int copy_xattrs(struct duplication *work, struct kataimg_node *node)
{
	struct kataimg_xattr *xattrs =
		arena_array(&work->tree->arena, node->xattr_count, sizeof(*xattrs));

	if (!xattrs)
		return -1;
	memcpy(xattrs, node->xattrs, node->xattr_count * sizeof(*xattrs));
	node->xattrs = xattrs;
	return 0;
}

static int copy_node(struct duplication *work, uint64_t index)
{
	struct kataimg_node *node = &work->nodes[index].pub;

	work->nodes[index] = *tree_node(work->origin->nodes[index]);
	work->tree->nodes[index] = node;
	node->parent = twin(work, node->parent);
	if (node->entry_count > 0 && copy_entries(work, node) < 0)
		return -1;
	return node->xattr_count > 0 ? copy_xattrs(work, node) : 0;
}

static int copy_nodes(struct duplication *work)
{
	uint64_t count = work->origin->pub.node_count;
	struct tree *tree = work->tree;

	tree->nodes = calloc64(count, sizeof(*tree->nodes));
	work->nodes = arena_array(&tree->arena, (size_t)count, sizeof(*work->nodes));
	if (!tree->nodes || !work->nodes)
		return -1;
	for (uint64_t i = 0; i < count; i++)
		if (copy_node(work, i) < 0)
			return -1;
	tree->root = work->nodes;
	tree->all_nodes = count;
	tree->names = work->origin->names;
	tree->pub.nodes = tree->nodes;
	tree->pub.node_count = count;
	return 0;
}

static int copy_sources(struct duplication *work)
{
	const struct tree *origin = work->origin;
	struct tree *tree = work->tree;

	tree->root_fd = origin->root_fd;
	if (origin->source_count == 0)
		return 0;
	tree->sources = calloc(origin->source_count, sizeof(*tree->sources));
	if (!tree->sources)
		return -1;
	memcpy(tree->sources, origin->sources, origin->source_count * sizeof(*tree->sources));
	tree->source_count = tree->borrowed_sources = origin->source_count;
	return 0;
}

struct tree *tree_duplicate(struct tree *origin)
{
	struct duplication work = { .origin = origin, .tree = tree_new() };

	if (!work.tree)
		return NULL;
	work.tree->origin = tree_share(origin);
	if (copy_nodes(&work) == 0 && copy_sources(&work) == 0)
		return work.tree;
	tree_free(work.tree);
	return NULL;
}
