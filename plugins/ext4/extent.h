/* SPDX-License-Identifier: Apache-2.0 */
/* Extents: where a file's blocks are, and the tree that says so on disk. */
#ifndef EXT4_EXTENT_H
#define EXT4_EXTENT_H

#include "plugins/ext4/format.h"

struct writer;

/* A run of blocks of one file, at most EXT4_EXTENT_MAX_BLOCKS long. */
struct ext4_extent {
	uint64_t physical;
	uint32_t logical;
	uint32_t blocks;
};

/* How many blocks a tree over so many extents needs beside the inode. */
uint64_t ext4_extent_tree_blocks(uint64_t extents);

/*
 * Writes the tree over the extents (ascending by logical block) into an inode's 60 bytes and, when
 * they are more than four, into blocks taken in order from tree_runs. inode_seed is the checksum
 * seed of the inode. 0/-errno.
 */
int ext4_extent_tree_write(struct writer *writer, uint32_t inode_seed,
			   const struct ext4_extent *extents, uint32_t count,
			   const struct ext4_extent *tree_runs,
			   uint8_t inode_block[EXT4_INODE_BLOCK_BYTES]);

/* The physical block of a logical one, which is mapped; *hint speeds up ascending questions, begin
 * with 0. */
uint64_t ext4_extent_lookup(const struct ext4_extent *extents, uint32_t logical, uint32_t *hint);

#endif
