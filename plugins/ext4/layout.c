/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of allocation: what ext4 has of its own, packed at the start; large files on huge-page
 * boundaries; directories; everything else, by halving sizes, into the gaps and behind.
 */
#include "plugins/ext4/layout.h"

#include "lib/round.h"
#include "plugins/common/space.h"

/* Blocks of one file: one run where there is one long enough, else the lowest that are free. */
struct supply {
	struct ext4_layout *layout;
	uint64_t wanted; /* in all, still to be given out */
	uint64_t start, got;
};

/* A run becomes extents that end at multiples of the longest extent, and so of a huge page. Logical
 * blocks are below 2^32, as files are. */
static int append_run(struct ext4_layout *layout, uint64_t logical, uint64_t physical,
		      uint64_t blocks)
{
	while (blocks) {
		uint64_t part = EXT4_EXTENT_MAX_BLOCKS - logical % EXT4_EXTENT_MAX_BLOCKS;
		struct ext4_extent *extent = array_add(&layout->extents);

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

static int supply_refill(struct supply *supply)
{
	struct space *space = supply->layout->space;
	int ret = space_take_whole(space, supply->wanted, &supply->start);

	supply->got = supply->wanted;
	if (ret == -ENOSPC)
		ret = space_take_some(space, supply->wanted, &supply->start, &supply->got);
	return ret;
}

/* The next blocks, at most max. -ENOSPC. */
static int supply_take(struct supply *supply, uint64_t max, uint64_t *start, uint64_t *got)
{
	if (supply->got == 0) {
		int ret = supply_refill(supply);

		if (ret < 0)
			return ret;
	}
	*start = supply->start;
	*got = supply->got < max ? supply->got : max;
	supply->start += *got;
	supply->got -= *got;
	supply->wanted -= *got;
	return 0;
}

/* Puts a file's logical blocks wherever the supply has room; what finds none is counted. */
static int place_blocks(struct supply *supply, uint64_t logical, uint64_t blocks)
{
	while (blocks) {
		uint64_t start, got;
		int ret = supply_take(supply, blocks, &start, &got);

		if (ret == -ENOSPC) {
			supply->layout->missing += blocks;
			supply->wanted -= blocks;
			return 0;
		}
		if (ret < 0)
			return ret;
		ret = append_run(supply->layout, logical, start, got);
		if (ret < 0)
			return ret;
		logical += got;
		blocks -= got;
	}
	return 0;
}

/* Ends a file's extents that began at extents->first: blocks of the tree over them. */
static int finish_extents(struct ext4_layout *layout, struct ext4_extents *extents)
{
	struct supply supply = { .layout = layout };

	extents->count = (uint32_t)(layout->extents.count - extents->first);
	supply.wanted = ext4_extent_tree_blocks(extents->count);
	return place_blocks(&supply, 0, supply.wanted);
}

/* A file that is all one stretch. */
static int place_stretch(struct ext4_layout *layout, uint32_t blocks, struct ext4_extents *extents)
{
	struct supply supply = { .layout = layout, .wanted = blocks };
	int ret;

	extents->first = layout->extents.count;
	ret = place_blocks(&supply, 0, blocks);
	return ret < 0 ? ret : finish_extents(layout, extents);
}

/* ---- Files ---- */

/* Physical blocks that keep logical block `logical` in step with the pages of the image. */
static uint64_t huge_phase(const struct ext4_source *source, uint64_t logical)
{
	uint64_t huge = ext4_huge_blocks(source);
	uint64_t window_phase = source->job->window_offset / EXT4_BLOCK_BYTES % huge;

	return (logical + huge - window_phase) % huge;
}

/* Where the first whole huge page of a file from this logical block on ends. */
static uint64_t first_huge_end(uint64_t logical, uint64_t huge)
{
	return round_up(logical, huge) + huge;
}

/* The lowest run with whole huge pages for the file from this logical block on: how many blocks, at
 * most `wanted`, up to the end of a huge page; 0: there is none. */
static uint64_t lowest_at_phase(const struct space *space, uint64_t huge, uint64_t phase,
				uint64_t logical, uint64_t wanted)
{
	uint64_t least = first_huge_end(logical, huge) - logical;
	uint64_t usable;

	if (space_find_at_phase(space, least, huge, phase, &usable) < 0)
		return 0;
	if (usable > wanted)
		usable = wanted;
	return (logical + usable) / huge * huge - logical;
}

static void note_large_end(struct ext4_layout *layout, uint64_t end)
{
	if (end > layout->large_end)
		layout->large_end = end;
}

/* A part of a large segment, on a boundary. -ENOSPC. */
static int take_large(struct ext4_layout *layout, uint64_t logical, uint64_t blocks,
		      uint64_t *start, uint64_t *got)
{
	uint64_t huge = ext4_huge_blocks(layout->census->source);
	uint64_t phase = huge_phase(layout->census->source, logical);
	int ret = -ENOSPC;

	*got = blocks;
	if (layout->mode == EXT4_LAYOUT_ROOMY)
		ret = space_take_at_phase(layout->space, *got, huge, phase, start);
	if (ret != -ENOSPC)
		return ret;
	*got = lowest_at_phase(layout->space, huge, phase, logical, blocks);
	if (*got == 0)
		return -ENOSPC;
	return space_take_at_phase(layout->space, *got, huge, phase, start);
}

/* What is shorter than a huge page in the end may lie anywhere. */
static int place_large_segment(struct ext4_layout *layout, uint64_t logical, uint64_t blocks)
{
	uint64_t huge = ext4_huge_blocks(layout->census->source);
	struct supply rest = { .layout = layout };

	while (logical + blocks >= first_huge_end(logical, huge)) {
		uint64_t start, got;
		int ret = take_large(layout, logical, blocks, &start, &got);

		if (ret == -ENOSPC) {
			layout->missing += blocks;
			return 0;
		}
		if (ret < 0)
			return ret;
		ret = append_run(layout, logical, start, got);
		if (ret < 0)
			return ret;
		note_large_end(layout, start + got);
		logical += got;
		blocks -= got;
	}
	rest.wanted = blocks;
	return place_blocks(&rest, logical, blocks);
}

/* What is not large shares one supply, whose wish is known before the first segment. */
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
	struct supply small = { .layout = layout, .wanted = count_small_blocks(source, node) };
	int ret = 0;

	extents->first = layout->extents.count;
	for (uint32_t i = 0; ret == 0 && i < node->segment_count; i++) {
		const struct kataimg_segment *segment = &node->segments[i];
		uint64_t logical = ext4_segment_first(segment);
		uint64_t blocks = ext4_segment_blocks(segment);

		ret = ext4_segment_is_large(source, node, segment)
			      ? place_large_segment(layout, logical, blocks)
			      : place_blocks(&small, logical, blocks);
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
			layout->missing++;
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
		layout->missing += blocks;
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
	layout->groups = calloc(layout->geo.groups, sizeof(*layout->groups));
	layout->files = calloc(census->source->tree->node_count, sizeof(*layout->files));
	layout->xattr_blocks =
		calloc(census->xattr_blocks.count + 1, sizeof(*layout->xattr_blocks));
	if (!layout->space || !layout->groups || !layout->files || !layout->xattr_blocks)
		return -ENOMEM;
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
