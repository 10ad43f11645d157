/* SPDX-License-Identifier: Apache-2.0 */
/* A filesystem of one size: where everything is. Made without a window, so that sizes can be tried.
 */
#ifndef EXT4_LAYOUT_H
#define EXT4_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "plugins/ext4/extent.h"
#include "plugins/ext4/geometry.h"

struct ext4;
struct space;

/* A group's own blocks. */
struct ext4_group_tables {
	uint64_t block_bitmap;
	uint64_t inode_bitmap;
	uint64_t inode_table;
};

/* A stretch of ext4_layout.extents: those of the data, ascending, then the blocks of the tree over
 * them, if it needs any. */
struct ext4_extents {
	uint32_t first;
	uint32_t count;
};

enum ext4_layout_mode {
	EXT4_LAYOUT_ROOMY,     /* large files whole where there is room */
	EXT4_LAYOUT_TIGHT,     /* large files by huge pages, wherever one is free first */
	EXT4_LAYOUT_LARGE_ONLY /* as tight, and only large files */
};

struct ext4_layout {
	enum ext4_layout_mode mode;
	struct ext4_geometry geo;
	struct ext4_group_tables *groups;
	struct ext4_extents *files;  /* by node index */
	uint64_t *xattr_blocks;      /* by number */
	struct ext4_extent *extents; /* all */
	uint32_t extent_count;
	uint32_t extent_capacity;
	struct ext4_extents journal;
	struct ext4_extents lost_found;
	struct space *space; /* what is free */
	uint64_t large_end;  /* behind the last block of large files and the filesystem's own */
	uint64_t missing;    /* blocks that found no room: 0, or the layout is of no use */
};

/* Lays out ext4's census in a geometry. 0 (look at missing), -ECANCELED, or -ENOMEM without a
 * message. Destroy in either case. */
int ext4_layout_init(struct ext4_layout *layout, const struct ext4 *ext4,
		     const struct ext4_geometry *geo, enum ext4_layout_mode mode);
void ext4_layout_destroy(struct ext4_layout *layout);

#endif
