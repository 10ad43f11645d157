/* SPDX-License-Identifier: Apache-2.0 */
#include "tables.h"

#include <errno.h>
#include <sqfs/dir_writer.h>
#include <sqfs/error.h>
#include <sqfs/id_table.h>
#include <sqfs/meta_writer.h>
#include <sqfs/xattr_writer.h>
#include <stdlib.h>
#include <string.h>

#define NO_XATTRS UINT32_MAX

struct tables {
	const struct tables_source *source;
	const struct kataimg_host *host;
	struct file *file;
	sqfs_id_table_t *ids;
	sqfs_xattr_writer_t *xattrs;
	sqfs_meta_writer_t *inodes, *dirs;
	sqfs_dir_writer_t *dir_writer;
	uint64_t *refs; /* where each inode is, by node index */
};

static void tables_close(struct tables *tables)
{
	sqfs_destroy(tables->dir_writer);
	sqfs_destroy(tables->dirs);
	sqfs_destroy(tables->inodes);
	sqfs_destroy(tables->xattrs);
	sqfs_destroy(tables->ids);
	free(tables->refs);
}

static int tables_open(struct tables *tables)
{
	sqfs_compressor_t *compressor = tables->source->compressor;

	tables->ids = sqfs_id_table_create(0);
	tables->xattrs = sqfs_xattr_writer_create(0);
	tables->inodes = sqfs_meta_writer_create(&tables->file->base, compressor, 0);
	tables->dirs = sqfs_meta_writer_create(&tables->file->base, compressor,
					       SQFS_META_WRITER_KEEP_IN_MEMORY);
	tables->refs = calloc(tables->source->tree->node_count, sizeof(*tables->refs));
	if (tables->dirs)
		tables->dir_writer =
			sqfs_dir_writer_create(tables->dirs, SQFS_DIR_WRITER_CREATE_EXPORT_TABLE);
	if (tables->ids && tables->xattrs && tables->inodes && tables->refs && tables->dir_writer)
		return 0;
	return -ENOMEM;
}

static uint32_t inode_number(const struct kataimg_node *node)
{
	return node->index + 1;
}

static uint16_t full_mode(const struct kataimg_node *node)
{
	static const uint16_t types[] = {
		[KATAIMG_REG] = SQFS_INODE_MODE_REG,   [KATAIMG_DIR] = SQFS_INODE_MODE_DIR,
		[KATAIMG_CHR] = SQFS_INODE_MODE_CHR,   [KATAIMG_BLK] = SQFS_INODE_MODE_BLK,
		[KATAIMG_FIFO] = SQFS_INODE_MODE_FIFO, [KATAIMG_SOCK] = SQFS_INODE_MODE_SOCK,
		[KATAIMG_LNK] = SQFS_INODE_MODE_LNK,
	};

	return (uint16_t)(types[node->type] | node->mode);
}

/* Equal sets share an index. */
static int store_xattrs(struct tables *tables, const struct kataimg_node *node, uint32_t *index)
{
	int result;

	*index = NO_XATTRS;
	if (!node->xattr_count)
		return 0;
	result = sqfs_xattr_writer_begin(tables->xattrs, 0);
	for (uint32_t i = 0; i < node->xattr_count && result >= 0; i++)
		result = sqfs_xattr_writer_add(tables->xattrs, node->xattrs[i].name,
					       node->xattrs[i].value, node->xattrs[i].value_len);
	return result < 0 ? result : sqfs_xattr_writer_end(tables->xattrs, index);
}

/* What all inodes have; then the inode is written, and its place known. */
static int write_inode(struct tables *tables, const struct kataimg_node *node,
		       sqfs_inode_generic_t *inode)
{
	uint64_t block;
	uint32_t off, xattrs;
	int result;

	inode->base.mode = full_mode(node);
	inode->base.mod_time = (uint32_t)node->mtime_sec;
	inode->base.inode_number = inode_number(node);
	result = sqfs_id_table_id_to_index(tables->ids, node->uid, &inode->base.uid_idx);
	if (result >= 0)
		result = sqfs_id_table_id_to_index(tables->ids, node->gid, &inode->base.gid_idx);
	if (result >= 0)
		result = store_xattrs(tables, node, &xattrs);
	if (result >= 0)
		result = sqfs_inode_set_xattr_index(inode, xattrs);
	if (result < 0)
		return result;
	sqfs_meta_writer_get_position(tables->inodes, &block, &off);
	tables->refs[node->index] = block << 16 | off;
	return sqfs_meta_writer_write_inode(tables->inodes, inode);
}

/* The block processor has made the inode; a basic one holds no link count. */
static int write_file(struct tables *tables, const struct kataimg_node *node)
{
	sqfs_inode_generic_t *inode = tables->source->files[node->index];
	int result = 0;

	if (node->nlink > 1)
		result = sqfs_inode_make_extended(inode);
	if (result >= 0 && node->nlink > 1)
		inode->data.file_ext.nlink = node->nlink;
	return result < 0 ? result : write_inode(tables, node, inode);
}

static uint32_t encode_device(const struct kataimg_node *node)
{
	return (node->rdev_minor & 0xff) | node->rdev_major << 8 |
	       (node->rdev_minor & ~UINT32_C(0xff)) << 12;
}

/* Symbolic links, devices, fifos and sockets. */
static void fill_special(const struct kataimg_node *node, sqfs_inode_generic_t *inode)
{
	static const uint16_t types[] = {
		[KATAIMG_CHR] = SQFS_INODE_CDEV,  [KATAIMG_BLK] = SQFS_INODE_BDEV,
		[KATAIMG_FIFO] = SQFS_INODE_FIFO, [KATAIMG_SOCK] = SQFS_INODE_SOCKET,
		[KATAIMG_LNK] = SQFS_INODE_SLINK,
	};

	inode->base.type = types[node->type];
	if (node->type == KATAIMG_LNK) {
		inode->data.slink.nlink = node->nlink;
		inode->data.slink.target_size = (uint32_t)node->size;
		memcpy(inode->extra, node->target, node->size);
	} else if (node->type == KATAIMG_CHR || node->type == KATAIMG_BLK) {
		inode->data.dev.nlink = node->nlink;
		inode->data.dev.devno = encode_device(node);
	} else {
		inode->data.ipc.nlink = node->nlink;
	}
}

static int write_special(struct tables *tables, const struct kataimg_node *node)
{
	sqfs_inode_generic_t *inode = calloc(1, sizeof(*inode) + node->size);
	int result;

	if (!inode)
		return SQFS_ERROR_ALLOC;
	fill_special(node, inode);
	result = write_inode(tables, node, inode);
	free(inode);
	return result;
}

static int write_entries(struct tables *tables, const struct kataimg_node *dir)
{
	int result = sqfs_dir_writer_begin(tables->dir_writer, 0);

	for (uint32_t i = 0; i < dir->entry_count && result >= 0; i++) {
		const struct kataimg_node *node = dir->entries[i].node;

		result = sqfs_dir_writer_add_entry(tables->dir_writer, dir->entries[i].name,
						   inode_number(node), tables->refs[node->index],
						   full_mode(node));
	}
	return result < 0 ? result : sqfs_dir_writer_end(tables->dir_writer);
}

/* The root's parent has the number after the last. */
static uint32_t parent_number(const struct tables *tables, const struct kataimg_node *dir)
{
	return dir->index ? inode_number(dir->parent)
			  : (uint32_t)tables->source->tree->node_count + 1;
}

static int write_directory(struct tables *tables, const struct kataimg_node *dir)
{
	sqfs_inode_generic_t *inode;
	int result = write_entries(tables, dir);

	if (result < 0)
		return result;
	inode = sqfs_dir_writer_create_inode(tables->dir_writer, 0, NO_XATTRS,
					     parent_number(tables, dir));
	if (!inode)
		return SQFS_ERROR_ALLOC;
	/* The library counts every entry, the kernel's users expect subdirectories. */
	if (inode->base.type == SQFS_INODE_DIR)
		inode->data.dir.nlink = dir->nlink;
	else
		inode->data.dir_ext.nlink = dir->nlink;
	result = write_inode(tables, dir, inode);
	sqfs_free(inode);
	return result;
}

static int write_node(struct tables *tables, const struct kataimg_node *node)
{
	const struct kataimg_host *host = tables->host;
	char path[256];
	int result;

	if (host->cancelled(host->ctx))
		return -ECANCELED;
	if (node->type == KATAIMG_DIR)
		result = write_directory(tables, node);
	else if (node->type == KATAIMG_REG)
		result = write_file(tables, node);
	else
		result = write_special(tables, node);
	return file_error(tables->file, result, host->path(host->ctx, node, path, sizeof(path)));
}

/*
 * An entry says where its inode is, so a directory's inode follows those of its entries: all but
 * directories first (any directory may name them), then directories from the last to the root.
 */
static int write_nodes(struct tables *tables)
{
	const struct kataimg_tree *tree = tables->source->tree;
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < tree->node_count; i++)
		if (tree->nodes[i]->type != KATAIMG_DIR)
			ret = write_node(tables, tree->nodes[i]);
	for (uint64_t i = tree->node_count; ret == 0 && i-- > 0;)
		if (tree->nodes[i]->type == KATAIMG_DIR)
			ret = write_node(tables, tree->nodes[i]);
	return ret;
}

static int write_inodes(struct tables *tables, sqfs_super_t *super)
{
	int ret, result;

	super->inode_table_start = tables->file->size;
	ret = write_nodes(tables);
	if (ret < 0)
		return ret;
	super->root_inode_ref = tables->refs[0];
	result = sqfs_meta_writer_flush(tables->inodes);
	if (result >= 0)
		result = sqfs_meta_writer_flush(tables->dirs);
	super->directory_table_start = tables->file->size;
	if (result >= 0)
		result = sqfs_meta_write_write_to_file(tables->dirs);
	return file_error(tables->file, result, "writing inodes and directories");
}

static int write_others(struct tables *tables, sqfs_super_t *super)
{
	sqfs_compressor_t *compressor = tables->source->compressor;
	sqfs_file_t *file = &tables->file->base;
	int result = sqfs_frag_table_write(tables->source->fragments, file, super, compressor);

	if (result >= 0)
		result = sqfs_dir_writer_write_export_table(tables->dir_writer, file, compressor, 1,
							    super->root_inode_ref, super);
	if (result >= 0)
		result = sqfs_id_table_write(tables->ids, file, super, compressor);
	if (result >= 0)
		result = sqfs_xattr_writer_flush(tables->xattrs, file, super, compressor);
	return file_error(tables->file, result, "writing the tables");
}

static int write_all(struct tables *tables, sqfs_super_t *super)
{
	int ret = tables_open(tables);

	if (ret < 0)
		return ret;
	ret = write_inodes(tables, super);
	return ret < 0 ? ret : write_others(tables, super);
}

int tables_write(const struct tables_source *source, struct file *file, sqfs_super_t *super)
{
	struct tables tables = { .source = source, .host = file->host, .file = file };
	int ret = write_all(&tables, super);

	tables_close(&tables);
	return ret;
}
