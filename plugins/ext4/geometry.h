/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where ext4's own blocks are, as numbers: groups, inode tables, backups. libext2fs computes the
 * same when it initialises a filesystem (lib/ext2fs/initialize.c); frame.c checks that both agree.
 */
#ifndef EXT4_GEOMETRY_H
#define EXT4_GEOMETRY_H

#include <stdbool.h>
#include <stdint.h>

#define EXT4_GROUP_BLOCKS_MAX 32768u
#define EXT4_GROUP_INODES_MAX 32768u

struct ext4_geometry {
	uint64_t blocks;
	uint32_t blocks_per_group;
	uint32_t groups;
	uint32_t inodes_per_group;
	uint32_t itable_blocks; /* of one group */
	uint32_t desc_blocks;   /* of one copy of the group descriptors */
};

/*
 * The geometry of a filesystem of so many blocks with at least so many inodes. False when there is
 * none: too many inodes for so few groups, groups too small for what each may have to hold, or a
 * last group too short for its own tables.
 */
bool ext4_geometry_init(struct ext4_geometry *geo, uint64_t blocks, uint32_t blocks_per_group,
			uint64_t inodes);

/* Does the group begin with a copy of superblock and descriptors? (feature sparse_super) */
bool ext4_group_has_backup(uint32_t group);

/* Blocks of a group below which libext2fs finds it too small for its own tables, or spreads the
 * descriptors (meta_bg). */
uint32_t ext4_geometry_group_min(const struct ext4_geometry *geo);

/* Blocks of the last group below which libext2fs gives the group up. */
uint64_t ext4_geometry_tail_min(const struct ext4_geometry *geo);

/* Superblocks, descriptors, bitmaps and inode tables. */
uint64_t ext4_geometry_overhead(const struct ext4_geometry *geo);

/* How many blocks of the group exist; group_start is its first. */
uint64_t ext4_group_start(const struct ext4_geometry *geo, uint32_t group);
uint32_t ext4_group_blocks(const struct ext4_geometry *geo, uint32_t group);

#endif
