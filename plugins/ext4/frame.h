/* SPDX-License-Identifier: Apache-2.0 */
/* Superblock, group descriptors, bitmaps, their copies, and the journal's superblock. */
#ifndef EXT4_FRAME_H
#define EXT4_FRAME_H

#include <stdint.h>

struct ext4;

#define EXT4_FRAME_INCOMPAT                                                     \
	(EXT4_INCOMPAT_FILETYPE | EXT4_INCOMPAT_EXTENTS | EXT4_INCOMPAT_64BIT | \
	 EXT4_INCOMPAT_FLEX_BG)
#define EXT4_FRAME_RO_COMPAT                                                                  \
	(EXT4_RO_COMPAT_SPARSE_SUPER | EXT4_RO_COMPAT_LARGE_FILE | EXT4_RO_COMPAT_HUGE_FILE | \
	 EXT4_RO_COMPAT_DIR_NLINK | EXT4_RO_COMPAT_EXTRA_ISIZE | EXT4_RO_COMPAT_METADATA_CSUM)
/* Feature words of a filesystem with or without a journal. */
uint32_t ext4_frame_compat(const struct ext4 *ext4);

/* Writes the frame of ext4->layout. journal_block: the 60 bytes of the journal's inode that say
 * where it is. 0, or -errno with its message. */
int ext4_frame_write(struct ext4 *ext4, const uint8_t journal_block[60]);

#endif
