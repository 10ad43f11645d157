/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inode numbers. Nodes take the slots of the inode chunks in the tree's order: slot 0 is the root,
 * slots 1 and 2 the two inodes of the realtime section that every filesystem has, node 1 is in slot
 * 3. Chunks take the lowest blocks, so that every number is below 2^32.
 */
#ifndef XFS_NUMBERS_H
#define XFS_NUMBERS_H

#include <stdint.h>

#include "kataimg/backend.h"
#include "lib/round.h"
#include "plugins/xfs/format.h"

#define XFS_RESERVED_INODES 2u /* beside the root */
/* 128 bytes of blocks each: within the first AG, whose numbers are below 2^31. */
#define XFS_MAX_NODES (UINT64_C(1) << 30)

struct xfs_numbers {
	const uint32_t *chunks; /* the number of each chunk's first inode */
};

static inline uint64_t xfs_chunks_for(uint64_t nodes)
{
	return div_up(nodes + XFS_RESERVED_INODES, XFS_CHUNK_INODES);
}

static inline uint64_t xfs_number_of_slot(const struct xfs_numbers *numbers, uint64_t slot)
{
	return numbers->chunks[slot / XFS_CHUNK_INODES] + slot % XFS_CHUNK_INODES;
}

static inline uint64_t xfs_number_of(const struct xfs_numbers *numbers,
				     const struct kataimg_node *node)
{
	return xfs_number_of_slot(numbers, node->index ? node->index + XFS_RESERVED_INODES : 0);
}

#endif
