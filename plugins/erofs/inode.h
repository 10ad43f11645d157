/* SPDX-License-Identifier: Apache-2.0 */
/* Inodes: how large they are, and their bytes. */
#ifndef EROFS_INODE_H
#define EROFS_INODE_H

#include "plugins/erofs/erofs.h"

#define EROFS_INODE_BYTES_MAX sizeof(struct erofs_inode_extended)

/* The largest device numbers that fit the 32 bits of u. */
#define EROFS_DEVICE_MAJOR_MAX 0xfffu
#define EROFS_DEVICE_MINOR_MAX 0xfffffu

/* Does the node need the extended form? A compact one has the superblock's time, 16-bit ids and
 * links, and a 32-bit size. */
bool erofs_inode_is_extended(const struct erofs *fs, const struct kataimg_node *node,
			     uint64_t size);

/* The inode alone, in bytes. */
uint32_t erofs_inode_bytes(const struct erofs_inode *inode);
/* Where its index begins, and the inode with xattrs and index, from the inode's first byte. */
uint64_t erofs_inode_index_off(const struct erofs_inode *inode);
uint64_t erofs_inode_head_bytes(const struct erofs_inode *inode);
/* The bytes of data that follow the head. */
uint32_t erofs_inode_tail_bytes(const struct erofs_inode *inode);

/* Writes erofs_inode_bytes. */
void erofs_inode_encode(const struct erofs *fs, const struct kataimg_node *node,
			uint8_t out[EROFS_INODE_BYTES_MAX]);

/* A device number as the kernel's new_encode_dev makes it, and back. */
uint32_t erofs_device_encode(uint32_t major, uint32_t minor);

#endif
