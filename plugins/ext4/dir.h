/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories: a few blocks of entries in the order of their names, or, when they need more, a hash
 * tree of full leaves (htree.c).
 */
#ifndef EXT4_DIR_H
#define EXT4_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kataimg/backend.h"
#include "plugins/ext4/format.h"

struct writer;
struct ext4_extent;

/* What decides the bytes of a directory beside its entries. */
struct ext4_dir_format {
	uint32_t csum_seed; /* of the filesystem */
	uint32_t hash_seed[4];
	uint32_t first_tree_ino; /* the inode number of a node is this plus its index */
	uint32_t linear_blocks;  /* what needs more than so many is a hash tree */
};

/*
 * Where nothing will be added, two blocks are searched as fast as an index block and one of two
 * leaves, and take one block less. A kernel gives no directory of two blocks an index, however
 * large it becomes, so where it may grow, only one block goes without.
 */
#define EXT4_LINEAR_BLOCKS_FIXED 2u
#define EXT4_LINEAR_BLOCKS_GROWING 1u

struct ext4_dir {
	const struct kataimg_entry *entries;
	uint32_t entry_count;
	uint32_t ino;
	uint32_t parent_ino;
	uint32_t lost_found_ino; /* 0, or: one more entry, "lost+found" */
	uint32_t blocks;         /* for write: as counted, or more to leave the last ones empty */
};

/* What a directory needs, one block at least. -ENOMEM. */
int ext4_dir_count_blocks(const struct ext4_dir_format *format, const struct ext4_dir *dir,
			  uint32_t *blocks);

/* Blocks that so many bytes of entries can need at most; more than EXT4_DIR_BLOCKS_MAX cannot be
 * stored. */
uint64_t ext4_dir_blocks_bound(const struct kataimg_entry *entries, uint32_t count);
#define EXT4_DIR_BLOCKS_MAX \
	((uint64_t)EXT4_DX_ROOT_LIMIT * EXT4_DX_NODE_LIMIT + EXT4_DX_ROOT_LIMIT + 1)

/* Is it stored as a hash tree (EXT4_INODE_INDEX)? */
bool ext4_dir_is_indexed(const struct ext4_dir_format *format, const struct ext4_dir *dir);

/* Writes all blocks to where the extents say. 0/-errno. */
int ext4_dir_write(const struct ext4_dir_format *format, const struct ext4_dir *dir,
		   const struct ext4_extent *extents, struct writer *writer);

/* ---- Shared by dir.c and htree.c ---- */

struct ext4_name {
	const char *text;
	uint32_t len;
};

uint32_t ext4_dir_entry_count(const struct ext4_dir *dir);
/* Without a look at the node, which costs a cache miss. */
struct ext4_name ext4_dir_name(const struct ext4_dir *dir, uint32_t number);
uint32_t ext4_dirent_bytes(uint32_t name_len);

/* A directory block being filled with entries. */
struct ext4_dir_block {
	uint8_t *bytes;
	uint32_t used;
	uint32_t last; /* offset of the last entry */
};

void ext4_dir_block_add_dots(struct ext4_dir_block *block, const struct ext4_dir *dir);
void ext4_dir_block_add(struct ext4_dir_block *block, const struct ext4_dir_format *format,
			const struct ext4_dir *dir, uint32_t number);
/* Stretches the last entry to the end and seals the block. */
void ext4_dir_block_finish(struct ext4_dir_block *block, uint32_t inode_seed);

/* The checksum seed of everything that belongs to an inode; its generation is 0. */
uint32_t ext4_inode_seed(uint32_t csum_seed, uint32_t ino);

#endif
