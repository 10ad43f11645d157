/* SPDX-License-Identifier: Apache-2.0 */
/* What a tree needs in an ext4, whatever its size. */
#ifndef EXT4_CENSUS_H
#define EXT4_CENSUS_H

#include <stdbool.h>
#include <stdint.h>

#include "kataimg/backend.h"

struct ext4;

/* A block of extended attributes that inodes share. */
struct ext4_xattr_block {
	uint32_t node; /* index of one of them */
	uint32_t refcount;
};

struct ext4_demand {
	uint32_t blocks; /* of a directory, a symbolic link's target, or a file's data */
	uint32_t xattr;  /* 0, or: one more than the number of the shared block */
};

struct ext4_census {
	struct ext4_demand *demands; /* by node index */
	/* The nodes that have blocks, in the order in which they get them: large files,
	 * directories, then the rest by halving sizes, so that the small ones fill the gaps. */
	uint32_t *order;
	uint32_t order_count;
	uint32_t large_count; /* how many at the start of order are aligned to huge pages */
	uint32_t directories;
	struct ext4_xattr_block *xattr_blocks;
	uint32_t xattr_block_count;
	uint64_t content_blocks; /* of everything but tables, if no file has to be split */
	bool lost_found;         /* one is made; the tree has none */
};

/* The smallest journal that the kernel takes (JBD2_MIN_JOURNAL_BLOCKS). */
#define EXT4_JOURNAL_BLOCKS 1024u

/* Blocks of a lost+found that is made: room for names, so that e2fsck need not allocate. */
#define EXT4_LOST_FOUND_BLOCKS 4u

/* Counts ext4->tree. 0, or -errno with its message. Destroy in either case. */
int ext4_census_init(struct ext4_census *census, const struct ext4 *ext4);
void ext4_census_destroy(struct ext4_census *census);

/* Blocks of a huge page; 0: large files need no alignment. */
uint32_t ext4_huge_blocks(const struct ext4 *ext4);

/* Blocks that a segment covers, and its first. */
uint32_t ext4_segment_first(const struct kataimg_segment *segment);
uint32_t ext4_segment_blocks(const struct kataimg_segment *segment);

/* Is the segment of this file one that is aligned? */
bool ext4_segment_is_large(const struct ext4 *ext4, const struct kataimg_node *node,
			   const struct kataimg_segment *segment);

#endif
