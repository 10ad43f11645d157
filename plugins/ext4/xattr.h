/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes: those that fill the inode best go there, the others into one block, which
 * inodes with equal blocks share.
 */
#ifndef EXT4_XATTR_H
#define EXT4_XATTR_H

#include <stddef.h>
#include <stdint.h>

#include "kataimg/backend.h"
#include "plugins/ext4/format.h"

/* More do not fit an inode and a block, whatever their sizes. */
#define EXT4_XATTRS_MAX 256u

struct ext4_xattr {
	const struct kataimg_xattr *source;
	const char *name; /* without the prefix that name_index stands for */
	uint32_t value_bytes;
	uint8_t name_len;
	uint8_t name_index;
};

/* The attributes of a node, split: the first in_inode of them go into the inode. */
struct ext4_xattr_set {
	struct ext4_xattr *attrs;
	uint32_t count;
	uint32_t in_inode;
};

/* Reads and splits; set->attrs, the caller's, has room for all of the node's, or for
 * EXT4_XATTRS_MAX. 0, or -EFBIG with the reason why ext4 cannot store them. */
int ext4_xattr_set_read(struct ext4_xattr_set *set, const struct kataimg_node *node, char *reason,
			size_t reason_size);

/* Fills the zeroed space behind an inode's fields. */
void ext4_xattr_pack_inode(const struct ext4_xattr_set *set, uint8_t space[EXT4_XATTR_SPACE]);

/* Fills a zeroed block but for refcount and checksum. */
void ext4_xattr_pack_block(const struct ext4_xattr_set *set, uint8_t block[EXT4_BLOCK_BYTES]);

/* Sets what depends on the block's use: refcount, and the checksum over block and its number. */
void ext4_xattr_seal_block(uint8_t block[EXT4_BLOCK_BYTES], uint32_t csum_seed, uint64_t number,
			   uint32_t refcount);

/* The hash that an entry of a block carries. value is padded with zeros to a multiple of four
 * bytes. */
uint32_t ext4_xattr_hash(const char *name, size_t name_len, const uint8_t *value,
			 size_t value_bytes);

#endif
