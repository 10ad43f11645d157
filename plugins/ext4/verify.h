/* SPDX-License-Identifier: Apache-2.0 */
/* Is a finished window what was laid out? */
#ifndef EXT4_VERIFY_H
#define EXT4_VERIFY_H

#include <stdint.h>

struct ext4;

/*
 * Re-reads superblock and group descriptors with their copies, bitmaps, and inodes: whole, clean,
 * and as ext4->layout and the tree have them. 0, or -errno with its message.
 */
int ext4_verify_window(const struct ext4 *ext4, uint64_t window_bytes);

#endif
