/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Within one number of groups the filesystem's own blocks stay where they are, and more blocks only
 * add room at the end. So the smallest size is looked for group by group: first where the large
 * files end, then counting, then by layouts that say how many blocks were missing.
 */
#include "plugins/ext4/size.h"

#include <inttypes.h>

#include "lib/cleanup.h"
#include "lib/round.h"
#include "plugins/common/refuse.h"

/* 64 TiB, far beyond what a partition table holds. */
#define BLOCKS_MAX (UINT64_C(1) << 34)
#define GROUP_BLOCKS_STEP 8u

uint64_t ext4_size_reserved_blocks(uint64_t blocks, uint64_t percent)
{
	return blocks * percent / 100;
}

uint64_t ext4_size_kernel_reserve_blocks(uint64_t blocks)
{
	return blocks / 50 < 4096 ? blocks / 50 : 4096;
}

/* Free blocks that make free_bytes available in a filesystem of so many blocks. */
static uint64_t wanted_free(const struct ext4_source *source, uint64_t blocks)
{
	if (source->job->free_bytes == 0)
		return 0;
	return div_up(source->job->free_bytes, EXT4_BLOCK_BYTES) +
	       ext4_size_reserved_blocks(blocks, source->options.reserved_percent) +
	       ext4_size_kernel_reserve_blocks(blocks);
}

/* The smallest size at or above `least` that holds so many blocks and what shall be free:
 * wanted_free grows more slowly than its argument. */
static uint64_t add_wanted_free(const struct ext4_source *source, uint64_t used, uint64_t least)
{
	uint64_t blocks = least > used ? least : used;

	while (blocks < used + wanted_free(source, blocks))
		blocks = used + wanted_free(source, blocks);
	return blocks;
}

static int choose_inodes(struct ext4_size *size, const struct ext4_census *census)
{
	const struct ext4_source *source = census->source;
	uint64_t free_inodes = source->job->free_inodes;
	uint64_t spare = source->tree->node_count / 16 + 16;

	if (spare < free_inodes)
		spare = free_inodes;
	size->inodes =
		source->options.inodes ? source->options.inodes : census->used_inodes + spare;
	if (size->inodes >= census->used_inodes + free_inodes)
		return 0;
	return option_refuse(source->host, ext4_option_table, EXT4_OPTION_INODES,
			     "the tree and what shall be free need %" PRIu64,
			     census->used_inodes + free_inodes);
}

/* The smallest number of groups that holds the inodes. */
static uint64_t least_groups(const struct ext4_size *size)
{
	return div_up(size->inodes, EXT4_GROUP_INODES_MAX);
}

static uint64_t least_blocks(const struct ext4_census *census, const struct ext4_geometry *geo)
{
	return ext4_geometry_overhead(geo) + census->content_blocks;
}

/* The size that would do if no block had to stay unused. */
static uint64_t least_size(const struct ext4_census *census, const struct ext4_geometry *geo)
{
	return add_wanted_free(census->source, least_blocks(census, geo), 0);
}

/* Groups of full size, unless the inodes are so many for the blocks that they need more groups. */
static void choose_group_size(struct ext4_size *size, const struct ext4_census *census)
{
	uint64_t groups = least_groups(size);
	struct ext4_geometry full;
	uint64_t blocks;

	size->blocks_per_group = EXT4_GROUP_BLOCKS_MAX;
	if (groups == 1 || !ext4_geometry_init(&full, groups * EXT4_GROUP_BLOCKS_MAX,
					       EXT4_GROUP_BLOCKS_MAX, size->inodes))
		return;
	blocks = div_up(least_size(census, &full), groups);
	if (blocks < ext4_geometry_group_min(&full))
		blocks = ext4_geometry_group_min(&full);
	if (blocks < EXT4_GROUP_BLOCKS_MAX)
		size->blocks_per_group = (uint32_t)round_up(blocks, GROUP_BLOCKS_STEP);
}

/* How many blocks are missing, and where the large files end. */
static int try_layout(const struct ext4_census *census, const struct ext4_geometry *geo,
		      enum ext4_layout_mode mode, uint64_t *missing, uint64_t *large_end)
{
	struct ext4_layout layout autocall(ext4_layout_clear) = { 0 };
	int ret = ext4_layout_make(&layout, census, geo, mode);

	*missing = layout.placer.missing;
	*large_end = layout.large_end;
	return ret;
}

/* 1: found, 0: not with so many groups, or an error. full: the geometry of all groups at full
 * size. */
static int plan_in_groups(struct ext4_size *size, const struct ext4_census *census,
			  const struct ext4_geometry *full)
{
	uint64_t before = full->blocks - full->blocks_per_group;
	uint64_t used = least_blocks(census, full);
	uint64_t least, missing, ignored;
	int ret = try_layout(census, full, EXT4_LAYOUT_LARGE_ONLY, &missing, &least);

	if (ret < 0 || missing)
		return ret;
	if (least < before + ext4_geometry_tail_min(full))
		least = before + ext4_geometry_tail_min(full);
	for (;;) {
		struct ext4_geometry geo = *full;

		geo.blocks = add_wanted_free(census->source, used, least);
		if (geo.blocks > full->blocks)
			return 0;
		ret = try_layout(census, &geo, EXT4_LAYOUT_TIGHT, &missing, &ignored);
		if (ret < 0)
			return ret;
		if (missing == 0) {
			size->blocks = geo.blocks;
			return 1;
		}
		used += missing;
		least = geo.blocks + missing;
	}
}

int ext4_size_plan(struct ext4_size *size, const struct ext4_census *census)
{
	const struct kataimg_host *host = census->source->host;
	uint64_t groups;
	int ret = choose_inodes(size, census);

	if (ret < 0)
		return ret;
	choose_group_size(size, census);
	groups = census->content_blocks / size->blocks_per_group + 1;
	for (; groups * size->blocks_per_group <= BLOCKS_MAX; groups++) {
		struct ext4_geometry full;

		if (!ext4_geometry_init(&full, groups * size->blocks_per_group,
					size->blocks_per_group, size->inodes) ||
		    least_size(census, &full) > full.blocks)
			continue;
		ret = plan_in_groups(size, census, &full);
		if (ret)
			return ret < 0 ? ret : 0;
	}
	host->error(host->ctx, "the tree needs more than the largest filesystem holds");
	return -EFBIG;
}

/* 1: done, 0: this size does not do, or an error. */
static int layout_blocks(const struct ext4_size *size, const struct ext4_census *census,
			 uint64_t blocks, uint32_t blocks_per_group, struct ext4_layout *layout)
{
	static const enum ext4_layout_mode modes[] = { EXT4_LAYOUT_ROOMY, EXT4_LAYOUT_TIGHT };
	struct ext4_geometry geo;

	if (!ext4_geometry_init(&geo, blocks, blocks_per_group, size->inodes))
		return 0;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		int ret;

		ext4_layout_clear(layout);
		ret = ext4_layout_make(layout, census, &geo, modes[i]);
		if (ret < 0 || layout->placer.missing == 0)
			return ret < 0 ? ret : 1;
	}
	return 0;
}

/* Of full size where a window has room for as many as hold the inodes, however small they had to be
 * in the smallest size. */
static uint32_t group_size_in(const struct ext4_size *size, uint64_t window_blocks)
{
	return window_blocks / EXT4_GROUP_BLOCKS_MAX < least_groups(size) ? size->blocks_per_group
									  : EXT4_GROUP_BLOCKS_MAX;
}

int ext4_size_layout(const struct ext4_size *size, const struct ext4_census *census,
		     uint64_t window_bytes, struct ext4_layout *layout)
{
	const struct kataimg_host *host = census->source->host;
	uint64_t window_blocks = window_bytes / EXT4_BLOCK_BYTES;
	uint32_t group_blocks = group_size_in(size, window_blocks);
	/* A last group that is too short is left out; the planned size is known to do. */
	const struct {
		uint64_t blocks;
		uint32_t group_blocks;
	} tries[] = {
		{ window_blocks, group_blocks },
		{ window_blocks - window_blocks % group_blocks, group_blocks },
		{ size->blocks, size->blocks_per_group },
	};

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		int ret;

		if (tries[i].blocks < size->blocks || tries[i].blocks > window_blocks)
			continue;
		ret = layout_blocks(size, census, tries[i].blocks, tries[i].group_blocks, layout);
		if (ret)
			return ret < 0 ? ret : 0;
	}
	host->error(host->ctx, "a window of %" PRIu64 " bytes is too small for the tree",
		    window_bytes);
	return -ENOSPC;
}
