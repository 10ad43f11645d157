/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/verify.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/crc32c.h"
#include "lib/round.h"
#include "plugins/common/space.h"
#include "plugins/ext4/ext4.h"
#include "plugins/ext4/inode.h"
#include "plugins/ext4/size.h"
#include "plugins/ext4/super.h"

#define PIECE_INODES 1024u
#define DESCS_PER_BLOCK (EXT4_BLOCK_BYTES / sizeof(struct ext4_descriptor))

struct verify {
	const struct ext4 *ext4;
	struct ext4_super super;
	struct ext4_descriptor *descs;     /* owned */
	struct ext4_inode *piece;          /* owned: of PIECE_INODES */
	uint64_t free_blocks, free_inodes; /* sums over the groups */
};

/* A bitmap, as a descriptor has it. */
struct bitmap {
	const char *name;
	uint64_t block, planned_block;
	uint32_t bits;
	uint32_t csum_bytes; /* how many bytes the checksum covers */
	uint32_t checksum;
	uint32_t zeros;
	bool is_implied; /* not written */
};

static int contradicts(const struct verify *verify, const char *what, uint32_t group)
{
	const struct kataimg_host *host = verify->ext4->host;

	host->error(host->ctx, "read back, %s of block group %u is not what was written", what,
		    group);
	return -EUCLEAN;
}

static int read_blocks(const struct ext4 *ext4, uint64_t start, uint32_t blocks, void *buf)
{
	return ext4->host->window_read(ext4->host->ctx, start * EXT4_BLOCK_BYTES, buf,
				       (size_t)blocks * EXT4_BLOCK_BYTES);
}

/* ---- The superblock, the descriptors, and their copies ---- */

static int verify_super(struct verify *verify, uint64_t window_bytes)
{
	struct kataimg_fs_info expected = { .struct_size = sizeof(expected) };
	struct kataimg_fs_info found = { .struct_size = sizeof(found) };
	const struct ext4 *ext4 = verify->ext4;
	int ret = ext4_super_probe(ext4->host, window_bytes, &found);

	if (ret == 0)
		ret = ext4_super_read(ext4->host, window_bytes, &verify->super);
	if (ret < 0 && ret != -ENODATA)
		return ret;
	ext4_super_describe(ext4, &expected);
	if (ret < 0 || from_le16(verify->super.state) != EXT4_STATE_VALID ||
	    memcmp(&expected, &found, sizeof(found)) != 0)
		return contradicts(verify, "the superblock", 0);
	return 0;
}

/* A copy says which group it is in, and never that the filesystem is clean. */
static bool is_super_copy(const struct verify *verify, uint32_t group, const uint8_t *block)
{
	struct ext4_super expected = verify->super;

	expected.block_group_nr = to_le16(group);
	expected.state = to_le16(0);
	expected.checksum = to_le32(crc32c(~0u, &expected, offsetof(struct ext4_super, checksum)));
	return memcmp(&expected, block, sizeof(expected)) == 0;
}

static int verify_copy(const struct verify *verify, uint32_t group)
{
	const struct ext4_geometry *geo = &verify->ext4->layout.geo;
	uint64_t start = ext4_group_start(geo, group);
	uint8_t block[EXT4_BLOCK_BYTES];
	int ret = read_blocks(verify->ext4, start, 1, block);

	if (ret == 0 && !is_super_copy(verify, group, block))
		return contradicts(verify, "the superblock", group);
	for (uint32_t i = 0; ret == 0 && i < geo->desc_blocks; i++) {
		ret = read_blocks(verify->ext4, start + 1 + i, 1, block);
		if (ret == 0 &&
		    memcmp(block, &verify->descs[i * DESCS_PER_BLOCK], sizeof(block)) != 0)
			return contradicts(verify, "a copy of the descriptors", group);
	}
	return ret;
}

static int verify_copies(const struct verify *verify)
{
	uint32_t groups = verify->ext4->layout.geo.groups;
	int ret = 0;

	for (uint32_t group = 1; ret == 0 && group < groups; group++)
		if (ext4_group_has_backup(group))
			ret = verify_copy(verify, group);
	return ret;
}

/* ---- Groups ---- */

static uint64_t join(le32 high, le32 low)
{
	return (uint64_t)from_le32(high) << 32 | from_le32(low);
}

static uint32_t join_halves(le16 high, le16 low)
{
	return (uint32_t)from_le16(high) << 16 | from_le16(low);
}

static bool desc_is_whole(const struct verify *verify, uint32_t group)
{
	struct ext4_descriptor desc = verify->descs[group];
	uint16_t checksum = from_le16(desc.checksum);
	le32 number = to_le32(group);
	uint32_t crc = crc32c(verify->ext4->format.csum_seed, &number, sizeof(number));

	desc.checksum = to_le16(0);
	return (uint16_t)crc32c(crc, &desc, sizeof(desc)) == checksum;
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
	ret = read_blocks(verify->ext4, bitmap->block, 1, bytes);
	if (ret == 0 && (crc32c(verify->ext4->format.csum_seed, bytes, bitmap->csum_bytes) !=
				 bitmap->checksum ||
			 count_zeros(bytes, bitmap->bits) != bitmap->zeros))
		return contradicts(verify, bitmap->name, group);
	return ret;
}

static struct bitmap block_bitmap(const struct verify *verify, uint32_t group)
{
	const struct ext4_layout *layout = &verify->ext4->layout;
	const struct ext4_descriptor *desc = &verify->descs[group];

	return (struct bitmap){
		.name = "the block bitmap",
		.block = join(desc->block_bitmap_hi, desc->block_bitmap_lo),
		.planned_block = layout->groups[group].block_bitmap,
		.bits = ext4_group_blocks(&layout->geo, group),
		.csum_bytes = layout->geo.blocks_per_group / 8,
		.checksum = join_halves(desc->block_bitmap_csum_hi, desc->block_bitmap_csum_lo),
		.zeros = join_halves(desc->free_blocks_hi, desc->free_blocks_lo),
		.is_implied = from_le16(desc->flags) & EXT4_GROUP_BLOCK_UNINIT,
	};
}

static struct bitmap inode_bitmap(const struct verify *verify, uint32_t group)
{
	const struct ext4_layout *layout = &verify->ext4->layout;
	const struct ext4_descriptor *desc = &verify->descs[group];

	return (struct bitmap){
		.name = "the inode bitmap",
		.block = join(desc->inode_bitmap_hi, desc->inode_bitmap_lo),
		.planned_block = layout->groups[group].inode_bitmap,
		.bits = layout->geo.inodes_per_group,
		.csum_bytes = layout->geo.inodes_per_group / 8,
		.checksum = join_halves(desc->inode_bitmap_csum_hi, desc->inode_bitmap_csum_lo),
		.zeros = join_halves(desc->free_inodes_hi, desc->free_inodes_lo),
		.is_implied = from_le16(desc->flags) & EXT4_GROUP_INODE_UNINIT,
	};
}

static int verify_group(struct verify *verify, uint32_t group)
{
	const struct ext4_descriptor *desc = &verify->descs[group];
	const struct bitmap blocks = block_bitmap(verify, group);
	const struct bitmap inodes = inode_bitmap(verify, group);
	int ret;

	if (!desc_is_whole(verify, group) || join(desc->inode_table_hi, desc->inode_table_lo) !=
						     verify->ext4->layout.groups[group].inode_table)
		return contradicts(verify, "the descriptor", group);
	verify->free_blocks += blocks.zeros;
	verify->free_inodes += inodes.zeros;
	ret = verify_bitmap(verify, group, &blocks);
	return ret < 0 ? ret : verify_bitmap(verify, group, &inodes);
}

static int verify_groups(struct verify *verify)
{
	const struct ext4_geometry *geo = &verify->ext4->layout.geo;
	int ret = 0;

	for (uint32_t group = 0; ret == 0 && group < geo->groups; group++) {
		ret = verify_group(verify, group);
		if (ret == 0)
			ret = ext4_check_cancelled(verify->ext4->host, group);
	}
	if (ret < 0)
		return ret;
	if (verify->free_blocks != space_free_blocks(verify->ext4->layout.space) ||
	    verify->free_inodes != from_le32(verify->super.free_inodes_count))
		return contradicts(verify, "the sum of what is free, up to the last",
				   geo->groups - 1);
	return 0;
}

/* ---- Inodes ---- */

static int verify_inode(const struct ext4 *ext4, const struct ext4_inode *inode, uint32_t ino)
{
	struct ext4_inode expected = *inode;

	expected.checksum_lo = expected.checksum_hi = to_le16(0);
	ext4_inode_seal(&expected, ext4->format.csum_seed, ino);
	if (memcmp(&expected, inode, sizeof(expected)) == 0)
		return 0;
	ext4->host->error(ext4->host->ctx, "read back, inode %u is not what was written", ino);
	return -EUCLEAN;
}

/* Of a stretch of a table. */
static int verify_piece(const struct verify *verify, uint64_t block, uint32_t first_ino,
			uint32_t count)
{
	uint32_t blocks = div_up(count, EXT4_INODES_PER_BLOCK);
	int ret = read_blocks(verify->ext4, block, blocks, verify->piece);

	for (uint32_t i = 0; ret == 0 && i < count; i++)
		ret = verify_inode(verify->ext4, &verify->piece[i], first_ino + i);
	return ret;
}

static int verify_inodes(const struct verify *verify)
{
	const struct ext4_layout *layout = &verify->ext4->layout;
	uint64_t used = ext4_used_inodes(verify->ext4);
	int ret = 0;

	for (uint64_t done = 0; ret == 0 && done < used;) {
		uint32_t place = done % layout->geo.inodes_per_group;
		uint64_t table = layout->groups[done / layout->geo.inodes_per_group].inode_table;
		uint32_t count = layout->geo.inodes_per_group - place;

		if (count > PIECE_INODES)
			count = PIECE_INODES;
		if (count > used - done)
			count = used - done;
		ret = verify_piece(verify, table + place / EXT4_INODES_PER_BLOCK, done + 1, count);
		done += count;
		if (ret == 0 && verify->ext4->host->cancelled(verify->ext4->host->ctx))
			ret = -ECANCELED;
	}
	return ret;
}

/* ---- All of it ---- */

static int verify_all(struct verify *verify, uint64_t window_bytes)
{
	int ret = verify_super(verify, window_bytes);

	if (ret == 0)
		ret = read_blocks(verify->ext4, 1, verify->ext4->layout.geo.desc_blocks,
				  verify->descs);
	if (ret == 0)
		ret = verify_groups(verify);
	if (ret == 0)
		ret = verify_copies(verify);
	return ret < 0 ? ret : verify_inodes(verify);
}

int ext4_verify_window(const struct ext4 *ext4, uint64_t window_bytes)
{
	struct verify verify = {
		.ext4 = ext4,
		.descs = calloc(ext4->layout.geo.desc_blocks, EXT4_BLOCK_BYTES),
		.piece = calloc(PIECE_INODES, sizeof(*verify.piece)),
	};
	int ret = verify.descs && verify.piece ? verify_all(&verify, window_bytes)
					       : ext4_nomem(ext4->host);

	free(verify.descs);
	free(verify.piece);
	return ret;
}
