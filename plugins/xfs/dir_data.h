/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a directory that has blocks: data blocks, and the index over their entries. */
#ifndef XFS_DIR_DATA_H
#define XFS_DIR_DATA_H

#include "lib/round.h"
#include "plugins/xfs/da.h"
#include "plugins/xfs/dir.h"

/* In the first data block: the head, "." and "..". */
#define XFS_DIR_DOTS_END ((uint32_t)sizeof(struct xfs_dir_data) + 2 * 16u)

/* Inode number, length, file type and tag around the name, rounded up to 8. */
static inline uint32_t xfs_dir_entry_bytes(uint32_t name_len)
{
	return (uint32_t)round_up(name_len + 12, XFS_DIR_ALIGN);
}

/* Hash leaves of the node form; several of them have room for one entry more (dir_index.c). */
static inline uint32_t xfs_dir_leaves(const struct kataimg_node *node)
{
	uint64_t entries = node->entry_count + UINT64_C(2);

	return entries <= XFS_DA_MAX ? 1 : (uint32_t)div_up(entries + 1, XFS_DA_MAX);
}

/* A directory under way. */
struct xfs_dir_job {
	struct xfs_fork *fork;
	const struct kataimg_node *node;
	const struct xfs_numbers *numbers;
	const struct xfs_dir_shape *shape;
	uint64_t *index; /* of each entry, "." and ".." too, with room for one more: hash << 32 |
			    address */
	uint64_t index_count;
	uint16_t *bests;     /* the longest free area of each data block; 0: none */
	uint32_t next_entry; /* of the node, to go into a data block */
};

/* Index entries [first, first + count) as they are on disk. */
void xfs_dir_pack_index(const struct xfs_dir_job *job, uint64_t first, uint64_t count, uint8_t *to);

/* Writes the index of the leaf form, and that of the node form. */
int xfs_dir_write_leaf(struct xfs_dir_job *job);
int xfs_dir_write_node(struct xfs_dir_job *job);

#endif
