/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/shape.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/calloc64.h"
#include "lib/round.h"
#include "plugins/xfs/bmbt.h"

/* The kernel's own range of fork offsets: room for a B+tree root with three pointers in front,
 * for two extents behind. */
#define FORKOFF_UNIT 8u
#define FORKOFF_MIN 7u
#define FORKOFF_MAX 37u
#define FORKOFF_DEVICE 1u

#define CANCEL_INTERVAL 4096u

static bool has_device_fork(const struct kataimg_node *node)
{
	return node->type != KATAIMG_REG && node->type != KATAIMG_DIR && node->type != KATAIMG_LNK;
}

/* Bytes that the data fork would like to have in the inode. */
static uint64_t wanted_data_bytes(const struct kataimg_node *node)
{
	uint64_t bytes = 0;

	switch (node->type) {
	case KATAIMG_REG:
		return node->segment_count * (uint64_t)sizeof(struct xfs_extent_record);
	case KATAIMG_DIR:
		bytes = xfs_dir_short_bytes(node);
		break;
	case KATAIMG_LNK:
		bytes = node->size;
		break;
	}
	return bytes <= XFS_LITERAL_BYTES ? bytes : 0;
}

/* The offset at which attributes of so many bytes just fit behind the data fork. */
static uint32_t short_forkoff(uint32_t short_bytes)
{
	uint32_t forkoff;

	if (short_bytes == 0 || short_bytes > XFS_LITERAL_BYTES)
		return 0;
	forkoff = (XFS_LITERAL_BYTES - short_bytes) / FORKOFF_UNIT;
	return forkoff < FORKOFF_MAX ? forkoff : FORKOFF_MAX;
}

static void choose_leaf(const struct xfs_attrs *attrs, uint32_t forkoff, struct xfs_shape *shape)
{
	xfs_attrs_sort(attrs);
	shape->forkoff = (uint8_t)forkoff;
	shape->attr_format = XFS_FORK_EXTENTS;
	shape->attr_blocks = (uint32_t)xfs_attrs_blocks(attrs);
}

/* Attributes in the inode if the data fork keeps what it wants; else outside if that lets it; else
 * in the inode if they fit at all. */
static void choose_attr_form(const struct kataimg_node *node, const struct xfs_attrs *attrs,
			     struct xfs_shape *shape)
{
	uint64_t wanted = wanted_data_bytes(node);
	uint32_t forkoff = short_forkoff(xfs_attrs_short_bytes(attrs));
	uint32_t least = FORKOFF_MIN;

	shape->attr_format = XFS_FORK_LOCAL;
	shape->forkoff = (uint8_t)forkoff;
	if (has_device_fork(node)) {
		shape->forkoff = FORKOFF_DEVICE;
		if (forkoff < FORKOFF_DEVICE)
			choose_leaf(attrs, FORKOFF_DEVICE, shape);
		return;
	}
	if (wanted > FORKOFF_MIN * FORKOFF_UNIT && wanted <= FORKOFF_MAX * FORKOFF_UNIT)
		least = (uint32_t)div_up(wanted, FORKOFF_UNIT);
	if (forkoff < least)
		choose_leaf(attrs, FORKOFF_MAX, shape);
}

uint32_t xfs_shape_data_bytes(const struct xfs_shape *shape)
{
	return shape->forkoff ? shape->forkoff * FORKOFF_UNIT : XFS_LITERAL_BYTES;
}

bool xfs_shape_is_local(const struct kataimg_node *node, const struct xfs_shape *shape)
{
	if (node->type == KATAIMG_DIR)
		return shape->dir_form == XFS_DIR_SHORT;
	return node->type == KATAIMG_LNK && node->size <= xfs_shape_data_bytes(shape);
}

static void shape_dir(const struct kataimg_node *node, struct xfs_shape *shape)
{
	if (xfs_dir_short_bytes(node) <= xfs_shape_data_bytes(shape)) {
		shape->dir_form = XFS_DIR_SHORT;
		return;
	}
	shape->dir_form = (uint8_t)xfs_dir_choose_form(node);
	shape->dir_blocks = 1;
	if (shape->dir_form != XFS_DIR_BLOCK)
		shape->dir_blocks = (uint32_t)xfs_dir_data_blocks(node);
}

struct xfs_dir_shape xfs_shape_of_dir(const struct kataimg_node *node,
				      const struct xfs_shape *shape)
{
	return xfs_dir_shape_of(node, shape->dir_form, shape->dir_blocks);
}

uint32_t xfs_shape_stretches(const struct kataimg_node *node, const struct xfs_shape *shape)
{
	if (node->type == KATAIMG_REG)
		return node->segment_count;
	if (xfs_shape_is_local(node, shape) || has_device_fork(node))
		return 0;
	if (node->type == KATAIMG_LNK)
		return 1;
	return shape->dir_form == XFS_DIR_NODE ? 3 : shape->dir_form == XFS_DIR_LEAF ? 2 : 1;
}

static struct xfs_stretch dir_stretch(const struct kataimg_node *node,
				      const struct xfs_shape *shape, uint32_t index)
{
	struct xfs_dir_shape dir = xfs_shape_of_dir(node, shape);
	struct xfs_stretch stretches[] = {
		{ 0, dir.data_blocks },
		{ XFS_DIR_LEAF_BLOCK, dir.leaf_blocks },
		{ XFS_DIR_FREE_BLOCK, dir.free_blocks },
	};

	return stretches[index];
}

struct xfs_stretch xfs_shape_stretch(const struct kataimg_node *node, const struct xfs_shape *shape,
				     uint32_t index)
{
	if (node->type == KATAIMG_REG)
		return (struct xfs_stretch){
			.file_block = node->segments[index].file_off >> XFS_BLOCK_LOG,
			.blocks = div_up(node->segments[index].len, XFS_BLOCK_BYTES),
		};
	if (node->type == KATAIMG_DIR)
		return dir_stretch(node, shape, index);
	return (struct xfs_stretch){ .file_block = 0, .blocks = 1 };
}

static uint64_t count_blocks(const struct kataimg_node *node, const struct xfs_shape *shape)
{
	uint32_t stretches = xfs_shape_stretches(node, shape);
	uint32_t fork_bytes = xfs_shape_data_bytes(shape);
	uint64_t blocks = shape->attr_blocks;
	struct xfs_bmbt tree;

	for (uint32_t i = 0; i < stretches; i++)
		blocks += xfs_shape_stretch(node, shape, i).blocks;
	if (stretches <= fork_bytes / sizeof(struct xfs_extent_record))
		return blocks;
	xfs_bmbt_init(&tree, NULL, stretches, fork_bytes);
	return blocks + xfs_bmbt_blocks(&tree);
}

static uint8_t find_needs(const struct kataimg_node *node, const struct xfs_shape *shape,
			  uint64_t huge_bytes)
{
	uint8_t needs = shape->attr_blocks ? XFS_NEED_ATTRS : 0;

	if (xfs_shape_stretches(node, shape) == 0)
		return needs;
	if (node->type != KATAIMG_REG)
		return needs | XFS_NEED_METADATA;
	if (huge_bytes && node->size >= huge_bytes)
		needs |= XFS_NEED_HUGE;
	return needs | XFS_NEED_DATA;
}

struct xfs_attrs xfs_shape_attrs(const struct xfs_shapes *shapes, const struct kataimg_node *node)
{
	const struct xfs_shape *shape = &shapes->of[node->index];

	return (struct xfs_attrs){
		.items = shape->attr_count ? &shapes->attrs.items.items[shape->attr_first] : NULL,
		.count = shape->attr_count,
	};
}

static int shape_node(struct xfs_shapes *shapes, const struct kataimg_node *node,
		      uint64_t huge_bytes)
{
	struct xfs_shape *shape = &shapes->of[node->index];
	struct xfs_attrs attrs;
	int ret;

	shape->attr_first = shapes->attrs.items.count;
	ret = xfs_attrs_add(&shapes->attrs, node);
	if (ret < 0)
		return ret;
	shape->attr_count = (uint32_t)(shapes->attrs.items.count - shape->attr_first);
	shape->attr_format = XFS_FORK_EXTENTS;
	attrs = xfs_shape_attrs(shapes, node);
	if (attrs.count)
		choose_attr_form(node, &attrs, shape);
	if (node->type == KATAIMG_DIR)
		shape_dir(node, shape);
	shape->needs = find_needs(node, shape, huge_bytes);
	shapes->blocks += count_blocks(node, shape);
	return 0;
}

int xfs_shapes_make(struct xfs_shapes *shapes, const struct kataimg_host *host,
		    const struct kataimg_tree *tree, uint64_t huge_bytes)
{
	int ret = 0;

	*shapes = (struct xfs_shapes){ .of = calloc64(tree->node_count, sizeof(*shapes->of)) };
	if (!shapes->of)
		return -ENOMEM;
	for (uint64_t i = 0; ret == 0 && i < tree->node_count; i++) {
		if (i % CANCEL_INTERVAL == 0 && host->cancelled(host->ctx))
			return -ECANCELED;
		ret = shape_node(shapes, tree->nodes[i], huge_bytes);
	}
	return ret;
}

void xfs_shapes_clear(struct xfs_shapes *shapes)
{
	free(shapes->of);
	xfs_attrs_clear(&shapes->attrs);
	*shapes = (struct xfs_shapes){ 0 };
}
