/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of allocation: what ext4 has of its own, packed at the start; large files on huge-page
 * boundaries; directories; everything else, by halving sizes, into the gaps and behind.
 */
#include "plugins/ext4/layout.h"

#include "lib/calloc64.h"

/* A run becomes extents that end at multiples of the longest extent, and so of a huge page. Logical
 * blocks are below 2^32, as files are. */
static int map_run(void *arg, uint64_t logical, uint64_t physical, uint64_t blocks)
{
	struct ext4_layout *layout = arg;

	while (blocks) {
		uint64_t part = EXT4_EXTENT_MAX_BLOCKS - logical % EXT4_EXTENT_MAX_BLOCKS;
		struct ext4_extent *extent =
			layout->extents.count < UINT32_MAX ? array_add(&layout->extents) : NULL;

		if (!extent)
			return -ENOMEM;
		if (part > blocks)
			part = blocks;
		*extent = (struct ext4_extent){ physical, (uint32_t)logical, (uint32_t)part };
		logical += part;
		physical += part;
		blocks -= part;
	}
	return 0;
}

/* Blocks that belong to no other run. */
static int place_blocks(struct ext4_layout *layout, uint64_t logical, uint64_t blocks)
{
	struct placer_run run = { .wanted = blocks, .rejoins = true };

	return placer_place(&layout->placer, &run, logical, blocks);
}

/* Ends a file's extents that began at extents->first: blocks of the tree over them. */
static int finish_extents(struct ext4_layout *layout, struct ext4_extents *extents)
{
	extents->count = (uint32_t)layout->extents.count - extents->first;
	return place_blocks(layout, 0, ext4_extent_tree_blocks(extents->count));
}

/* A file that is all one stretch. */
static int place_stretch(struct ext4_layout *layout, uint32_t blocks, struct ext4_extents *extents)
{
	int ret;

	extents->first = (uint32_t)layout->extents.count;
	ret = place_blocks(layout, 0, blocks);
	return ret < 0 ? ret : finish_extents(layout, extents);
}

/* ---- Files ---- */

static void note_large_end(struct ext4_layout *layout, uint64_t end)
{
	if (end > layout->large_end)
		layout->large_end = end;
}

/* What is shorter than a huge page in the end may lie anywhere. */
static int place_large_segment(struct ext4_layout *layout, uint64_t logical, uint64_t blocks)
{
	enum placer_packing packing =
		layout->mode == EXT4_LAYOUT_ROOMY ? PLACER_WHOLE_OR_LOWEST : PLACER_LOWEST;
	size_t first = layout->extents.count;
	uint64_t placed;
	int ret = placer_place_pages(&layout->placer, packing, logical, blocks, &placed);

	if (ret < 0)
		return ret;
	for (size_t i = first; i < layout->extents.count; i++)
		note_large_end(layout,
			       layout->extents.items[i].physical + layout->extents.items[i].blocks);
	logical += placed;
	blocks -= placed;
	if (!placer_has_page(&layout->placer, logical, blocks))
		return place_blocks(layout, logical, blocks);
	layout->placer.missing += blocks;
	return 0;
}

/* What is not large is one run. */
static uint64_t count_small_blocks(const struct ext4_source *source,
				   const struct kataimg_node *node)
{
	uint64_t blocks = 0;

	for (uint32_t i = 0; i < node->segment_count; i++)
		if (!ext4_segment_is_large(source, node, &node->segments[i]))
			blocks += ext4_segment_blocks(&node->segments[i]);
	return blocks;
}

static int place_file(struct ext4_layout *layout, const struct kataimg_node *node)
{
	const struct ext4_source *source = layout->census->source;
	struct ext4_extents *extents = &layout->files[node->index];
	struct placer_run small = { .wanted = count_small_blocks(source, node), .rejoins = true };
	int ret = 0;

	extents->first = (uint32_t)layout->extents.count;
	for (uint32_t i = 0; ret == 0 && i < node->segment_count; i++) {
		const struct kataimg_segment *segment = &node->segments[i];
		uint64_t logical = ext4_segment_first(segment);
		uint64_t blocks = ext4_segment_blocks(segment);

		ret = ext4_segment_is_large(source, node, segment)
			      ? place_large_segment(layout, logical, blocks)
			      : placer_place(&layout->placer, &small, logical, blocks);
	}
	return ret < 0 ? ret : finish_extents(layout, extents);
}

static int place_node(struct ext4_layout *layout, uint32_t index)
{
	const struct kataimg_node *node = layout->census->source->tree->nodes[index];

	if (node->type == KATAIMG_REG)
		return place_file(layout, node);
	return place_stretch(layout, layout->census->demands[index].blocks, &layout->files[index]);
}

static int place_nodes(struct ext4_layout *layout)
{
	const struct ext4_census *census = layout->census;
	bool large_only = layout->mode == EXT4_LAYOUT_LARGE_ONLY;
	uint32_t count = large_only ? census->large_count : census->order_count;

	for (uint32_t i = 0; i < count; i++) {
		int ret = place_node(layout, census->order[i]);

		if (ret < 0)
			return ret;
		ret = ext4_source_check_cancelled(census->source, i);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int place_xattr_blocks(struct ext4_layout *layout)
{
	for (size_t i = 0; i < layout->census->xattr_blocks.count; i++) {
		int ret = space_take_whole(layout->space, 1, &layout->xattr_blocks[i]);

		if (ret == -ENOSPC)
			layout->placer.missing++;
		else if (ret < 0)
			return ret;
	}
	return 0;
}

/* ---- The filesystem's own blocks ---- */

/* Everything but the copies of superblock and descriptors. */
static int add_free_runs(struct ext4_layout *layout)
{
	const struct ext4_geometry *geo = &layout->geo;
	uint64_t start = 0;

	for (uint32_t group = 0; group < geo->groups; group++) {
		uint64_t backup = ext4_group_start(geo, group);
		int ret;

		if (!ext4_group_has_backup(group))
			continue;
		ret = backup > start ? space_add(layout->space, start, backup - start) : 0;
		if (ret < 0)
			return ret;
		start = backup + 1 + geo->desc_blocks;
	}
	return start < geo->blocks ? space_add(layout->space, start, geo->blocks - start) : 0;
}

static int take_own(struct ext4_layout *layout, uint64_t blocks, uint64_t *start)
{
	int ret = space_take_whole(layout->space, blocks, start);

	if (ret == -ENOSPC) {
		layout->placer.missing += blocks;
		return 0;
	}
	note_large_end(layout, *start + blocks);
	return ret;
}

/* All block bitmaps, all inode bitmaps, all inode tables: few and long stretches. */
static int place_tables(struct ext4_layout *layout)
{
	struct ext4_group_tables *groups = layout->groups;
	uint32_t count = layout->geo.groups;
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < count; i++)
		ret = take_own(layout, 1, &groups[i].block_bitmap);
	for (uint32_t i = 0; ret == 0 && i < count; i++)
		ret = take_own(layout, 1, &groups[i].inode_bitmap);
	for (uint32_t i = 0; ret == 0 && i < count; i++)
		ret = take_own(layout, layout->geo.itable_blocks, &groups[i].inode_table);
	return ret;
}

static int place_own(struct ext4_layout *layout)
{
	const struct ext4_census *census = layout->census;
	int ret = add_free_runs(layout);

	if (ret < 0)
		return ret;
	ret = place_tables(layout);
	if (ret < 0)
		return ret;
	if (census->source->options.journal)
		ret = place_stretch(layout, EXT4_JOURNAL_BLOCKS, &layout->journal);
	if (ret < 0 || !census->lost_found)
		return ret;
	return place_stretch(layout, EXT4_LOST_FOUND_BLOCKS, &layout->lost_found);
}

static int allocate(struct ext4_layout *layout)
{
	const struct ext4_census *census = layout->census;

	layout->space = space_new();
	layout->groups = calloc64(layout->geo.groups, sizeof(*layout->groups));
	layout->files = calloc64(census->source->tree->node_count, sizeof(*layout->files));
	layout->xattr_blocks =
		calloc(census->xattr_blocks.count + 1, sizeof(*layout->xattr_blocks));
	if (!layout->space || !layout->groups || !layout->files || !layout->xattr_blocks)
		return -ENOMEM;
	layout->placer = (struct placer){
		.space = layout->space,
		.huge_blocks = ext4_huge_blocks(census->source),
		.window_blocks = census->source->job->window_offset / EXT4_BLOCK_BYTES,
		.map = map_run,
		.arg = layout,
	};
	return 0;
}

int ext4_layout_make(struct ext4_layout *layout, const struct ext4_census *census,
		     const struct ext4_geometry *geo, enum ext4_layout_mode mode)
{
	int ret;

	*layout = (struct ext4_layout){ .census = census, .geo = *geo, .mode = mode };
	ret = allocate(layout);
	if (ret < 0)
		return ret;
	ret = place_own(layout);
	if (ret < 0)
		return ret;
	ret = place_nodes(layout);
	return ret < 0 || mode == EXT4_LAYOUT_LARGE_ONLY ? ret : place_xattr_blocks(layout);
}

void ext4_layout_clear(struct ext4_layout *layout)
{
	space_free(layout->space);
	free(layout->groups);
	free(layout->files);
	free(layout->xattr_blocks);
	array_free(&layout->extents);
	*layout = (struct ext4_layout){ 0 };
}
