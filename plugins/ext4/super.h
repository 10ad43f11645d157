/* SPDX-License-Identifier: Apache-2.0 */
/* Superblocks of finished filesystems, and what is foretold of one. */
#ifndef EXT4_SUPER_H
#define EXT4_SUPER_H

#include "kataimg/backend.h"

struct ext4;

/* What ext4->layout becomes. */
void ext4_super_describe(const struct ext4 *ext4, struct kataimg_fs_info *info);

/* Of any ext2, ext3 or ext4 in the window. 0, -ENODATA: none, or -errno with its message. */
int ext4_super_probe(const struct kataimg_host *host, uint64_t window_bytes,
		     struct kataimg_fs_info *info);

/* Re-reads the superblock of a finished window: whole, clean, and as described. 0, or -errno with
 * its message. */
int ext4_super_verify(const struct ext4 *ext4, uint64_t window_bytes);

#endif
