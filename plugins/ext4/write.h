/* SPDX-License-Identifier: Apache-2.0 */
/* Everything but the frame: what the tree's nodes become, by ext4->layout. */
#ifndef EXT4_WRITE_H
#define EXT4_WRITE_H

#include <stdint.h>

struct ext4;

/* Writes directories, long links, xattr blocks, extent trees and inode tables, and records where
 * file data goes. journal_block: the 60 bytes that say where the journal is. 0, or -errno with its
 * message. */
int ext4_write_content(struct ext4 *ext4, uint8_t journal_block[60]);

#endif
