/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of allocation: what ext4 has of its own, packed at the start; large files on huge-page
 * boundaries; directories; everything else, by halving sizes, into the gaps and behind.
 */
#include "plugins/ext4/layout.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/round.h"
#include "plugins/common/space.h"
#include "plugins/ext4/ext4.h"

/* Blocks of one file: one run where there is one long enough, else the lowest that are free. */
struct supply {
	struct ext4_layout *layout;
	uint64_t wanted; /* in all, still to be given out */
	uint64_t start, got;
};

static int append_extent(struct ext4_layout *layout, uint32_t logical, uint64_t physical,
			 uint32_t blocks)
{
	if (layout->extent_count == layout->extent_capacity) {
		uint32_t capacity = layout->extent_capacity + layout->extent_capacity / 2 + 64;
		struct ext4_extent *extents =
			reallocarray(layout->extents, capacity, sizeof(*extents));

		if (!extents)
			return -ENOMEM;
		layout->extents = extents;
		layout->extent_capacity = capacity;
	}
	layout->extents[layout->extent_count++] = (struct ext4_extent){
		.physical = physical,
		.logical = logical,
		.blocks = blocks,
	};
	return 0;
}

/* A run becomes extents that end at multiples of the longest extent, and so of a huge page. */
static int append_run(struct ext4_layout *layout, uint32_t logical, uint64_t physical,
		      uint64_t blocks)
{
	int ret = 0;

	while (ret == 0 && blocks) {
		uint32_t part = EXT4_EXTENT_MAX_BLOCKS - logical % EXT4_EXTENT_MAX_BLOCKS;

		if (part > blocks)
			part = blocks;
		ret = append_extent(layout, logical, physical, part);
		logical += part;
		physical += part;
		blocks -= part;
	}
	return ret;
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
static int place_blocks(struct supply *supply, uint32_t logical, uint64_t blocks)
{
	while (blocks) {
		uint64_t start, got;
		int ret = supply_take(supply, blocks, &start, &got);

		if (ret == -ENOSPC) {
			supply->layout->missing += blocks;
			supply->wanted -= blocks;
			return 0;
		}
		if (ret == 0)
			ret = append_run(supply->layout, logical, start, got);
		if (ret < 0)
			return ret;
		logical += got;
		blocks -= got;
	}
	return 0;
}

/* Blocks of the tree over the extents from first on. */
static int place_tree(struct ext4_layout *layout, uint32_t first)
{
	uint64_t blocks = ext4_extent_tree_blocks(layout->extent_count - first);
	struct supply supply = { .layout = layout, .wanted = blocks };

	return place_blocks(&supply, 0, blocks);
}

/* A file that is all one stretch. */
static int place_stretch(struct ext4_layout *layout, uint32_t blocks, struct ext4_extents *extents)
{
	struct supply supply = { .layout = layout, .wanted = blocks };
	int ret;

	extents->first = layout->extent_count;
	ret = place_blocks(&supply, 0, blocks);
	extents->count = layout->extent_count - extents->first;
	return ret < 0 ? ret : place_tree(layout, extents->first);
}

/* ---- Files ---- */

/* Physical blocks that keep logical block `logical` in step with the pages of the image. */
static uint64_t huge_phase(const struct ext4 *ext4, uint32_t logical)
{
	uint64_t huge = ext4_huge_blocks(ext4);
	uint64_t window_phase = ext4->job->window_offset / EXT4_BLOCK_BYTES % huge;

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
static int take_large(struct ext4_layout *layout, const struct ext4 *ext4, uint32_t logical,
		      uint64_t blocks, uint64_t *start, uint64_t *got)
{
	uint64_t huge = ext4_huge_blocks(ext4);
	uint64_t phase = huge_phase(ext4, logical);
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
static int place_large_segment(struct ext4_layout *layout, const struct ext4 *ext4,
			       uint32_t logical, uint64_t blocks)
{
	struct supply rest = { .layout = layout };

	while (logical + blocks >= first_huge_end(logical, ext4_huge_blocks(ext4))) {
		uint64_t start, got;
		int ret = take_large(layout, ext4, logical, blocks, &start, &got);

		if (ret == -ENOSPC) {
			layout->missing += blocks;
			return 0;
		}
		if (ret == 0)
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

static int place_file(struct ext4_layout *layout, const struct ext4 *ext4,
		      const struct kataimg_node *node)
{
	struct ext4_extents *extents = &layout->files[node->index];
	struct supply small = { .layout = layout };
	int ret = 0;

	for (uint32_t i = 0; i < node->segment_count; i++)
		if (!ext4_segment_is_large(ext4, node, &node->segments[i]))
			small.wanted += ext4_segment_blocks(&node->segments[i]);
	extents->first = layout->extent_count;
	for (uint32_t i = 0; ret == 0 && i < node->segment_count; i++) {
		const struct kataimg_segment *segment = &node->segments[i];
		uint32_t logical = ext4_segment_first(segment);
		uint32_t blocks = ext4_segment_blocks(segment);

		if (ext4_segment_is_large(ext4, node, segment))
			ret = place_large_segment(layout, ext4, logical, blocks);
		else
			ret = place_blocks(&small, logical, blocks);
	}
	extents->count = layout->extent_count - extents->first;
	return ret < 0 ? ret : place_tree(layout, extents->first);
}

static int place_node(struct ext4_layout *layout, const struct ext4 *ext4, uint32_t index)
{
	const struct kataimg_node *node = ext4->tree->nodes[index];

	if (node->type == KATAIMG_REG)
		return place_file(layout, ext4, node);
	return place_stretch(layout, ext4->census.demands[index].blocks, &layout->files[index]);
}

static int place_xattr_blocks(struct ext4_layout *layout, const struct ext4 *ext4)
{
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < ext4->census.xattr_block_count; i++) {
		ret = space_take_whole(layout->space, 1, &layout->xattr_blocks[i]);
		if (ret == -ENOSPC) {
			layout->missing++;
			ret = 0;
		}
	}
	return ret;
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

static int place_own(struct ext4_layout *layout, const struct ext4 *ext4)
{
	int ret = add_free_runs(layout);

	if (ret == 0)
		ret = place_tables(layout);
	if (ret == 0 && ext4->options.journal)
		ret = place_stretch(layout, EXT4_JOURNAL_BLOCKS, &layout->journal);
	if (ret == 0 && ext4->census.lost_found)
		ret = place_stretch(layout, EXT4_LOST_FOUND_BLOCKS, &layout->lost_found);
	return ret;
}

static int allocate(struct ext4_layout *layout, const struct ext4 *ext4)
{
	layout->space = space_new();
	layout->groups = calloc(layout->geo.groups, sizeof(*layout->groups));
	layout->files = calloc(ext4->tree->node_count, sizeof(*layout->files));
	layout->xattr_blocks =
		calloc(ext4->census.xattr_block_count + 1, sizeof(*layout->xattr_blocks));
	if (!layout->space || !layout->groups || !layout->files || !layout->xattr_blocks)
		return -ENOMEM;
	return 0;
}

int ext4_layout_init(struct ext4_layout *layout, const struct ext4 *ext4,
		     const struct ext4_geometry *geo, enum ext4_layout_mode mode)
{
	const struct ext4_census *census = &ext4->census;
	uint32_t count = mode == EXT4_LAYOUT_LARGE_ONLY ? census->large_count : census->order_count;
	int ret;

	*layout = (struct ext4_layout){ .geo = *geo, .mode = mode };
	ret = allocate(layout, ext4);
	if (ret == 0)
		ret = place_own(layout, ext4);
	for (uint32_t i = 0; ret == 0 && i < count; i++) {
		ret = place_node(layout, ext4, census->order[i]);
		if (ret == 0)
			ret = ext4_check_cancelled(ext4->host, i);
	}
	if (ret == 0 && mode != EXT4_LAYOUT_LARGE_ONLY)
		ret = place_xattr_blocks(layout, ext4);
	return ret;
}

void ext4_layout_destroy(struct ext4_layout *layout)
{
	space_free(layout->space);
	free(layout->groups);
	free(layout->files);
	free(layout->xattr_blocks);
	free(layout->extents);
	*layout = (struct ext4_layout){ 0 };
}
