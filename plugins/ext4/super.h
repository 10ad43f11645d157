/* SPDX-License-Identifier: Apache-2.0 */
/* Superblocks of finished filesystems, and what is foretold of one. */
#ifndef EXT4_SUPER_H
#define EXT4_SUPER_H

#include "kataimg/backend.h"

struct ext4;
struct ext4_super;

/* What ext4->layout becomes. */
void ext4_super_describe(const struct ext4 *ext4, struct kataimg_fs_info *info);

/* Of any ext2, ext3 or ext4 in the window. 0, -ENODATA: none, or -errno with its message. */
int ext4_super_probe(const struct kataimg_host *host, uint64_t window_bytes,
		     struct kataimg_fs_info *info);

/* The superblock, whatever it says. 0, -ENODATA: none, or -errno with its message. */
int ext4_super_read(const struct kataimg_host *host, uint64_t window_bytes,
		    struct ext4_super *super);

#endif
