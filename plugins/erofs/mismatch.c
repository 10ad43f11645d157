/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/mismatch.h"

#include <errno.h>
#include <inttypes.h>

int erofs_mismatch_of(const struct erofs_layout *layout, const struct kataimg_node *node,
		      const char *what)
{
	const struct kataimg_host *host = layout->source->host;
	char path[256];

	host->error(host->ctx, "read back, %s of %s is not what was written", what,
		    host->path(host->ctx, node, path, sizeof(path)));
	return -EUCLEAN;
}

static bool is_within(uint64_t off, uint64_t start, uint64_t bytes)
{
	return off >= start && off - start < bytes;
}

static bool holds_byte(const struct erofs_layout *layout, const struct kataimg_node *node,
		       uint64_t off)
{
	const struct erofs_inode *inode = &layout->inodes[node->index];

	if (is_within(off, inode->nid * EROFS_SLOT_BYTES,
		      erofs_inode_head_bytes(inode) + erofs_inode_tail_bytes(inode)))
		return true;
	return node->type != KATAIMG_REG &&
	       is_within(off, (uint64_t)inode->start_block * EROFS_BLOCK_BYTES,
			 (uint64_t)inode->blocks * EROFS_BLOCK_BYTES);
}

int erofs_mismatch_at(const struct erofs_layout *layout, uint64_t off)
{
	const struct kataimg_host *host = layout->source->host;
	const struct kataimg_tree *tree = layout->source->tree;

	for (uint64_t i = 0; i < tree->node_count; i++)
		if (holds_byte(layout, tree->nodes[i], off))
			return erofs_mismatch_of(layout, tree->nodes[i], "the metadata");
	host->error(host->ctx,
		    "read back, byte %" PRIu64 " of the metadata is not what was written", off);
	return -EUCLEAN;
}
