/* SPDX-License-Identifier: Apache-2.0 */
/* A tree becomes a squashfs: file data first, compressed on threads, then the tables. */
#ifndef SQUASHFS_PACK_H
#define SQUASHFS_PACK_H

#include <sqfs/compressor.h>
#include <sqfs/super.h>

#include "file.h"

/* The filesystem goes into the file, from byte 0; *super is its superblock. */
int pack_tree(const struct kataimg_job *job, const struct kataimg_tree *tree,
	      const sqfs_compressor_config_t *compression, struct file *file, sqfs_super_t *super);

#endif
