/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where everything goes in a filesystem of one size: made in memory, from the tree's shapes alone,
 * and the same each time. write follows it to the letter.
 *
 * Order: inode chunks behind the fixed blocks; attribute forks; directories and symbolic links;
 * then the large stretches of files, at huge-page boundaries of the image (tightly packed, these
 * come before the attributes); then all other file data, which fills the gaps. Blocks of the
 * free-space trees come from the end of each AG.
 */
#ifndef XFS_LAYOUT_H
#define XFS_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "kataimg/backend.h"
#include "lib/array.h"
#include "plugins/common/placer.h"
#include "plugins/xfs/fork.h"
#include "plugins/xfs/geometry.h"
#include "plugins/xfs/numbers.h"
#include "plugins/xfs/source.h"
#include "plugins/xfs/totals.h"

/* How stretches of at least a huge page are placed. */
enum xfs_packing {
	XFS_PACK_WHOLE, /* in one piece, if there is room */
	XFS_PACK_TIGHT  /* their huge pages only, before all else; heads and tails fill gaps */
};

/* Extents of an inode, in struct xfs_layout.extents. */
struct xfs_place {
	uint32_t first; /* of the data fork; those of its B+tree's blocks follow */
	uint32_t count;
	uint32_t tree_count;
	uint32_t attr; /* the one extent of the attribute fork */
};

/* An AG; agbno throughout. */
struct xfs_ag {
	uint32_t length;
	uint32_t chunk_start, chunks;
	uint32_t inobt_start, inobt_blocks; /* below the root */
	uint32_t hold_blocks;               /* at the end, for the kernel's reservation */
	/* Free space, once all is placed. */
	uint32_t free_blocks, free_runs, longest;
	uint32_t btree_blocks; /* of the free-space trees, below their roots */
	uint32_t agfl_count;
};

struct xfs_layout {
	const struct xfs_source *source;
	struct xfs_geometry geo;
	enum xfs_packing packing;
	struct xfs_ag *ags;
	uint32_t *chunks; /* number of each chunk's first inode */
	uint64_t chunk_count;
	struct xfs_place *places; /* of each node */
	ARRAY(struct xfs_extent) extents;
	struct space *space;
	struct placer placer;
	uint64_t fork_first; /* while one is placed: its first extent */
	struct xfs_totals totals;
	uint64_t missing; /* after -ENOSPC: with fewer blocks more it is too small, too */
};

/*
 * Makes a layout; 0, -ENOSPC (without a message: the size is too small), -ENOMEM, -ECANCELED, or
 * -EFBIG with its message. Whatever it returns, the layout can be cleared.
 */
int xfs_layout_make(struct xfs_layout *layout, const struct xfs_source *source, uint64_t dblocks,
		    enum xfs_packing packing);
void xfs_layout_clear(struct xfs_layout *layout);

/* The fewest blocks that could be enough, by counting; no filesystem with fewer holds the tree. */
uint64_t xfs_layout_least_blocks(const struct xfs_source *source);

/* ---- Between the parts of the layout ---- */

/* layout_ag.c: fixed blocks and inode chunks, then the free runs into layout->space. */
int xfs_layout_init_ags(struct xfs_layout *layout);

/* layout_data.c: all forks. */
int xfs_layout_place_forks(struct xfs_layout *layout);

#endif
