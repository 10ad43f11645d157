/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "lib/round.h"
#include "plugins/xfs/bmbt.h"
#include "plugins/xfs/layout.h"

#define CANCEL_INTERVAL 4096u

static int push_extent(struct xfs_layout *layout, uint64_t file_block, uint64_t start,
		       uint64_t blocks)
{
	struct xfs_extent *extent;

	if (layout->extents.count == UINT32_MAX)
		return -EFBIG;
	extent = array_add(&layout->extents);
	if (!extent)
		return -ENOMEM;
	*extent = (struct xfs_extent){
		.file_block = file_block,
		.start = start & XFS_EXTENT_START_MAX,
		.blocks = blocks & XFS_EXTENT_MAX_BLOCKS,
	};
	return 0;
}

/* Makes the fork's last extent longer by this, if that can be. */
static bool extend_last(struct xfs_layout *layout, uint64_t file_block, uint64_t start,
			uint64_t blocks)
{
	struct xfs_extent *last;

	if (layout->extents.count == layout->fork_first)
		return false;
	last = &layout->extents.items[layout->extents.count - 1];
	if (last->file_block + last->blocks != file_block || last->start + last->blocks != start ||
	    last->blocks + blocks > XFS_EXTENT_MAX_BLOCKS)
		return false;
	last->blocks = (last->blocks + blocks) & XFS_EXTENT_MAX_BLOCKS;
	return true;
}

/* Maps blocks, in as few extents as their length allows. */
static int map_blocks(void *arg, uint64_t file_block, uint64_t start, uint64_t blocks)
{
	struct xfs_layout *layout = arg;
	int ret = 0;

	if (extend_last(layout, file_block, start, blocks))
		return 0;
	while (ret == 0 && blocks) {
		uint64_t most = XFS_EXTENT_MAX_BLOCKS;
		uint64_t part = most - (file_block + most) % XFS_EXTENT_CUT_BLOCKS;

		if (part > blocks)
			part = blocks;
		ret = push_extent(layout, file_block, start, part);
		file_block += part;
		start += part;
		blocks -= part;
	}
	return ret;
}

/* From now on, extents are another fork's: the number of its first. */
static uint32_t begin_fork(struct xfs_layout *layout)
{
	layout->fork_first = layout->extents.count;
	return (uint32_t)layout->fork_first;
}

static int place_blocks(struct xfs_layout *layout, uint64_t file_block, uint64_t blocks)
{
	struct placer_run run = { .wanted = blocks };

	return placer_place(&layout->placer, &run, file_block, blocks);
}

/* Ends a data fork: its extents are mapped, and get a tree when the inode cannot hold them. */
static int finish_fork(struct xfs_layout *layout, const struct xfs_shape *shape,
		       struct xfs_place *place)
{
	uint32_t fork_bytes = xfs_shape_data_bytes(shape);
	uint32_t tree_first = begin_fork(layout);
	struct xfs_bmbt tree;
	int ret;

	place->count = tree_first - place->first;
	if (place->count <= fork_bytes / sizeof(struct xfs_extent_record))
		return 0;
	xfs_bmbt_init(&tree, NULL, place->count, fork_bytes);
	ret = place_blocks(layout, 0, xfs_bmbt_blocks(&tree));
	place->tree_count = (uint32_t)(layout->extents.count - tree_first);
	return ret;
}

/* One piece: the fork then has one extent, which always fits the inode. */
static int place_attrs(struct xfs_layout *layout, uint64_t index)
{
	layout->places[index].attr = begin_fork(layout);
	return placer_place_whole(&layout->placer, 0, layout->source->shapes.of[index].attr_blocks);
}

static int place_metadata(struct xfs_layout *layout, uint64_t index)
{
	const struct kataimg_node *node = layout->source->tree->nodes[index];
	const struct xfs_shape *shape = &layout->source->shapes.of[index];
	struct xfs_place *place = &layout->places[index];
	uint32_t stretches = xfs_shape_stretches(node, shape);
	int ret = 0;

	place->first = begin_fork(layout);
	for (uint32_t i = 0; ret == 0 && i < stretches; i++) {
		struct xfs_stretch stretch = xfs_shape_stretch(node, shape, i);

		ret = place_blocks(layout, stretch.file_block, stretch.blocks);
	}
	return ret < 0 ? ret : finish_fork(layout, shape, place);
}

/* The huge pages within a stretch. */
static struct xfs_stretch huge_part(const struct xfs_source *source, struct xfs_stretch stretch)
{
	uint64_t end = stretch.file_block + stretch.blocks;
	uint64_t first = round_up(stretch.file_block, source->huge_blocks);

	end -= end % source->huge_blocks;
	return (struct xfs_stretch){ first, end > first ? end - first : 0 };
}

static int place_large_stretch(struct xfs_layout *layout, struct xfs_stretch stretch)
{
	struct xfs_stretch pages = huge_part(layout->source, stretch);
	uint64_t placed;
	int ret = -ENOSPC;

	if (pages.blocks == 0)
		return 0;
	if (layout->packing == XFS_PACK_WHOLE)
		ret = placer_place_huge(&layout->placer, stretch.file_block, stretch.blocks);
	if (ret != -ENOSPC)
		return ret;
	ret = placer_place_pages(&layout->placer, PLACER_WHOLE_OR_LOWEST, pages.file_block,
				 pages.blocks, &placed);
	return ret == 0 && placed < pages.blocks ? -ENOSPC : ret;
}

/* The large stretches of a file; place_file places the rest. */
static int place_large(struct xfs_layout *layout, uint64_t index)
{
	const struct kataimg_node *node = layout->source->tree->nodes[index];
	const struct xfs_shape *shape = &layout->source->shapes.of[index];
	struct xfs_place *place = &layout->places[index];
	int ret = 0;

	place->first = begin_fork(layout);
	for (uint32_t i = 0; ret == 0 && i < node->segment_count; i++)
		ret = place_large_stretch(layout, xfs_shape_stretch(node, shape, i));
	place->count = (uint32_t)(layout->extents.count - place->first);
	return ret;
}

/* Places what place_large left of a stretch; *done is the next of its extents, of which there are
 * none from `end` on. All go to the new list in order. */
static int place_rest(struct xfs_layout *layout, struct xfs_stretch stretch, uint64_t *done,
		      uint64_t end)
{
	uint64_t stretch_end = stretch.file_block + stretch.blocks;
	uint64_t at = stretch.file_block;
	int ret = 0;

	while (ret == 0 && at < stretch_end) {
		struct xfs_extent next = { .file_block = stretch_end };

		if (*done < end && layout->extents.items[*done].file_block < stretch_end)
			next = layout->extents.items[*done];
		if (at < next.file_block) {
			ret = place_blocks(layout, at, next.file_block - at);
			at = next.file_block;
			continue;
		}
		ret = map_blocks(layout, at, next.start, next.blocks);
		at += next.blocks;
		++*done;
	}
	return ret;
}

static int place_file(struct xfs_layout *layout, uint64_t index)
{
	const struct kataimg_node *node = layout->source->tree->nodes[index];
	const struct xfs_shape *shape = &layout->source->shapes.of[index];
	struct xfs_place *place = &layout->places[index];
	uint64_t done = place->first;
	uint64_t end = done + place->count;
	int ret = 0;

	place->first = begin_fork(layout);
	for (uint32_t i = 0; ret == 0 && i < node->segment_count; i++)
		ret = place_rest(layout, xfs_shape_stretch(node, shape, i), &done, end);
	return ret < 0 ? ret : finish_fork(layout, shape, place);
}

static int place_all(struct xfs_layout *layout, enum xfs_need need,
		     int (*place)(struct xfs_layout *, uint64_t index))
{
	const struct kataimg_host *host = layout->source->host;
	uint64_t count = layout->source->tree->node_count;
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < count; i++) {
		if (i % CANCEL_INTERVAL == 0 && host->cancelled(host->ctx))
			return -ECANCELED;
		if (layout->source->shapes.of[i].needs & need)
			ret = place(layout, i);
	}
	return ret;
}

/* Tightly packed, everything else leaves the huge pages alone and fills the gaps between. */
int xfs_layout_place_forks(struct xfs_layout *layout)
{
	const struct xfs_source *source = layout->source;
	bool tight = layout->packing == XFS_PACK_TIGHT;
	int ret;

	layout->placer = (struct placer){
		.space = layout->space,
		.huge_blocks = source->huge_blocks,
		.window_blocks = source->window_blocks,
		.map = map_blocks,
		.arg = layout,
	};
	ret = tight ? place_all(layout, XFS_NEED_HUGE, place_large) : 0;
	if (ret < 0)
		return ret;
	ret = place_all(layout, XFS_NEED_ATTRS, place_attrs);
	if (ret < 0)
		return ret;
	ret = place_all(layout, XFS_NEED_METADATA, place_metadata);
	if (ret < 0)
		return ret;
	ret = tight ? 0 : place_all(layout, XFS_NEED_HUGE, place_large);
	if (ret < 0)
		return ret;
	ret = place_all(layout, XFS_NEED_DATA, place_file);
	layout->missing = layout->placer.missing;
	return ret == 0 && layout->missing ? -ENOSPC : ret;
}
