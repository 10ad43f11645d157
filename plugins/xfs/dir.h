/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories. The form follows from the names' lengths alone, because every inode number of ours
 * fits 32 bits (numbers.h):
 *
 *   short  in the inode;
 *   block  one block: entries, then the hash index;
 *   leaf   data blocks, and one block of hash index and free-space summary;
 *   node   data blocks, hash leaves under a tree, and blocks of free-space summary.
 */
#ifndef XFS_DIR_H
#define XFS_DIR_H

#include <stdint.h>

#include "kataimg/backend.h"
#include "plugins/xfs/fork.h"
#include "plugins/xfs/numbers.h"

enum xfs_dir_form { XFS_DIR_SHORT, XFS_DIR_BLOCK, XFS_DIR_LEAF, XFS_DIR_NODE };

/* 32 GiB: there the hash index begins. */
#define XFS_DIR_MAX_DATA_BLOCKS XFS_DIR_LEAF_BLOCK

struct xfs_dir_shape {
	enum xfs_dir_form form;
	uint64_t data_blocks;
	uint64_t leaf_blocks; /* leaves and their tree */
	uint64_t free_blocks;
};

/* Bytes of the short form. */
uint64_t xfs_dir_short_bytes(const struct kataimg_node *node);
/* Data blocks when "." and ".." and then the entries are packed in order. */
uint64_t xfs_dir_data_blocks(const struct kataimg_node *node);
/* The form when the short one does not fit. */
enum xfs_dir_form xfs_dir_choose_form(const struct kataimg_node *node);
struct xfs_dir_shape xfs_dir_shape_of(const struct kataimg_node *node, enum xfs_dir_form form,
				      uint64_t data_blocks);

/* di_size. */
uint64_t xfs_dir_size(const struct kataimg_node *node, const struct xfs_dir_shape *shape);

/* The short form, into zeros. */
void xfs_dir_pack_short(const struct kataimg_node *node, const struct xfs_numbers *numbers,
			uint8_t *fork);

/* Writes the blocks of any other form. -ENOMEM, or what writing returned. */
int xfs_dir_write(struct xfs_fork *fork, const struct kataimg_node *node,
		  const struct xfs_numbers *numbers, const struct xfs_dir_shape *shape);

#endif
