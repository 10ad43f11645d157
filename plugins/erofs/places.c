/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/places.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/calloc64.h"
#include "lib/cleanup.h"
#include "lib/round.h"
#include "plugins/erofs/slots.h"
#include "plugins/erofs/super.h"
#include "plugins/erofs/zmap.h"

#define BLOCK_SLOTS (EROFS_BLOCK_BYTES / EROFS_SLOT_BYTES)

/* Flat data of inode->size bytes; its last part follows the inode where it may and fits a block. */
static void layout_flat(struct erofs_inode *inode, bool may_inline)
{
	uint32_t tail = inode->size % EROFS_BLOCK_BYTES;

	inode->layout = EROFS_FLAT_PLAIN;
	inode->blocks = (uint32_t)erofs_blocks_of(inode->size);
	if (!may_inline || !tail || erofs_inode_head_bytes(inode) + tail > EROFS_BLOCK_BYTES)
		return;
	inode->layout = EROFS_FLAT_INLINE;
	inode->blocks--;
}

static void share_layout(const struct erofs_inode *owner, struct erofs_inode *inode)
{
	inode->layout = owner->layout;
	inode->blocks = owner->blocks;
	inode->index_bytes = owner->index_bytes;
	inode->tail = owner->tail;
	inode->tail_bytes = owner->tail_bytes;
	inode->fragment_off = owner->fragment_off;
	if (inode->layout == EROFS_COMPRESSED_COMPACT)
		inode->index_bytes = erofs_zmap_bytes(inode);
	inode->chunk_bits = owner->chunk_bits;
	inode->big_clusters = owner->big_clusters;
}

/* Data that several files share lies in whole blocks. */
static void layout_file(struct erofs_layout *layout, const struct kataimg_node *node,
			struct erofs_inode *inode)
{
	if (inode->owner != node->index)
		share_layout(erofs_layout_owner(layout, inode), inode);
	else if (inode->layout == EROFS_FLAT_PLAIN)
		layout_flat(inode, !inode->mapped && inode->copies == 1);
}

static uint32_t features_of(const struct erofs_inode *inode, enum erofs_compress compress)
{
	uint32_t features = inode->big_clusters ? EROFS_INCOMPAT_COMPR_CFGS : 0;

	if (inode->layout == EROFS_CHUNK_BASED)
		features |= EROFS_INCOMPAT_CHUNKED_FILE;
	if (inode->layout == EROFS_COMPRESSED_COMPACT)
		features |= EROFS_INCOMPAT_ZERO_PADDING;
	/* Other algorithms than LZ4 are named behind the superblock. */
	if (inode->layout == EROFS_COMPRESSED_COMPACT && compress == EROFS_COMPRESS_ZSTD)
		features |= EROFS_INCOMPAT_COMPR_CFGS;
	if (inode->tail == EROFS_TAIL_INLINE)
		features |= EROFS_INCOMPAT_ZTAILPACKING;
	if (inode->tail == EROFS_TAIL_FRAGMENT || inode->tail == EROFS_TAIL_WHOLE)
		features |= EROFS_INCOMPAT_FRAGMENTS;
	return features;
}

static void layout_node(struct erofs_layout *layout, const struct kataimg_node *node)
{
	struct erofs_inode *inode = &layout->inodes[node->index];

	if (node->type == KATAIMG_REG)
		layout_file(layout, node, inode);
	else
		layout_flat(inode, true);
	layout->feature_incompat |= features_of(inode, layout->source->options.compress);
}

static uint64_t need_slots(const struct erofs_inode *inode)
{
	uint64_t bytes = erofs_inode_head_bytes(inode) + erofs_inode_tail_bytes(inode);

	return div_up(bytes, EROFS_SLOT_BYTES);
}

/* Inodes get their places by rising class; within one in the tree's order, as neighbours. */
static uint32_t place_class(const struct erofs_source *source, const struct erofs_inode *inode)
{
	uint64_t need = need_slots(inode);

	/* The largest first leaves the least room unused. */
	if (source->options.data == EROFS_DATA_DAX || need > BLOCK_SLOTS)
		return 0;
	return BLOCK_SLOTS + 1 - (uint32_t)need;
}

/* The root's number has 16 bits: it is first. */
static void order_inodes(struct erofs_layout *layout)
{
	const struct erofs_source *source = layout->source;
	uint64_t next[BLOCK_SLOTS + 2] = { 1 };
	uint64_t count = layout->inode_count;

	layout->order[0] = 0;
	for (uint64_t i = 1; i < count; i++)
		next[place_class(source, &layout->inodes[i]) + 1]++;
	for (uint32_t i = 1; i < BLOCK_SLOTS + 2; i++)
		next[i] += next[i - 1];
	for (uint64_t i = 1; i < count; i++)
		layout->order[next[place_class(source, &layout->inodes[i])]++] = (uint32_t)i;
}

static int take_slots(struct erofs_layout *layout, struct erofs_slots *slots, uint64_t bytes,
		      uint64_t *off)
{
	const struct kataimg_host *host = layout->source->host;
	int ret = erofs_slots_take(slots, bytes, off);

	if (ret == -EFBIG)
		host->error(host->ctx, "the metadata needs more blocks than EROFS can number");
	return ret;
}

static int take_places(struct erofs_layout *layout, struct erofs_slots *slots)
{
	uint64_t shared_bytes = erofs_xattrs_shared_bytes(layout->xattrs);
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < layout->inode_count; i++) {
		struct erofs_inode *inode = &layout->inodes[layout->order[i]];
		uint64_t off = 0;

		ret = take_slots(layout, slots, need_slots(inode) * EROFS_SLOT_BYTES, &off);
		inode->nid = off / EROFS_SLOT_BYTES;
	}
	if (ret == 0 && shared_bytes)
		ret = take_slots(layout, slots, shared_bytes, &layout->shared_off);
	layout->meta_blocks = erofs_slots_blocks(slots);
	return ret;
}

static int compare_nids(const void *a, const void *b, void *arg)
{
	const struct erofs_inode *inodes = arg;
	uint64_t x = inodes[*(const uint32_t *)a].nid;
	uint64_t y = inodes[*(const uint32_t *)b].nid;

	return (x > y) - (x < y);
}

DEFINE_CLEANUP(struct erofs_slots, erofs_slots_free)

int erofs_places_take(struct erofs_layout *layout)
{
	struct erofs_slots *slots autocall(cleanup_erofs_slots_free) = NULL;
	int ret;

	for (uint64_t i = 0; i < layout->inode_count; i++)
		layout_node(layout, erofs_layout_node(layout, i));
	layout->order = calloc64(layout->inode_count, sizeof(*layout->order));
	slots = erofs_slots_new(EROFS_SUPER_OFFSET + erofs_super_bytes(layout));
	if (!layout->order || !slots)
		return -ENOMEM;
	order_inodes(layout);
	ret = take_places(layout, slots);
	qsort_r(layout->order, (size_t)layout->inode_count, sizeof(*layout->order), compare_nids,
		layout->inodes);
	return ret;
}
