/* SPDX-License-Identifier: Apache-2.0 */
/* What follows the data: inodes, directories, and the tables of ids, attributes and fragments. */
#ifndef SQUASHFS_TABLES_H
#define SQUASHFS_TABLES_H

#include <sqfs/compressor.h>
#include <sqfs/frag_table.h>
#include <sqfs/inode.h>
#include <sqfs/super.h>

#include "file.h"

struct tables_source {
	const struct kataimg_tree *tree;
	sqfs_inode_generic_t *const *files; /* regular files by node index, with their blocks */
	sqfs_frag_table_t *fragments;
	sqfs_compressor_t *compressor;
};

/* Appends all tables to the file and fills the superblock's members that tell where they are. */
int tables_write(const struct tables_source *source, struct file *file, sqfs_super_t *super);

#endif
