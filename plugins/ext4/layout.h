/* SPDX-License-Identifier: Apache-2.0 */
/* A filesystem of one size: where everything is. Made without a window, so that sizes can be tried.
 */
#ifndef EXT4_LAYOUT_H
#define EXT4_LAYOUT_H

#include "lib/array.h"
#include "plugins/common/placer.h"
#include "plugins/ext4/census.h"
#include "plugins/ext4/extent.h"
#include "plugins/ext4/geometry.h"

/* A group's own blocks. */
struct ext4_group_tables {
	uint64_t block_bitmap;
	uint64_t inode_bitmap;
	uint64_t inode_table;
};

/* A stretch of ext4_layout.extents: those of the data, ascending, then the blocks of the tree over
 * them, if it needs any. A tree has millions. */
struct ext4_extents {
	uint32_t first, count;
};

enum ext4_layout_mode {
	EXT4_LAYOUT_ROOMY,     /* large files whole where there is room */
	EXT4_LAYOUT_TIGHT,     /* large files by huge pages, wherever one is free first */
	EXT4_LAYOUT_LARGE_ONLY /* as tight, and only large files */
};

struct ext4_layout {
	const struct ext4_census *census;
	enum ext4_layout_mode mode;
	struct ext4_geometry geo;
	struct ext4_group_tables *groups;
	struct ext4_extents *files;        /* by node index */
	uint64_t *xattr_blocks;            /* by number */
	ARRAY(struct ext4_extent) extents; /* all */
	struct ext4_extents journal;
	struct ext4_extents lost_found;
	struct space *space;  /* what is free */
	struct placer placer; /* its count of missing blocks is 0, or the layout is of no use */
	uint64_t large_end;   /* behind the last block of large files and the filesystem's own */
};

/* Lays the census out in a geometry. 0 (look at what is missing), -ECANCELED or -ENOMEM. Clear in
 * either case. */
int ext4_layout_make(struct ext4_layout *layout, const struct ext4_census *census,
		     const struct ext4_geometry *geo, enum ext4_layout_mode mode);
void ext4_layout_clear(struct ext4_layout *layout);

static inline const struct ext4_extent *ext4_layout_data(const struct ext4_layout *layout,
							 const struct ext4_extents *extents)
{
	return layout->extents.items + extents->first;
}

#endif
