/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/verify.h"

#include <errno.h>

#include "lib/cleanup.h"

struct verify {
	const struct ext4_layout *layout;
	const struct kataimg_host *host;
	uint64_t free_blocks, free_inodes; /* sums over the groups */
};

/* Which of a group's bitmaps it is, and what the descriptor says of it. */
struct bitmap {
	const char *name;
	uint64_t block, planned_block;
	uint32_t bits;
	uint32_t zeros;
	bool is_implied; /* not written */
};

static int contradicts(const struct verify *verify, const char *what, uint32_t group)
{
	verify->host->error(verify->host->ctx,
			    "read back, %s of block group %u is not what was planned", what, group);
	return -EUCLEAN;
}

static int read_blocks(const struct verify *verify, uint64_t start, uint32_t blocks, void *buf)
{
	return verify->host->window_read(verify->host->ctx, start * EXT4_BLOCK_BYTES, buf,
					 (size_t)blocks * EXT4_BLOCK_BYTES);
}

static uint64_t join(le32 high, le32 low)
{
	return (uint64_t)from_le32(high) << 32 | from_le32(low);
}

static uint32_t join_halves(le16 high, le16 low)
{
	return (uint32_t)from_le16(high) << 16 | from_le16(low);
}

static uint32_t count_zeros(const uint8_t *bytes, uint32_t bits)
{
	uint32_t zeros = 0;

	for (uint32_t i = 0; i < bits; i++)
		zeros += !(bytes[i / 8] >> i % 8 & 1);
	return zeros;
}

static int verify_bitmap(const struct verify *verify, uint32_t group, const struct bitmap *bitmap)
{
	uint8_t bytes[EXT4_BLOCK_BYTES];
	int ret;

	if (bitmap->block != bitmap->planned_block)
		return contradicts(verify, bitmap->name, group);
	if (bitmap->is_implied)
		return 0;
	ret = read_blocks(verify, bitmap->block, 1, bytes);
	if (ret < 0)
		return ret;
	if (count_zeros(bytes, bitmap->bits) != bitmap->zeros)
		return contradicts(verify, bitmap->name, group);
	return 0;
}

static int verify_group(struct verify *verify, uint32_t group, const struct ext4_descriptor *desc)
{
	const struct ext4_geometry *geo = &verify->layout->geo;
	const struct ext4_group_tables *tables = &verify->layout->groups[group];
	const struct bitmap blocks = {
		.name = "the block bitmap",
		.block = join(desc->block_bitmap_hi, desc->block_bitmap_lo),
		.planned_block = tables->block_bitmap,
		.bits = ext4_group_blocks(geo, group),
		.zeros = join_halves(desc->free_blocks_hi, desc->free_blocks_lo),
		.is_implied = from_le16(desc->flags) & EXT4_GROUP_BLOCK_UNINIT,
	};
	const struct bitmap inodes = {
		.name = "the inode bitmap",
		.block = join(desc->inode_bitmap_hi, desc->inode_bitmap_lo),
		.planned_block = tables->inode_bitmap,
		.bits = geo->inodes_per_group,
		.zeros = join_halves(desc->free_inodes_hi, desc->free_inodes_lo),
		.is_implied = from_le16(desc->flags) & EXT4_GROUP_INODE_UNINIT,
	};
	int ret;

	if (join(desc->inode_table_hi, desc->inode_table_lo) != tables->inode_table)
		return contradicts(verify, "the inode table", group);
	verify->free_blocks += blocks.zeros;
	verify->free_inodes += inodes.zeros;
	ret = verify_bitmap(verify, group, &blocks);
	return ret < 0 ? ret : verify_bitmap(verify, group, &inodes);
}

static int verify_sums(const struct verify *verify)
{
	const struct ext4_geometry *geo = &verify->layout->geo;
	uint64_t inodes = (uint64_t)geo->groups * geo->inodes_per_group;

	if (verify->free_blocks == space_free_blocks(verify->layout->space) &&
	    verify->free_inodes == inodes - verify->layout->census->used_inodes)
		return 0;
	return contradicts(verify, "the sum of what is free, up to the last", geo->groups - 1);
}

int ext4_verify_groups(const struct ext4_layout *layout)
{
	const struct ext4_source *source = layout->census->source;
	struct verify verify = { .layout = layout, .host = source->host };
	autofree struct ext4_descriptor *descs = calloc(layout->geo.desc_blocks, EXT4_BLOCK_BYTES);
	int ret;

	if (!descs)
		return -ENOMEM;
	ret = read_blocks(&verify, 1, layout->geo.desc_blocks, descs);
	if (ret < 0)
		return ret;
	for (uint32_t group = 0; group < layout->geo.groups; group++) {
		ret = verify_group(&verify, group, &descs[group]);
		if (ret < 0)
			return ret;
		ret = ext4_source_check_cancelled(source, group);
		if (ret < 0)
			return ret;
	}
	return verify_sums(&verify);
}
