/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form of every inode's two forks, as far as it does not depend on where blocks lie: found once
 * for a tree, valid for every size of the filesystem.
 */
#ifndef XFS_SHAPE_H
#define XFS_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "kataimg/backend.h"
#include "plugins/xfs/attr.h"
#include "plugins/xfs/dir.h"

/* What of an inode needs blocks: passes over a tree skip the others without a look at the node. */
enum xfs_need {
	XFS_NEED_ATTRS = 1,    /* an attribute fork that is not in the inode */
	XFS_NEED_METADATA = 2, /* a directory or symbolic link, likewise */
	XFS_NEED_DATA = 4,     /* a file's content */
	XFS_NEED_HUGE = 8      /* some of it in huge pages */
};

struct xfs_shape {
	uint64_t attr_first; /* in the list */
	uint32_t attr_count;
	uint32_t attr_blocks; /* of an attribute fork that is not in the inode */
	uint32_t dir_blocks;  /* data blocks of a directory */
	uint8_t forkoff;      /* di_forkoff */
	uint8_t attr_format;  /* enum xfs_fork_format */
	uint8_t dir_form;     /* enum xfs_dir_form */
	uint8_t needs;        /* of enum xfs_need */
};

/* A stretch of a fork's address space that needs blocks. */
struct xfs_stretch {
	uint64_t file_block;
	uint64_t blocks;
};

struct xfs_shapes {
	struct xfs_shape *of; /* by node index */
	struct xfs_attr_list attrs;
	uint64_t blocks; /* that all forks need, if no file is in more pieces than it must be */
};

/* Files of at least huge_bytes (0: none) go to huge pages. 0, -ENOMEM or -ECANCELED; whatever it
 * returns, the shapes can be cleared. */
int xfs_shapes_make(struct xfs_shapes *shapes, const struct kataimg_host *host,
		    const struct kataimg_tree *tree, uint64_t huge_bytes);
void xfs_shapes_clear(struct xfs_shapes *shapes);

/* An inode's attributes: by hash when they are not in the inode, else in the source's order. */
struct xfs_attrs xfs_shape_attrs(const struct xfs_shapes *shapes, const struct kataimg_node *node);

/* Bytes of the data fork in the inode. */
uint32_t xfs_shape_data_bytes(const struct xfs_shape *shape);

/* Does the data fork live in the inode as bytes? */
bool xfs_shape_is_local(const struct kataimg_node *node, const struct xfs_shape *shape);

struct xfs_dir_shape xfs_shape_of_dir(const struct kataimg_node *node,
				      const struct xfs_shape *shape);

/* How many stretches the data fork has, and the index-th of them. */
uint32_t xfs_shape_stretches(const struct kataimg_node *node, const struct xfs_shape *shape);
struct xfs_stretch xfs_shape_stretch(const struct kataimg_node *node, const struct xfs_shape *shape,
				     uint32_t index);

#endif
