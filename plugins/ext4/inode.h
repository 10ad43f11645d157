/* SPDX-License-Identifier: Apache-2.0 */
/* One inode from a node. */
#ifndef EXT4_INODE_H
#define EXT4_INODE_H

#include <stdint.h>

#include "kataimg/backend.h"
#include "plugins/ext4/format.h"

/* The seconds and the extra word (nanoseconds, two more bits of seconds) of a timestamp. */
void ext4_time_encode(int64_t sec, uint32_t nsec, le32 *seconds, le32 *extra);

/* A zeroed inode's device number. */
void ext4_device_encode(struct ext4_inode *inode, uint32_t major, uint32_t minor);

/* Type, permissions, owner, times, size, the target of a short link or the device number; not its
 * blocks and extended attributes. links: what its entries amount to. The inode starts as zeros. */
void ext4_inode_fill(struct ext4_inode *inode, const struct kataimg_node *node, uint32_t links);

/* What an inode without a node has: owner 0:0, all times the same. */
void ext4_inode_fill_own(struct ext4_inode *inode, uint16_t mode, uint16_t links, uint64_t size,
			 int64_t time);

/* Blocks of 4096 bytes that belong to the inode, and where its extended attributes are (0: in the
 * inode alone). */
void ext4_inode_set_blocks(struct ext4_inode *inode, uint64_t blocks, uint64_t xattr_block);

/* The last step. */
void ext4_inode_seal(struct ext4_inode *inode, uint32_t csum_seed, uint32_t ino);

#endif
