/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash trees of directories: entries sorted by the half-MD4 hash of their names, packed into full
 * leaves; an index in block 0, with a second level of index blocks when one does not suffice.
 */
#ifndef EXT4_HTREE_H
#define EXT4_HTREE_H

#include "plugins/ext4/dir.h"

/* -ENOMEM. */
int ext4_htree_count_blocks(const struct ext4_dir_format *format, const struct ext4_dir *dir,
			    uint32_t *blocks);

int ext4_htree_write(const struct ext4_dir_format *format, const struct ext4_dir *dir,
		     const struct ext4_extent *extents, struct writer *writer);

#endif
