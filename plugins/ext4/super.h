/* SPDX-License-Identifier: Apache-2.0 */
/* The superblock: its part of what libext2fs writes, and what it says of the filesystem. */
#ifndef EXT4_SUPER_H
#define EXT4_SUPER_H

#include "plugins/ext4/feature.h"
#include "plugins/ext4/layout.h"

struct ext2_super_block;
struct struct_ext2_filsys;

/* What decides a description, from a layout or from a superblock. */
struct ext4_facts {
	struct ext4_features features;
	uint64_t blocks, free_blocks, reserved_blocks;
	uint64_t inodes, free_inodes;
	uint64_t block_bytes;
	const uint8_t *uuid;
	const char *label; /* at most EXT4_LABEL_BYTES, not always with a NUL */
};

void ext4_facts_describe(const struct ext4_facts *facts, struct kataimg_fs_info *info);

/* What the layout becomes. */
void ext4_super_describe(const struct ext4_layout *layout, struct kataimg_fs_info *info);

/* What ext2fs_initialize shall make. */
void ext4_super_set_parameters(const struct ext4_layout *layout, struct ext2_super_block *param);

/* Did it? -EUCLEAN with its message. */
int ext4_super_check(const struct ext4_layout *layout, const struct struct_ext2_filsys *fs);

/* What it does not know of, and all that must be final before the first checksum. */
void ext4_super_fill(const struct ext4_layout *layout, struct struct_ext2_filsys *fs);

#endif
