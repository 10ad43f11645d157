/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Within one number of groups the filesystem's own blocks stay where they are, and more blocks only
 * add room at the end. So the smallest size is looked for group by group: first where the large
 * files end, then counting, then by layouts that say how many blocks were missing.
 */
#include "plugins/ext4/size.h"
#include "plugins/common/refuse.h"

#include <errno.h>

#include "lib/round.h"
#include "plugins/common/space.h"
#include "plugins/ext4/ext4.h"

/* 64 TiB, far beyond what a partition table holds. */
#define BLOCKS_MAX (UINT64_C(1) << 34)
#define GROUP_BLOCKS_STEP 8u

uint64_t ext4_used_inodes(const struct ext4 *ext4)
{
	/* Node 0 is the root, one of the reserved inodes. */
	return EXT4_FIRST_INO - 1 + ext4->tree->node_count - 1 + ext4->census.lost_found;
}

uint64_t ext4_reserved_blocks(uint64_t blocks, uint64_t percent)
{
	return blocks * percent / 100;
}

uint64_t ext4_kernel_reserve_blocks(uint64_t blocks)
{
	return blocks / 50 < 4096 ? blocks / 50 : 4096;
}

/* Free blocks that make free_bytes available in a filesystem of so many blocks. */
static uint64_t wanted_free(const struct ext4 *ext4, uint64_t blocks)
{
	if (ext4->job->free_bytes == 0)
		return 0;
	return div_up(ext4->job->free_bytes, EXT4_BLOCK_BYTES) +
	       ext4_reserved_blocks(blocks, ext4->options.reserved_percent) +
	       ext4_kernel_reserve_blocks(blocks);
}

/* The smallest size at or above `least` that holds so many blocks and what shall be free:
 * wanted_free grows more slowly than its argument. */
static uint64_t add_wanted_free(const struct ext4 *ext4, uint64_t used, uint64_t least)
{
	uint64_t blocks = least > used ? least : used;

	while (blocks < used + wanted_free(ext4, blocks))
		blocks = used + wanted_free(ext4, blocks);
	return blocks;
}

static int choose_inodes(struct ext4 *ext4)
{
	uint64_t used = ext4_used_inodes(ext4);
	uint64_t spare = ext4->tree->node_count / 16 + 16;

	if (spare < ext4->job->free_inodes)
		spare = ext4->job->free_inodes;
	ext4->inodes = ext4->options.inodes ? ext4->options.inodes : used + spare;
	if (ext4->inodes < used + ext4->job->free_inodes)
		return option_refuse(ext4->host, ext4_options, EXT4_OPTION_INODES,
				     "the tree and what shall be free need %llu",
				     (unsigned long long)(used + ext4->job->free_inodes));
	return 0;
}

/* As few groups as hold the inodes. */
static uint64_t least_groups(const struct ext4 *ext4)
{
	return div_up(ext4->inodes, EXT4_GROUP_INODES_MAX);
}

/* Groups of full size, unless the inodes are so many for the blocks that they need more groups. */
static void choose_group_size(struct ext4 *ext4)
{
	uint64_t groups = least_groups(ext4);
	struct ext4_geometry full;
	uint64_t used, blocks;

	ext4->blocks_per_group = EXT4_GROUP_BLOCKS_MAX;
	if (!ext4_geometry_init(&full, groups * EXT4_GROUP_BLOCKS_MAX, EXT4_GROUP_BLOCKS_MAX,
				ext4->inodes))
		return;
	used = ext4_geometry_overhead(&full) + ext4->census.content_blocks;
	blocks = div_up(add_wanted_free(ext4, used, 0), groups);
	if (blocks < ext4_geometry_group_min(&full))
		blocks = ext4_geometry_group_min(&full);
	if (groups > 1 && blocks < EXT4_GROUP_BLOCKS_MAX)
		ext4->blocks_per_group = round_up(blocks, GROUP_BLOCKS_STEP);
}

/* 0 with how many blocks are missing, and where the large files end. */
static int try_layout(const struct ext4 *ext4, const struct ext4_geometry *geo,
		      enum ext4_layout_mode mode, uint64_t *missing, uint64_t *large_end)
{
	struct ext4_layout layout;
	int ret = ext4_layout_init(&layout, ext4, geo, mode);

	*missing = layout.missing;
	*large_end = layout.large_end;
	ext4_layout_destroy(&layout);
	return ret;
}

/* 1: found, 0: not with so many groups, -ENOMEM, -ECANCELED. full: the geometry of all groups at
 * full size. */
static int plan_in_groups(struct ext4 *ext4, const struct ext4_geometry *full)
{
	uint64_t before = full->blocks - full->blocks_per_group;
	uint64_t used = ext4_geometry_overhead(full) + ext4->census.content_blocks;
	uint64_t least, missing, ignored;
	int ret = try_layout(ext4, full, EXT4_LAYOUT_LARGE_ONLY, &missing, &least);

	if (ret < 0 || missing)
		return ret;
	if (least < before + ext4_geometry_tail_min(full))
		least = before + ext4_geometry_tail_min(full);
	for (;;) {
		struct ext4_geometry geo = *full;

		geo.blocks = add_wanted_free(ext4, used, least);
		if (geo.blocks > full->blocks)
			return 0;
		ret = try_layout(ext4, &geo, EXT4_LAYOUT_TIGHT, &missing, &ignored);
		if (ret < 0)
			return ret;
		if (missing == 0) {
			ext4->planned_blocks = geo.blocks;
			return 1;
		}
		used += missing;
		least = geo.blocks + missing;
	}
}

int ext4_size_plan(struct ext4 *ext4)
{
	const struct kataimg_host *host = ext4->host;
	uint64_t groups;
	int ret = choose_inodes(ext4);

	if (ret < 0)
		return ret;
	choose_group_size(ext4);
	groups = ext4->census.content_blocks / ext4->blocks_per_group + 1;
	for (; groups * ext4->blocks_per_group <= BLOCKS_MAX; groups++) {
		struct ext4_geometry full;

		if (!ext4_geometry_init(&full, groups * ext4->blocks_per_group,
					ext4->blocks_per_group, ext4->inodes) ||
		    ext4_geometry_overhead(&full) + ext4->census.content_blocks > full.blocks)
			continue;
		ret = plan_in_groups(ext4, &full);
		if (ret)
			return ret < 0 ? ext4_result(host, ret) : 0;
	}
	host->error(host->ctx, "the tree needs more than ext4 holds");
	return -EFBIG;
}

/* 1: done, 0: this size does not do. */
static int layout_blocks(struct ext4 *ext4, uint64_t blocks, uint32_t blocks_per_group)
{
	static const enum ext4_layout_mode modes[] = { EXT4_LAYOUT_ROOMY, EXT4_LAYOUT_TIGHT };
	struct ext4_geometry geo;
	int ret = 0;

	if (!ext4_geometry_init(&geo, blocks, blocks_per_group, ext4->inodes))
		return 0;
	for (size_t i = 0; ret == 0 && i < sizeof(modes) / sizeof(modes[0]); i++) {
		ext4_layout_destroy(&ext4->layout);
		ret = ext4_layout_init(&ext4->layout, ext4, &geo, modes[i]);
		if (ret == 0)
			ret = ext4->layout.missing == 0;
	}
	return ext4_result(ext4->host, ret);
}

/* Of full size where a window has room for as many as hold the inodes, however small they had to be
 * in the smallest size. */
static uint32_t group_size_in(const struct ext4 *ext4, uint64_t window_blocks)
{
	return window_blocks / EXT4_GROUP_BLOCKS_MAX < least_groups(ext4) ? ext4->blocks_per_group
									  : EXT4_GROUP_BLOCKS_MAX;
}

int ext4_size_layout(struct ext4 *ext4, uint64_t window_bytes)
{
	uint64_t window_blocks = window_bytes / EXT4_BLOCK_BYTES;
	uint32_t group_blocks = group_size_in(ext4, window_blocks);
	/* A last group that is too short is left out; the planned size is known to do. */
	const struct {
		uint64_t blocks;
		uint32_t group_blocks;
	} tries[] = {
		{ window_blocks, group_blocks },
		{ window_blocks - window_blocks % group_blocks, group_blocks },
		{ ext4->planned_blocks, ext4->blocks_per_group },
	};
	int ret = 0;

	if (window_blocks < ext4->planned_blocks) {
		ext4->host->error(ext4->host->ctx,
				  "a window of %llu bytes is too small for the tree",
				  (unsigned long long)window_bytes);
		return -ENOSPC;
	}
	if (ext4->window_bytes == window_bytes)
		return 0;
	ext4->window_bytes = 0;
	for (size_t i = 0; ret == 0 && i < sizeof(tries) / sizeof(tries[0]); i++)
		if (tries[i].blocks >= ext4->planned_blocks)
			ret = layout_blocks(ext4, tries[i].blocks, tries[i].group_blocks);
	if (ret < 0)
		return ret;
	ext4->window_bytes = window_bytes;
	return 0;
}
