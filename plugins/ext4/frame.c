/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libext2fs initialises a filesystem in memory; what layout.c decided is filled in, in bulk;
 * closing writes it out with all checksums.
 */
#include "plugins/ext4/frame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include <ext2fs/ext2fs.h>

#include "lib/cleanup.h"
#include "plugins/ext4/io.h"
#include "plugins/ext4/super.h"

/* s_wtime: the first second that libext2fs does not take for "none". */
#define WRITE_TIME 1
#define JOURNAL_BACKUP_BLOCKS 1 /* s_jnl_blocks holds the inode's block pointers and size */
#define BITMAP_STEP_BLOCKS (1u << 30)

struct frame {
	const struct ext4_layout *layout;
	struct ext4_io io;
	ext2_filsys fs;
};

static int frame_error(const struct frame *frame, errcode_t code, const char *doing)
{
	const struct kataimg_host *host = frame->io.host;

	if (frame->io.error)
		return frame->io.error;
	if (code == EXT2_ET_NO_MEMORY || code == ENOMEM)
		return -ENOMEM;
	host->error(host->ctx, "libext2fs, %s: error %ld", doing, (long)code);
	return -EIO;
}

/* ---- Bitmaps and group descriptors ---- */

static void mark_blocks(ext2_filsys fs, uint64_t start, uint64_t end)
{
	while (start < end) {
		uint64_t part = end - start;

		if (part > BITMAP_STEP_BLOCKS)
			part = BITMAP_STEP_BLOCKS;
		ext2fs_mark_block_bitmap_range2(fs->block_map, start, (unsigned int)part);
		start += part;
	}
}

static void add_group_free(ext2_filsys fs, uint64_t start, uint64_t blocks)
{
	while (blocks) {
		uint32_t per_group = fs->super->s_blocks_per_group;
		dgrp_t group = (dgrp_t)(start / per_group);
		uint64_t part = per_group - start % per_group;
		uint32_t before = ext2fs_bg_free_blocks_count(fs, group);

		if (part > blocks)
			part = blocks;
		ext2fs_bg_free_blocks_count_set(fs, group, before + (uint32_t)part);
		start += part;
		blocks -= part;
	}
}

/* Walks the free runs: what lies between them is used. */
static void fill_block_bitmap(const struct frame *frame)
{
	const struct space *space = frame->layout->space;
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
	const struct ext4_geometry *geo = &frame->layout->geo;
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
	const struct ext4_census *census = frame->layout->census;
	ext2_filsys fs = frame->fs;

	for (uint32_t i = 0; i < census->order_count; i++) {
		const struct kataimg_node *node = census->source->tree->nodes[census->order[i]];
		dgrp_t group;

		if (node->type != KATAIMG_DIR)
			continue;
		group = (ext4_census_ino(census, node) - 1) / fs->super->s_inodes_per_group;
		ext2fs_bg_used_dirs_count_set(fs, group, ext2fs_bg_used_dirs_count(fs, group) + 1);
	}
	if (census->lost_found)
		ext2fs_bg_used_dirs_count_set(fs, 0, ext2fs_bg_used_dirs_count(fs, 0) + 1);
}

static errcode_t fill_group(const struct frame *frame, dgrp_t group, uint64_t inodes_left,
			    const uint8_t *ones)
{
	const struct ext4_group_tables *tables = &frame->layout->groups[group];
	ext2_filsys fs = frame->fs;
	uint32_t per_group = fs->super->s_inodes_per_group;
	errcode_t code;

	ext2fs_block_bitmap_loc_set(fs, group, tables->block_bitmap);
	ext2fs_inode_bitmap_loc_set(fs, group, tables->inode_bitmap);
	ext2fs_inode_table_loc_set(fs, group, tables->inode_table);
	set_block_uninit(frame, group);
	code = fill_group_inodes(fs, group,
				 inodes_left < per_group ? (uint32_t)inodes_left : per_group, ones);
	ext2fs_group_desc_csum_set(fs, group);
	return code;
}

static int fill_groups(const struct frame *frame)
{
	ext2_filsys fs = frame->fs;
	uint64_t used = frame->layout->census->used_inodes;
	uint32_t per_group = fs->super->s_inodes_per_group;
	autofree uint8_t *ones = malloc(per_group / 8);

	if (!ones)
		return -ENOMEM;
	memset(ones, 0xff, per_group / 8);
	fill_block_bitmap(frame);
	count_directories(frame);
	for (dgrp_t group = 0; group < fs->group_desc_count; group++) {
		uint64_t before = (uint64_t)group * per_group;
		errcode_t code = fill_group(frame, group, used > before ? used - before : 0, ones);

		if (code)
			return frame_error(frame, code, "filling the inode bitmap");
	}
	fs->super->s_free_inodes_count = fs->super->s_inodes_count - (uint32_t)used;
	return 0;
}

/* ---- The journal ---- */

/* The superblock keeps a copy of the inode's block pointers and size. */
static void back_up_journal_inode(struct ext2_super_block *super,
				  const uint8_t journal_block[EXT4_INODE_BLOCK_BYTES])
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

static int write_journal(const struct frame *frame,
			 const uint8_t journal_block[EXT4_INODE_BLOCK_BYTES])
{
	const struct kataimg_host *host = frame->io.host;
	const struct ext4_layout *layout = frame->layout;
	uint64_t start = ext4_layout_data(layout, &layout->journal)->physical;
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

static int fill_frame(const struct frame *frame,
		      const uint8_t journal_block[EXT4_INODE_BLOCK_BYTES])
{
	int ret = ext4_super_check(frame->layout, frame->fs);

	if (ret < 0)
		return ret;
	ext4_super_fill(frame->layout, frame->fs);
	ret = fill_groups(frame);
	if (ret < 0)
		return ret;
	ext2fs_mark_super_dirty(frame->fs);
	ext2fs_mark_bb_dirty(frame->fs);
	ext2fs_mark_ib_dirty(frame->fs);
	return frame->layout->census->source->options.journal ? write_journal(frame, journal_block)
							      : 0;
}

/* Has libext2fs write the filesystem out. */
static int close_frame(struct frame *frame)
{
	errcode_t code;

	/* It becomes s_wtime, and e2fsck takes a write in the future for a wrong clock, which
	 * build_time, a file's mtime after all, may well be. */
	frame->fs->now = WRITE_TIME;
	code = ext2fs_close2(frame->fs, EXT2_FLAG_FLUSH_NO_SYNC);
	if (code)
		return frame_error(frame, code, "writing the frame");
	frame->fs = NULL;
	/* That libext2fs went on does not make a failed write good. */
	return frame->io.error;
}

static void free_frame(struct frame *frame)
{
	if (frame->fs)
		ext2fs_free(frame->fs);
}

int ext4_frame_write(const struct ext4_layout *layout,
		     const uint8_t journal_block[EXT4_INODE_BLOCK_BYTES])
{
	struct frame frame autocall(free_frame) = { .layout = layout };
	struct ext2_super_block param = { 0 };
	errcode_t code;
	int ret;

	ext4_io_init(&frame.io, layout->census->source->host);
	ext4_super_set_parameters(layout, &param);
	code = ext2fs_initialize(frame.io.name, EXT2_FLAG_64BITS, &param, &ext4_io_manager,
				 &frame.fs);
	if (code)
		return frame_error(&frame, code, "initialising the filesystem");
	ret = fill_frame(&frame, journal_block);
	return ret < 0 ? ret : close_frame(&frame);
}

const char *ext4_frame_libraries(void)
{
	static __thread char text[64];
	const char *version;

	ext2fs_get_library_version(&version, NULL);
	snprintf(text, sizeof(text), "libext2fs %s", version);
	return text;
}
