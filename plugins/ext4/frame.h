/* SPDX-License-Identifier: Apache-2.0 */
/* Superblock, group descriptors, bitmaps, their copies, and the journal's superblock. */
#ifndef EXT4_FRAME_H
#define EXT4_FRAME_H

#include "plugins/ext4/layout.h"

/* Writes the layout's frame. journal_block: what the journal's inode says of where it is. 0, or
 * -errno with its message. */
int ext4_frame_write(const struct ext4_layout *layout,
		     const uint8_t journal_block[EXT4_INODE_BLOCK_BYTES]);

/* As kataimg_backend.libraries. */
const char *ext4_frame_libraries(void);

#endif
