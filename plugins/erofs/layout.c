/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/layout.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/round.h"
#include "plugins/erofs/inode.h"
#include "plugins/erofs/slots.h"
#include "plugins/erofs/super.h"
#include "plugins/erofs/xattr.h"
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
	if (inode->layout == EROFS_COMPRESSED_COMPACT)
		inode->index_bytes = erofs_zmap_bytes(inode);
	inode->chunk_bits = owner->chunk_bits;
	inode->big_clusters = owner->big_clusters;
}

/* Data that several files share lies in whole blocks. */
static void layout_file(struct erofs *fs, const struct kataimg_node *node,
			struct erofs_inode *inode)
{
	if (inode->owner != node->index)
		share_layout(erofs_owner(fs, inode), inode);
	else if (inode->layout == EROFS_FLAT_PLAIN)
		layout_flat(inode, fs->options.data == EROFS_DATA_PACKED && inode->copies == 1);
}

static void note_features(struct erofs *fs, const struct erofs_inode *inode)
{
	if (inode->layout == EROFS_CHUNK_BASED)
		fs->feature_incompat |= EROFS_INCOMPAT_CHUNKED_FILE;
	if (inode->layout == EROFS_COMPRESSED_COMPACT)
		fs->feature_incompat |= EROFS_INCOMPAT_ZERO_PADDING;
	if (inode->big_clusters)
		fs->feature_incompat |= EROFS_INCOMPAT_COMPR_CFGS;
}

static void layout_node(struct erofs *fs, const struct kataimg_node *node)
{
	struct erofs_inode *inode = &fs->inodes[node->index];

	if (node->type == KATAIMG_REG)
		layout_file(fs, node, inode);
	else
		layout_flat(inode, true);
	note_features(fs, inode);
}

static uint64_t need_slots(const struct erofs_inode *inode)
{
	uint64_t bytes = erofs_inode_head_bytes(inode) + erofs_inode_tail_bytes(inode);

	return div_up(bytes, EROFS_SLOT_BYTES);
}

/* Inodes get their places by rising class; within one in the tree's order, as neighbours. */
static uint32_t place_class(const struct erofs *fs, const struct erofs_inode *inode)
{
	uint64_t need = need_slots(inode);

	/* The largest first leaves the least room unused. */
	if (fs->options.data != EROFS_DATA_PACKED || need > BLOCK_SLOTS)
		return 0;
	return BLOCK_SLOTS + 1 - (uint32_t)need;
}

/* The root's number has 16 bits: it is first. */
static void order_inodes(struct erofs *fs)
{
	uint64_t next[BLOCK_SLOTS + 2] = { 1 };
	uint64_t count = fs->tree->node_count;

	fs->order[0] = 0;
	for (uint64_t i = 1; i < count; i++)
		next[place_class(fs, &fs->inodes[i]) + 1]++;
	for (uint32_t i = 1; i < BLOCK_SLOTS + 2; i++)
		next[i] += next[i - 1];
	for (uint64_t i = 1; i < count; i++)
		fs->order[next[place_class(fs, &fs->inodes[i])]++] = (uint32_t)i;
}

static int take_slots(struct erofs *fs, struct erofs_slots *slots, uint64_t bytes, uint64_t *off)
{
	int err = erofs_slots_take(slots, bytes, off);

	if (err == -ENOMEM)
		erofs_error(fs, "out of memory");
	else if (err)
		erofs_error(fs, "the metadata needs more blocks than EROFS can number");
	return err;
}

static int take_places(struct erofs *fs, struct erofs_slots *slots)
{
	uint64_t shared_bytes = erofs_xattrs_shared_bytes(fs->xattrs);
	int err = 0;

	for (uint64_t i = 0; i < fs->tree->node_count && !err; i++) {
		struct erofs_inode *inode = &fs->inodes[fs->order[i]];
		uint64_t off = 0;

		err = take_slots(fs, slots, need_slots(inode) * EROFS_SLOT_BYTES, &off);
		inode->nid = off / EROFS_SLOT_BYTES;
	}
	if (!err && shared_bytes)
		err = take_slots(fs, slots, shared_bytes, &fs->shared_off);
	fs->meta_blocks = erofs_slots_blocks(slots);
	return err;
}

static int compare_nids(const void *a, const void *b, void *arg)
{
	const struct erofs *fs = arg;
	uint64_t x = fs->inodes[*(const uint32_t *)a].nid;
	uint64_t y = fs->inodes[*(const uint32_t *)b].nid;

	return (x > y) - (x < y);
}

int erofs_layout_plan(struct erofs *fs)
{
	uint64_t count = fs->tree->node_count;
	struct erofs_slots *slots;
	int err;

	for (uint64_t i = 0; i < count; i++)
		layout_node(fs, fs->tree->nodes[i]);
	fs->order = erofs_alloc(fs, count, sizeof(*fs->order));
	if (!fs->order)
		return -ENOMEM;
	slots = erofs_slots_new(EROFS_SUPER_OFFSET + erofs_super_bytes(fs->feature_incompat));
	if (!slots) {
		erofs_error(fs, "out of memory");
		return -ENOMEM;
	}
	order_inodes(fs);
	err = take_places(fs, slots);
	erofs_slots_free(slots);
	qsort_r(fs->order, count, sizeof(*fs->order), compare_nids, fs);
	return err;
}
