/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The B+trees of an AG (free space by place and by length, inodes, free inodes), built at once from
 * sorted records. Records are dealt evenly to blocks, which keeps every block above its minimum. A
 * record begins with its key.
 */
#ifndef XFS_BTREE_H
#define XFS_BTREE_H

#include <stddef.h>
#include <stdint.h>

#include "plugins/common/writer.h"
#include "plugins/xfs/geometry.h"

#define XFS_BTREE_MAX_LEVELS 6u

struct xfs_btree_kind {
	uint32_t magic;
	uint32_t root; /* which of the AG's roots */
	uint32_t record_bytes, key_bytes;
};

extern const struct xfs_btree_kind xfs_bnobt, xfs_cntbt, xfs_inobt, xfs_finobt;

struct xfs_btree {
	const struct xfs_btree_kind *kind;
	const void *records; /* as on disk */
	uint64_t record_count;
	const uint32_t *blocks; /* agbno of each block below the root, from the leaves up */
	uint32_t levels;        /* with the root's */
	uint32_t count[XFS_BTREE_MAX_LEVELS]; /* of blocks on each level; 0 is the leaves */
};

/* Fills in levels and counts for so many records. */
void xfs_btree_init(struct xfs_btree *tree, const struct xfs_btree_kind *kind,
		    uint64_t record_count);
/* Blocks below the root. */
uint32_t xfs_btree_blocks(const struct xfs_btree *tree);

/* Writes all blocks of the tree; records and blocks have been set. */
int xfs_btree_write(const struct xfs_btree *tree, struct writer *writer,
		    const struct xfs_geometry *geo, const uint8_t *uuid, uint32_t agno);

/* Packs one block, into zeros: all but its checksum. For tests, too. */
void xfs_btree_pack(const struct xfs_btree *tree, const struct xfs_geometry *geo,
		    const uint8_t *uuid, uint32_t agno, uint32_t level, uint32_t index,
		    uint8_t *bytes);

#endif
