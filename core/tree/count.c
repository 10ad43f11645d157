/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/model.h"

static void count_node(const struct kataimg_node *node, struct tree_counts *counts)
{
	uint64_t *const by_type[] = {
		[KATAIMG_REG] = &counts->files,    [KATAIMG_DIR] = &counts->directories,
		[KATAIMG_CHR] = &counts->devices,  [KATAIMG_BLK] = &counts->devices,
		[KATAIMG_FIFO] = &counts->fifos,   [KATAIMG_SOCK] = &counts->sockets,
		[KATAIMG_LNK] = &counts->symlinks,
	};

	++*by_type[node->type];
	counts->nodes++;
	counts->names += node->entry_count;
	counts->xattrs += node->xattr_count;
	if (node->type != KATAIMG_DIR)
		counts->hardlinks += node->nlink - 1;
	if (node->type == KATAIMG_REG)
		counts->file_bytes += node->size;
	for (uint32_t i = 0; i < node->segment_count; i++)
		counts->data_bytes += node->segments[i].len;
}

void tree_count(const struct tree *tree, struct tree_counts *counts)
{
	const struct kataimg_tree *pub = tree_public(tree);

	*counts = (struct tree_counts){ 0 };
	for (uint64_t i = 0; i < pub->node_count; i++)
		count_node(pub->nodes[i], counts);
}

int64_t tree_newest_mtime(const struct tree *tree)
{
	const struct kataimg_tree *pub = tree_public(tree);
	int64_t newest = 1;

	for (uint64_t i = 0; i < pub->node_count; i++)
		if (pub->nodes[i]->mtime_sec > newest)
			newest = pub->nodes[i]->mtime_sec;
	return newest;
}

uint64_t tree_count_flagged(const struct tree *tree, const struct kataimg_node **first)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i < tree->pub.node_count; i++)
		if (tree_node(tree->nodes[i])->flagged && count++ == 0)
			*first = tree->nodes[i];
	return count;
}
