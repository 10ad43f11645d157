/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where everything goes. Made once, by plan.c, from the source alone; write and verify follow it to
 * the letter. A window may be larger: what lies behind the last block stays unused.
 */
#ifndef EROFS_LAYOUT_H
#define EROFS_LAYOUT_H

#include "plugins/erofs/chunk.h"
#include "plugins/erofs/inode.h"
#include "plugins/erofs/pack.h"
#include "plugins/erofs/xattr.h"

struct erofs_segments; /* compress.h */

struct erofs_layout {
	const struct erofs_source *source;
	struct erofs_xattrs *xattrs;
	struct erofs_inode *inodes; /* by node index, and behind them that of the packed file */
	uint64_t inode_count;       /* with it, once the data has its shape */
	struct erofs_chunk_runs chunk_runs;
	struct erofs_segments *segments; /* NULL: nothing is compressed */
	struct erofs_pack *pack;         /* NULL: there is no packed file */
	uint32_t *order;                 /* node indexes by ascending nid */
	uint64_t shared_off;             /* byte where the shared xattrs lie; 0: there are none */
	uint64_t meta_blocks;            /* superblock, inodes, shared xattrs */
	uint64_t blocks;                 /* of the whole filesystem */
	uint32_t feature_incompat;       /* what the layout uses */
};

void erofs_layout_clear(struct erofs_layout *layout);

/* What the index-th inode is of. */
static inline const struct kataimg_node *erofs_layout_node(const struct erofs_layout *layout,
							   uint64_t index)
{
	const struct kataimg_tree *tree = layout->source->tree;

	return index < tree->node_count ? tree->nodes[index] : erofs_pack_node(layout->pack);
}

static inline const struct erofs_inode *erofs_layout_owner(const struct erofs_layout *layout,
							   const struct erofs_inode *inode)
{
	return &layout->inodes[inode->owner];
}

#endif
