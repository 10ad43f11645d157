/* SPDX-License-Identifier: Apache-2.0 */
/* From a census to sizes: the smallest filesystem, and the one that a window gets. */
#ifndef EXT4_SIZE_H
#define EXT4_SIZE_H

#include "plugins/ext4/layout.h"

/* What is known before there is a window. */
struct ext4_size {
	uint64_t inodes; /* at least */
	uint64_t blocks; /* of the smallest filesystem */
	uint32_t blocks_per_group;
};

/* 0, or -errno with its message. */
int ext4_size_plan(struct ext4_size *size, const struct ext4_census *census);

/*
 * Lays the tree out in a window of at least the planned size, using as much of it as can be used.
 * Replaces the layout. 0, or -errno with its message.
 */
int ext4_size_layout(const struct ext4_size *size, const struct ext4_census *census,
		     uint64_t window_bytes, struct ext4_layout *layout);

/* Blocks that an unprivileged writer does not get: s_r_blocks_count, and what the kernel keeps for
 * itself (fs/ext4/super.c: two percent, at most 4096 clusters). */
uint64_t ext4_size_reserved_blocks(uint64_t blocks, uint64_t percent);
uint64_t ext4_size_kernel_reserve_blocks(uint64_t blocks);

#endif
