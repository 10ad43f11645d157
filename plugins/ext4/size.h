/* SPDX-License-Identifier: Apache-2.0 */
/* From a census to sizes: the smallest filesystem, and the one that a window gets. */
#ifndef EXT4_SIZE_H
#define EXT4_SIZE_H

#include <stdint.h>

struct ext4;

/* Sets what is the same in every window (inodes, blocks_per_group) and planned_blocks. 0, or -errno
 * with its message. */
int ext4_size_plan(struct ext4 *ext4);

/*
 * Lays the tree out in a window of at least the planned size, as ext4->layout, using as much of it
 * as can be used. 0, or -errno with its message.
 */
int ext4_size_layout(struct ext4 *ext4, uint64_t window_bytes);

/* Inodes that the tree and the filesystem itself take. */
uint64_t ext4_used_inodes(const struct ext4 *ext4);

#endif
