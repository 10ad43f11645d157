/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/geometry.h"

#include "lib/round.h"
#include "plugins/ext4/format.h"

#define BITMAPS_PER_GROUP 2u
/* What libext2fs wants free in the last group beside its tables. */
#define TAIL_SPARE_BLOCKS 50u

bool ext4_geometry_init(struct ext4_geometry *geo, uint64_t blocks, uint32_t blocks_per_group,
			uint64_t inodes)
{
	uint64_t groups = div_up(blocks, blocks_per_group);
	uint64_t tail = blocks % blocks_per_group;
	uint64_t inodes_per_group;

	if (groups == 0 || groups > UINT32_MAX)
		return false;
	inodes_per_group = round_up(div_up(inodes, groups), EXT4_INODES_PER_BLOCK);
	if (inodes_per_group > EXT4_GROUP_INODES_MAX || inodes_per_group * groups > UINT32_MAX)
		return false;
	*geo = (struct ext4_geometry){
		.blocks = blocks,
		.blocks_per_group = blocks_per_group,
		.groups = (uint32_t)groups,
		.inodes_per_group = (uint32_t)inodes_per_group,
		.itable_blocks = (uint32_t)inodes_per_group / EXT4_INODES_PER_BLOCK,
		.desc_blocks = (uint32_t)div_up(groups, EXT4_DESCRIPTORS_PER_BLOCK),
	};
	return blocks_per_group >= ext4_geometry_group_min(geo) &&
	       (tail == 0 || tail >= ext4_geometry_tail_min(geo));
}

static bool is_power_of(uint32_t value, uint32_t base)
{
	while (value % base == 0)
		value /= base;
	return value == 1;
}

bool ext4_group_has_backup(uint32_t group)
{
	return group <= 1 || is_power_of(group, 3) || is_power_of(group, 5) ||
	       is_power_of(group, 7);
}

static uint32_t powers_below(uint32_t limit, uint32_t base)
{
	uint32_t count = 0;

	for (uint64_t power = base; power < limit; power *= base)
		count++;
	return count;
}

/* Groups 0 and 1, and the powers of 3, 5 and 7. */
static uint32_t count_backups(uint32_t groups)
{
	return (groups < 2 ? groups : 2) + powers_below(groups, 3) + powers_below(groups, 5) +
	       powers_below(groups, 7);
}

uint32_t ext4_geometry_group_min(const struct ext4_geometry *geo)
{
	uint32_t tables = 1 + BITMAPS_PER_GROUP + geo->itable_blocks + geo->desc_blocks;
	uint32_t descriptors = (uint32_t)div_up(geo->desc_blocks * UINT64_C(4), 3);

	return tables > descriptors ? tables : descriptors;
}

uint64_t ext4_geometry_tail_min(const struct ext4_geometry *geo)
{
	uint64_t blocks = BITMAPS_PER_GROUP + geo->itable_blocks + TAIL_SPARE_BLOCKS;

	if (ext4_group_has_backup(geo->groups - 1))
		blocks += 1 + geo->desc_blocks;
	return blocks;
}

uint64_t ext4_geometry_overhead(const struct ext4_geometry *geo)
{
	return (uint64_t)geo->groups * (BITMAPS_PER_GROUP + geo->itable_blocks) +
	       (uint64_t)count_backups(geo->groups) * (1 + geo->desc_blocks);
}

uint64_t ext4_group_start(const struct ext4_geometry *geo, uint32_t group)
{
	return (uint64_t)group * geo->blocks_per_group;
}

uint32_t ext4_group_blocks(const struct ext4_geometry *geo, uint32_t group)
{
	uint64_t left = geo->blocks - ext4_group_start(geo, group);

	return left < geo->blocks_per_group ? (uint32_t)left : geo->blocks_per_group;
}
