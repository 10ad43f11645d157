/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ext4 backend's state, and how its parts work together:
 *
 *   census.c    what the tree needs, whatever the size: blocks of directories, shared xattr blocks,
 *               the order of allocation
 *   layout.c    one size: where the filesystem's own blocks and every file's extents are
 *   size.c      the smallest size; which part of a window is used
 *   write.c     directories, xattr blocks, extent trees, inodes, and the host's place records
 *   frame.c     superblock, descriptors, bitmaps and journal, by libext2fs
 *   super.c     reading a superblock back
 *   verify.c    reading the frame and the inodes back
 */
#ifndef EXT4_EXT4_H
#define EXT4_EXT4_H

#include <stdbool.h>
#include <stdint.h>

#include "kataimg/backend.h"
#include "plugins/ext4/census.h"
#include "plugins/ext4/dir.h"
#include "plugins/ext4/layout.h"

#define EXT4_LABEL_BYTES 16u

struct ext4_options {
	uint64_t reserved_percent;
	uint64_t inodes; /* 0: tree plus spare */
	bool journal;
	char label[EXT4_LABEL_BYTES + 1];
	uint8_t uuid[16];
};

enum ext4_option {
	EXT4_OPTION_RESERVED_PERCENT,
	EXT4_OPTION_INODES,
	EXT4_OPTION_JOURNAL,
	EXT4_OPTION_LABEL,
	EXT4_OPTION_UUID,
	EXT4_OPTIONS
};
extern const struct kataimg_option ext4_options[EXT4_OPTIONS];

struct ext4 {
	const struct kataimg_host *host;
	const struct kataimg_job *job;
	struct ext4_options options;
	struct ext4_dir_format format;

	/* From plan on. */
	const struct kataimg_tree *tree;
	struct ext4_census census;
	uint32_t blocks_per_group;
	uint64_t inodes;           /* at least */
	uint64_t planned_blocks;   /* the smallest size */
	struct ext4_layout layout; /* of the window asked for last */
	uint64_t window_bytes;     /* 0: none yet */
};

/* -ENOMEM with its message. */
int ext4_nomem(const struct kataimg_host *host);

/* For results of our own functions that give no message when memory is out: gives it. Returns ret.
 */
int ext4_result(const struct kataimg_host *host, int ret);

/* Long loops call it with their counter: -ECANCELED once the build is to stop. */
int ext4_check_cancelled(const struct kataimg_host *host, uint64_t step);

/* The inode number of a node. */
uint32_t ext4_node_ino(const struct ext4 *ext4, const struct kataimg_node *node);

/* Blocks that an unprivileged writer does not get: s_r_blocks_count, and what the kernel keeps for
 * itself (fs/ext4/super.c: two percent, at most 4096 clusters). */
uint64_t ext4_reserved_blocks(uint64_t blocks, uint64_t percent);
uint64_t ext4_kernel_reserve_blocks(uint64_t blocks);

#endif
