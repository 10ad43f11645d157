/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/plan.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/calloc64.h"
#include "plugins/erofs/compress.h"
#include "plugins/erofs/data.h"
#include "plugins/erofs/dedupe.h"
#include "plugins/erofs/dir.h"
#include "plugins/erofs/mapped.h"
#include "plugins/erofs/places.h"

/* What the steps start from: plain data of its own for every node. */
static void begin_inode(struct erofs_layout *layout, const struct kataimg_node *node)
{
	struct erofs_inode *inode = &layout->inodes[node->index];

	inode->size = node->type == KATAIMG_DIR ? erofs_dir_bytes(node) : node->size;
	inode->xattr_bytes = erofs_xattrs_node_bytes(layout->xattrs, node);
	inode->extended = erofs_inode_is_extended(layout->source->job, node, inode->size);
	inode->owner = node->index;
	inode->copies = 1;
	inode->mapped = erofs_is_mapped(layout->source, node);
}

static int begin_inodes(struct erofs_layout *layout)
{
	const struct kataimg_tree *tree = layout->source->tree;

	layout->inode_count = tree->node_count;
	/* And one for the packed file. */
	layout->inodes = calloc64(tree->node_count + 1, sizeof(*layout->inodes));
	if (!layout->inodes)
		return -ENOMEM;
	for (uint64_t i = 0; i < tree->node_count; i++)
		begin_inode(layout, tree->nodes[i]);
	return 0;
}

/* Where the bytes of each file come from, and in which form they are stored. */
static int shape_data(struct erofs_layout *layout)
{
	const struct erofs_source *source = layout->source;
	int ret = 0;

	if (source->options.dedupe)
		ret = erofs_dedupe_share(source, layout->inodes);
	if (ret < 0)
		return ret;
	ret = erofs_chunks_plan(source, layout->inodes, &layout->chunk_runs);
	if (ret < 0 || source->options.compress == EROFS_COMPRESS_NONE)
		return ret;
	return erofs_compress_plan(layout);
}

int erofs_plan_layout(struct erofs_layout *layout, const struct erofs_source *source)
{
	int ret;

	*layout = (struct erofs_layout){ .source = source };
	ret = erofs_xattrs_make(source, &layout->xattrs);
	if (ret < 0)
		return ret;
	ret = begin_inodes(layout);
	if (ret < 0)
		return ret;
	ret = shape_data(layout);
	if (ret < 0)
		return ret;
	ret = erofs_places_take(layout);
	return ret < 0 ? ret : erofs_data_assign(layout);
}
