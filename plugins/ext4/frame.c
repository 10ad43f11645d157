/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libext2fs initialises a filesystem in memory; what layout.c decided is filled in, in bulk;
 * closing writes it out with all checksums.
 */
#include "plugins/ext4/frame.h"

#include <errno.h>
#include <stdlib.h>

#include <ext2fs/ext2fs.h>

#include "plugins/common/space.h"
#include "plugins/ext4/ext4.h"
#include "plugins/ext4/io.h"
#include "plugins/ext4/size.h"

#define LOG_GROUPS_PER_FLEX 4
#define JOURNAL_BACKUP_BLOCKS 1 /* s_jnl_blocks holds the inode's block pointers and size */
#define BITMAP_STEP_BLOCKS (1u << 30)

struct frame {
	struct ext4 *ext4;
	struct ext4_io io;
	ext2_filsys fs;
};

static int frame_error(const struct frame *frame, errcode_t code, const char *doing)
{
	const struct kataimg_host *host = frame->ext4->host;

	if (frame->io.error)
		return frame->io.error;
	if (code == EXT2_ET_NO_MEMORY || code == ENOMEM)
		return ext4_nomem(host);
	host->error(host->ctx, "libext2fs, %s: error %ld", doing, (long)code);
	return -EIO;
}

uint32_t ext4_frame_compat(const struct ext4 *ext4)
{
	return EXT4_COMPAT_EXT_ATTR | EXT4_COMPAT_DIR_INDEX |
	       (ext4->options.journal ? EXT4_COMPAT_HAS_JOURNAL : 0);
}

/* ---- The superblock ---- */

static void fill_parameters(const struct ext4 *ext4, struct ext2_super_block *param)
{
	const struct ext4_geometry *geo = &ext4->layout.geo;

	param->s_rev_level = EXT2_DYNAMIC_REV;
	param->s_log_block_size = EXT4_BLOCK_BITS - EXT2_MIN_BLOCK_LOG_SIZE;
	param->s_log_cluster_size = param->s_log_block_size;
	param->s_blocks_per_group = geo->blocks_per_group;
	param->s_inode_size = EXT4_INODE_BYTES;
	param->s_first_ino = EXT4_FIRST_INO;
	param->s_inodes_count = geo->inodes_per_group * geo->groups;
	param->s_feature_compat = ext4_frame_compat(ext4);
	param->s_feature_incompat = EXT4_FRAME_INCOMPAT;
	param->s_feature_ro_compat = EXT4_FRAME_RO_COMPAT;
	param->s_log_groups_per_flex = LOG_GROUPS_PER_FLEX;
	param->s_errors = EXT2_ERRORS_CONTINUE;
	param->s_default_mount_opts = EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL;
	/* Lets a mount with data=ordered pass where there is no journal to order. */
	if (!ext4->options.journal)
		param->s_default_mount_opts |= EXT3_DEFM_JMODE_ORDERED;
	ext2fs_blocks_count_set(param, geo->blocks);
	ext2fs_r_blocks_count_set(
		param, ext4_reserved_blocks(geo->blocks, ext4->options.reserved_percent));
}

/* s_wtime: the first second that libext2fs does not take for "none". */
#define EXT4_FRAME_WRITE_TIME 1

static void set_times(struct ext2_super_block *super, int64_t now)
{
	super->s_mkfs_time = super->s_lastcheck = now;
	super->s_mkfs_time_hi = super->s_lastcheck_hi = now >> 32;
}

static uint64_t used_by_filesystem(const struct ext4 *ext4)
{
	return ext4_geometry_overhead(&ext4->layout.geo) +
	       (ext4->options.journal ? EXT4_JOURNAL_BLOCKS : 0);
}

/* The label and the hash's signedness, and all that must be final before the first checksum. */
static void fill_super(const struct frame *frame)
{
	const struct ext4 *ext4 = frame->ext4;
	struct ext2_super_block *super = frame->fs->super;

	frame->fs->now = ext4->job->build_time;
	set_times(super, ext4->job->build_time);
	memcpy(super->s_uuid, ext4->options.uuid, sizeof(super->s_uuid));
	memcpy(super->s_hash_seed, ext4->format.hash_seed, sizeof(super->s_hash_seed));
	super->s_def_hash_version = EXT4_DX_HASH_HALF_MD4;
	super->s_flags = EXT2_FLAGS_SIGNED_HASH;
	super->s_max_mnt_count = -1;
	super->s_creator_os = EXT2_OS_LINUX;
	super->s_checksum_type = EXT2_CRC32C_CHKSUM;
	super->s_kbytes_written = 0;
	super->s_overhead_clusters = used_by_filesystem(ext4);
	memcpy(super->s_volume_name, ext4->options.label, sizeof(super->s_volume_name));
	ext2fs_init_csum_seed(frame->fs);
}

static int check_agreement(const struct frame *frame)
{
	const struct ext4_geometry *geo = &frame->ext4->layout.geo;
	const struct kataimg_host *host = frame->ext4->host;
	ext2_filsys fs = frame->fs;

	if (ext2fs_blocks_count(fs->super) == geo->blocks &&
	    fs->super->s_feature_incompat == EXT4_FRAME_INCOMPAT &&
	    fs->super->s_blocks_per_group == geo->blocks_per_group &&
	    fs->super->s_inodes_per_group == geo->inodes_per_group &&
	    fs->group_desc_count == geo->groups && fs->desc_blocks == geo->desc_blocks &&
	    fs->inode_blocks_per_group == geo->itable_blocks)
		return 0;
	host->error(host->ctx,
		    "libext2fs makes %llu blocks in %u groups of %u inodes, features %#x, where "
		    "%llu, %u, %u and %#x were planned",
		    (unsigned long long)ext2fs_blocks_count(fs->super), fs->group_desc_count,
		    fs->super->s_inodes_per_group, fs->super->s_feature_incompat,
		    (unsigned long long)geo->blocks, geo->groups, geo->inodes_per_group,
		    EXT4_FRAME_INCOMPAT);
	return -EIO;
}

/* ---- Bitmaps and group descriptors ---- */

static void mark_blocks(ext2_filsys fs, uint64_t start, uint64_t end)
{
	while (start < end) {
		uint64_t part = end - start;

		if (part > BITMAP_STEP_BLOCKS)
			part = BITMAP_STEP_BLOCKS;
		ext2fs_mark_block_bitmap_range2(fs->block_map, start, part);
		start += part;
	}
}

static void add_group_free(ext2_filsys fs, uint64_t start, uint64_t blocks)
{
	while (blocks) {
		uint32_t group = start / fs->super->s_blocks_per_group;
		uint64_t part =
			fs->super->s_blocks_per_group - start % fs->super->s_blocks_per_group;

		if (part > blocks)
			part = blocks;
		ext2fs_bg_free_blocks_count_set(fs, group,
						ext2fs_bg_free_blocks_count(fs, group) + part);
		start += part;
		blocks -= part;
	}
}

/* Walks the free runs: what lies between them is used. */
static void fill_block_bitmap(const struct frame *frame)
{
	const struct space *space = frame->ext4->layout.space;
	ext2_filsys fs = frame->fs;
	uint64_t cursor = 0, used_from = 0, start, blocks;

	for (uint32_t group = 0; group < fs->group_desc_count; group++)
		ext2fs_bg_free_blocks_count_set(fs, group, 0);
	while (space_next_run(space, &cursor, &start, &blocks) == 0) {
		mark_blocks(fs, used_from, start);
		add_group_free(fs, start, blocks);
		used_from = start + blocks;
	}
	mark_blocks(fs, used_from, ext2fs_blocks_count(fs->super));
	ext2fs_free_blocks_count_set(fs->super, space_free_blocks(space));
}

/* Only a group whose bitmap follows from its own descriptor may go without one: all free but for
 * backups, and not the last, whose bitmap needs padding. */
static void set_block_uninit(const struct frame *frame, uint32_t group)
{
	const struct ext4_geometry *geo = &frame->ext4->layout.geo;
	uint32_t backup = ext4_group_has_backup(group) ? 1 + geo->desc_blocks : 0;
	uint32_t blocks = ext4_group_blocks(geo, group);
	ext2_filsys fs = frame->fs;

	if (group + 1 < geo->groups && ext2fs_bg_free_blocks_count(fs, group) + backup == blocks)
		ext2fs_bg_flags_set(fs, group, EXT2_BG_BLOCK_UNINIT);
	else
		ext2fs_bg_flags_clear(fs, group, EXT2_BG_BLOCK_UNINIT);
}

/* The first `used` inodes of a group are taken. The tables are zeros already. */
static errcode_t fill_group_inodes(ext2_filsys fs, uint32_t group, uint32_t used,
				   const uint8_t *ones)
{
	uint32_t per_group = fs->super->s_inodes_per_group;

	ext2fs_bg_flags_set(fs, group, EXT2_BG_INODE_ZEROED);
	ext2fs_bg_free_inodes_count_set(fs, group, per_group - used);
	ext2fs_bg_itable_unused_set(fs, group, per_group - used);
	if (used == 0)
		return 0;
	ext2fs_bg_flags_clear(fs, group, EXT2_BG_INODE_UNINIT);
	return ext2fs_set_inode_bitmap_range2(fs->inode_map, (ext2_ino_t)group * per_group + 1,
					      used, (void *)ones);
}

static void count_directories(const struct frame *frame)
{
	const struct ext4 *ext4 = frame->ext4;
	ext2_filsys fs = frame->fs;

	for (uint32_t i = 0; i < ext4->census.order_count; i++) {
		const struct kataimg_node *node = ext4->tree->nodes[ext4->census.order[i]];
		uint32_t group;

		if (node->type != KATAIMG_DIR)
			continue;
		group = (ext4_node_ino(ext4, node) - 1) / fs->super->s_inodes_per_group;
		ext2fs_bg_used_dirs_count_set(fs, group, ext2fs_bg_used_dirs_count(fs, group) + 1);
	}
	if (ext4->census.lost_found)
		ext2fs_bg_used_dirs_count_set(fs, 0, ext2fs_bg_used_dirs_count(fs, 0) + 1);
}

static errcode_t fill_group(const struct frame *frame, uint32_t group, uint64_t inodes_left,
			    const uint8_t *ones)
{
	const struct ext4_group_tables *tables = &frame->ext4->layout.groups[group];
	ext2_filsys fs = frame->fs;
	uint32_t per_group = fs->super->s_inodes_per_group;
	errcode_t code;

	ext2fs_block_bitmap_loc_set(fs, group, tables->block_bitmap);
	ext2fs_inode_bitmap_loc_set(fs, group, tables->inode_bitmap);
	ext2fs_inode_table_loc_set(fs, group, tables->inode_table);
	set_block_uninit(frame, group);
	code = fill_group_inodes(fs, group, inodes_left < per_group ? inodes_left : per_group,
				 ones);
	ext2fs_group_desc_csum_set(fs, group);
	return code;
}

static int fill_groups(const struct frame *frame)
{
	ext2_filsys fs = frame->fs;
	uint64_t used = ext4_used_inodes(frame->ext4);
	uint32_t per_group = fs->super->s_inodes_per_group;
	uint8_t *ones = malloc(per_group / 8);
	errcode_t code = 0;

	if (!ones)
		return ext4_nomem(frame->ext4->host);
	memset(ones, 0xff, per_group / 8);
	fill_block_bitmap(frame);
	count_directories(frame);
	for (uint32_t group = 0; code == 0 && group < fs->group_desc_count; group++) {
		uint64_t before = (uint64_t)group * per_group;

		code = fill_group(frame, group, used > before ? used - before : 0, ones);
	}
	fs->super->s_free_inodes_count = fs->super->s_inodes_count - used;
	free(ones);
	return code ? frame_error(frame, code, "filling the inode bitmap") : 0;
}

/* ---- The journal ---- */

/* The superblock keeps a copy of the inode's block pointers and size. */
static void back_up_journal_inode(struct ext2_super_block *super, const uint8_t journal_block[60])
{
	for (uint32_t i = 0; i < EXT2_N_BLOCKS; i++) {
		le32 word;

		memcpy(&word, journal_block + i * sizeof(word), sizeof(word));
		super->s_jnl_blocks[i] = from_le32(word);
	}
	super->s_jnl_blocks[EXT2_N_BLOCKS + 1] = EXT4_JOURNAL_BLOCKS * EXT4_BLOCK_BYTES;
	super->s_jnl_backup_type = JOURNAL_BACKUP_BLOCKS;
	super->s_journal_inum = EXT4_JOURNAL_INO;
}

static int write_journal(const struct frame *frame, const uint8_t journal_block[60])
{
	const struct ext4 *ext4 = frame->ext4;
	const struct kataimg_host *host = ext4->host;
	uint64_t start = ext4->layout.extents[ext4->layout.journal.first].physical;
	char *superblock;
	errcode_t code =
		ext2fs_create_journal_superblock(frame->fs, EXT4_JOURNAL_BLOCKS, 0, &superblock);
	int ret;

	if (code)
		return frame_error(frame, code, "making the journal");
	ret = host->write(host->ctx, start * EXT4_BLOCK_BYTES, superblock, EXT4_BLOCK_BYTES);
	ext2fs_free_mem(&superblock);
	back_up_journal_inode(frame->fs->super, journal_block);
	return ret;
}

/* ---- All of it ---- */

static int fill_frame(const struct frame *frame, const uint8_t journal_block[60])
{
	int ret = check_agreement(frame);

	if (ret < 0)
		return ret;
	fill_super(frame);
	ret = fill_groups(frame);
	if (ret == 0 && frame->ext4->options.journal)
		ret = write_journal(frame, journal_block);
	ext2fs_mark_super_dirty(frame->fs);
	ext2fs_mark_bb_dirty(frame->fs);
	ext2fs_mark_ib_dirty(frame->fs);
	return ret;
}

int ext4_frame_write(struct ext4 *ext4, const uint8_t journal_block[60])
{
	struct frame frame = { .ext4 = ext4 };
	struct ext2_super_block param = { 0 };
	errcode_t code;
	int ret;

	ext4_io_init(&frame.io, ext4->host);
	fill_parameters(ext4, &param);
	code = ext2fs_initialize(frame.io.name, EXT2_FLAG_64BITS, &param, &ext4_io_manager,
				 &frame.fs);
	if (code)
		return frame_error(&frame, code, "initialising the filesystem");
	ret = fill_frame(&frame, journal_block);
	/* Closing makes it s_wtime, and e2fsck takes a write in the future for a wrong clock, which
	 * build_time, a file's mtime after all, may well be. */
	frame.fs->now = EXT4_FRAME_WRITE_TIME;
	code = ret == 0 ? ext2fs_close2(frame.fs, EXT2_FLAG_FLUSH_NO_SYNC) : 0;
	if (ret < 0 || code)
		ext2fs_free(frame.fs);
	return code ? frame_error(&frame, code, "writing the frame") : ret;
}
