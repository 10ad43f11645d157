/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ext4 backend's state, and how its parts work together:
 *
 *   options.c   the section [ext4]
 *   limits.c    what ext4 cannot store
 *   census.c    what the tree needs, whatever the size: blocks of directories, parsed attributes
 *               and the blocks that they share, the order of allocation
 *   size.c      the smallest size; which part of a window is used
 *   layout.c    one size: where the filesystem's own blocks (geometry.c) and all extents are
 *   write.c     directories (dir.c, htree.c), attributes (xattr.c, acl.c), extent trees (extent.c),
 *               inodes (inode.c), and the host's place records
 *   frame.c     descriptors, bitmaps and journal, by libext2fs, which writes through io.c
 *   super.c     the superblock (feature.c)
 *   verify.c    whether what libext2fs made agrees with the layout
 *   probe.c     a superblock of any image
 *   read.c      the way back; its parts: read.h
 */
#ifndef EXT4_EXT4_H
#define EXT4_EXT4_H

#include "plugins/ext4/census.h"
#include "plugins/ext4/layout.h"
#include "plugins/ext4/size.h"
#include "plugins/ext4/source.h"

struct ext4 {
	struct ext4_source source;
	struct ext4_census census; /* made by plan */
	struct ext4_size size;     /* made by plan */
	struct ext4_layout layout; /* of the window asked for last */
	uint64_t window_bytes;     /* 0: none yet */
};

#endif
