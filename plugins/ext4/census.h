/* SPDX-License-Identifier: Apache-2.0 */
/* What a tree needs in an ext4, whatever its size. */
#ifndef EXT4_CENSUS_H
#define EXT4_CENSUS_H

#include "lib/array.h"
#include "plugins/ext4/dir.h"
#include "plugins/ext4/source.h"
#include "plugins/ext4/xattr.h"

/* A block of extended attributes that inodes share. */
struct ext4_xattr_block {
	uint32_t node; /* index of one of them */
	uint32_t refcount;
};

struct ext4_demand {
	uint32_t blocks;       /* of a directory, a symbolic link's target, or a file's data */
	uint32_t xattr_block;  /* 0, or: one more than the number of the shared block */
	uint32_t xattrs;       /* where its attributes begin in the census' */
	uint32_t xattrs_inode; /* how many of them go into the inode */
};

struct ext4_census {
	const struct ext4_source *source;
	struct ext4_dir_format format;
	struct ext4_demand *demands;     /* by node index */
	ARRAY(struct ext4_xattr) xattrs; /* of all nodes, as they are stored */
	ARRAY(struct ext4_xattr_block) xattr_blocks;
	/* The nodes that have blocks, in the order in which they get them: large files,
	 * directories, then the rest by halving sizes, so that the small ones fill the gaps. */
	uint32_t *order;
	uint32_t order_count;
	uint32_t large_count;    /* how many at the start of order are aligned to huge pages */
	uint64_t content_blocks; /* of everything but tables, if no file has to be split */
	uint64_t used_inodes;    /* that the tree and the filesystem itself take */
	bool lost_found;         /* one is made; the tree has none */
};

/* The smallest journal that the kernel takes (JBD2_MIN_JOURNAL_BLOCKS). */
#define EXT4_JOURNAL_BLOCKS 1024u

/* Blocks of a lost+found that is made: room for names, so that e2fsck need not allocate. */
#define EXT4_LOST_FOUND_BLOCKS 4u

/* Counts the source's tree. 0, or -errno with its message. Clear in either case. */
int ext4_census_make(struct ext4_census *census, const struct ext4_source *source);
void ext4_census_clear(struct ext4_census *census);

/* The inode number of a node. */
uint32_t ext4_census_ino(const struct ext4_census *census, const struct kataimg_node *node);

/* A directory of the tree, to be written. */
struct ext4_dir ext4_census_dir(const struct ext4_census *census, const struct kataimg_node *node);

/* The attributes of a node. */
struct ext4_xattr_set ext4_census_xattrs(const struct ext4_census *census,
					 const struct kataimg_node *node);

/* Blocks of a huge page; 0: large files need no alignment. */
uint32_t ext4_huge_blocks(const struct ext4_source *source);

/* Blocks that a segment covers, and its first. */
uint32_t ext4_segment_first(const struct kataimg_segment *segment);
uint32_t ext4_segment_blocks(const struct kataimg_segment *segment);

/* Is the segment of this file one that is aligned? */
bool ext4_segment_is_large(const struct ext4_source *source, const struct kataimg_node *node,
			   const struct kataimg_segment *segment);

#endif
