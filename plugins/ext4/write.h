/* SPDX-License-Identifier: Apache-2.0 */
/* Everything but the frame: what the tree's nodes become. */
#ifndef EXT4_WRITE_H
#define EXT4_WRITE_H

#include "plugins/ext4/layout.h"

/* Writes directories, long links, xattr blocks, extent trees and inode tables, and records where
 * file data goes. journal_block: what the journal's inode says of where it is. 0/-errno. */
int ext4_write_content(const struct ext4_layout *layout,
		       uint8_t journal_block[EXT4_INODE_BLOCK_BYTES]);

#endif
