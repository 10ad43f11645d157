/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the root down: a directory is listed when it was met first, and so is every inode reported.
 * Inodes are known by their numbers, of which the superblock says how many there are. What lies in
 * the window as it is in a file is told as a range; what is compressed, blocks.c unpacks.
 */
#include "read.h"

#include <errno.h>
#include <inttypes.h>
#include <sqfs/block.h>
#include <sqfs/dir.h>
#include <sqfs/error.h>
#include <sqfs/frag_table.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/meta_reader.h>
#include <sqfs/xattr.h>
#include <sqfs/xattr_reader.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "blocks.h"
#include "super.h"

#define NONE UINT32_MAX
/* Tables compress: still, no inode and no fragment takes less than an eighth of a byte. */
#define COUNT_PER_BYTE 8

struct reading {
	const struct kataimg_host *host;
	const struct kataimg_sink *sink;
	struct file file;
	sqfs_super_t super;
	sqfs_compressor_t *compressor; /* of the tables */
	sqfs_meta_reader_t *inodes, *dirs;
	sqfs_id_table_t *ids;
	sqfs_frag_table_t *fragments;
	sqfs_xattr_reader_t *xattrs; /* NULL: there are none */
	struct blocks *blocks;
	uint8_t *met;     /* a bit an inode, by its number */
	uint64_t *todo;   /* where the inodes of directories are that are still to be listed */
	uint32_t waiting; /* of which there are never more than inodes */
};

static void reading_close(struct reading *reading)
{
	sqfs_destroy(reading->xattrs);
	sqfs_destroy(reading->fragments);
	sqfs_destroy(reading->ids);
	sqfs_destroy(reading->dirs);
	sqfs_destroy(reading->inodes);
	sqfs_destroy(reading->compressor);
	blocks_free(reading->blocks);
	free(reading->met);
	free(reading->todo);
}

static int refuse(const struct reading *reading, uint32_t number, const char *why)
{
	reading->host->error(reading->host->ctx, "inode %" PRIu32 " %s", number, why);
	return -EUCLEAN;
}

/* ---- Beginning ---- */

static int read_super(struct reading *reading)
{
	const struct kataimg_host *host = reading->host;
	const sqfs_super_t *super = &reading->super;
	int ret = super_read(&reading->file, &reading->super);

	if (ret == -ENODATA) {
		host->error(host->ctx, "there is no squashfs");
		return -EUCLEAN;
	}
	if (ret < 0)
		return ret;
	if (super->inode_count / COUNT_PER_BYTE <= reading->file.size &&
	    super->fragment_entry_count / COUNT_PER_BYTE <= reading->file.size)
		return 0;
	host->error(host->ctx, "it says that it has more inodes or fragments than its size allows");
	return -EUCLEAN;
}

static int create_compressor(struct reading *reading, sqfs_compressor_t **compressor)
{
	const sqfs_super_t *super = &reading->super;
	const char *name = sqfs_compressor_name_from_id(super->compression_id);
	sqfs_compressor_config_t config;
	int result = sqfs_compressor_config_init(&config, super->compression_id, super->block_size,
						 SQFS_COMP_FLAG_UNCOMPRESS);

	if (result >= 0)
		result = sqfs_compressor_create(&config, compressor);
	if (result >= 0 && super->flags & SQFS_FLAG_COMPRESSOR_OPTIONS)
		result = (*compressor)->read_options(*compressor, &reading->file.base);
	return file_error(&reading->file, result, name ? name : "its compression");
}

/* The library counts the window's bytes; the tables come in this order. */
static int open_tables(struct reading *reading)
{
	const sqfs_super_t *super = &reading->super;
	sqfs_file_t *file = &reading->file.base;
	uint64_t end = super->id_table_start;

	if (super->fragment_table_start < end)
		end = super->fragment_table_start;
	reading->inodes = sqfs_meta_reader_create(
		file, reading->compressor, super->inode_table_start, super->directory_table_start);
	reading->dirs = sqfs_meta_reader_create(file, reading->compressor,
						super->directory_table_start, end);
	reading->ids = sqfs_id_table_create(0);
	reading->fragments = sqfs_frag_table_create(0);
	reading->met = calloc(super->inode_count / 8 + 1, 1);
	reading->todo = malloc((super->inode_count + UINT64_C(1)) * sizeof(*reading->todo));
	if (!reading->inodes || !reading->dirs || !reading->ids || !reading->fragments ||
	    !reading->met || !reading->todo)
		return -ENOMEM;
	return 0;
}

static int load_tables(struct reading *reading)
{
	const sqfs_super_t *super = &reading->super;
	sqfs_file_t *file = &reading->file.base;
	int result = sqfs_id_table_read(reading->ids, file, super, reading->compressor);

	if (result >= 0 && super->fragment_entry_count > 0)
		result = sqfs_frag_table_read(reading->fragments, file, super, reading->compressor);
	if (result < 0 || super->flags & SQFS_FLAG_NO_XATTRS)
		return file_error(&reading->file, result, "reading the tables");
	reading->xattrs = sqfs_xattr_reader_create(0);
	if (!reading->xattrs)
		return -ENOMEM;
	result = sqfs_xattr_reader_load(reading->xattrs, super, file, reading->compressor);
	return file_error(&reading->file, result, "reading the table of attributes");
}

static int reading_open(struct reading *reading)
{
	sqfs_compressor_t *compressor = NULL;
	int ret = read_super(reading);

	if (ret < 0)
		return ret;
	ret = create_compressor(reading, &reading->compressor);
	if (ret < 0)
		return ret;
	ret = create_compressor(reading, &compressor);
	if (ret < 0) {
		sqfs_destroy(compressor);
		return ret;
	}
	reading->blocks = blocks_new(&reading->file, &reading->super, compressor);
	ret = reading->blocks ? open_tables(reading) : -ENOMEM;
	return ret < 0 ? ret : load_tables(reading);
}

/* ---- Data ---- */

/* A block, or a part of one: bytes from on, as they are or as they are unpacked. */
static int report_part(struct reading *reading, uint32_t number, uint64_t file_off, uint64_t len,
		       const struct sqfs_fragment_t *block, uint32_t from)
{
	const struct kataimg_sink *sink = reading->sink;
	uint64_t stored = SQFS_ON_DISK_BLOCK_SIZE(block->size), cookie;
	int ret;

	if (SQFS_IS_BLOCK_COMPRESSED(block->size)) {
		ret = blocks_add(reading->blocks, block->start_offset, block->size, from, &cookie);
		return ret < 0 ? ret : sink->decoded(sink->ctx, number, file_off, len, cookie);
	}
	if (from > stored || len > stored - from || block->start_offset > reading->super.bytes_used)
		return refuse(reading, number, "has data outside its blocks");
	return sink->range(sink->ctx, number, file_off, len, block->start_offset + from);
}

static int report_tail(struct reading *reading, const sqfs_inode_generic_t *inode,
		       uint64_t file_off, uint64_t len)
{
	uint32_t number = inode->base.inode_number, index, from;
	sqfs_fragment_t fragment;
	int result = sqfs_inode_get_frag_location(inode, &index, &from);

	if (result >= 0)
		result = sqfs_frag_table_lookup(reading->fragments, index, &fragment);
	if (result < 0)
		return refuse(reading, number, "ends in a fragment that is none");
	return report_part(reading, number, file_off, len, &fragment, from);
}

/* Blocks lie one behind the other; one that takes no room is a hole. */
static int report_data(struct reading *reading, const sqfs_inode_generic_t *inode, uint64_t size)
{
	size_t count = sqfs_inode_get_file_block_count(inode);
	uint64_t file_off = 0;
	sqfs_fragment_t block = { 0 };
	int ret = 0;

	sqfs_inode_get_file_block_start(inode, &block.start_offset);
	for (size_t i = 0; ret == 0 && i < count && file_off < size; i++) {
		uint64_t left = size - file_off;
		uint64_t len = left < reading->super.block_size ? left : reading->super.block_size;

		block.size = inode->extra[i];
		if (!SQFS_IS_SPARSE_BLOCK(block.size))
			ret = report_part(reading, inode->base.inode_number, file_off, len, &block,
					  0);
		block.start_offset += SQFS_ON_DISK_BLOCK_SIZE(block.size);
		file_off += len;
	}
	if (ret < 0 || file_off == size)
		return ret;
	return report_tail(reading, inode, file_off, size - file_off);
}

/* ---- Attributes ---- */

static int report_xattr(struct reading *reading, uint32_t number)
{
	const struct kataimg_sink *sink = reading->sink;
	struct kataimg_xattr xattr = { 0 };
	sqfs_xattr_entry_t *key = NULL;
	sqfs_xattr_value_t *value = NULL;
	int result = sqfs_xattr_reader_read_key(reading->xattrs, &key);
	int ret;

	if (result >= 0)
		result = sqfs_xattr_reader_read_value(reading->xattrs, key, &value);
	ret = file_error(&reading->file, result, "reading attributes");
	if (ret == 0) {
		xattr.name = (const char *)key->key;
		xattr.name_len = (uint32_t)strlen(xattr.name);
		xattr.value = value->value;
		xattr.value_len = value->size;
		ret = sink->xattr(sink->ctx, number, &xattr);
	}
	sqfs_free(key);
	sqfs_free(value);
	return ret;
}

static int report_xattrs(struct reading *reading, const sqfs_inode_generic_t *inode)
{
	sqfs_xattr_id_t set;
	uint32_t index;
	int result = sqfs_inode_get_xattr_index(inode, &index), ret;

	if (result >= 0 && (index == NONE || !reading->xattrs))
		return 0;
	if (result >= 0)
		result = sqfs_xattr_reader_get_desc(reading->xattrs, index, &set);
	if (result >= 0)
		result = sqfs_xattr_reader_seek_kv(reading->xattrs, &set);
	ret = file_error(&reading->file, result, "finding attributes");
	for (uint32_t i = 0; ret == 0 && i < set.count; i++)
		ret = report_xattr(reading, inode->base.inode_number);
	return ret;
}

/* ---- Inodes ---- */

static uint8_t type_of(const sqfs_inode_generic_t *inode)
{
	switch (inode->base.mode & S_IFMT) {
	case S_IFREG:
		return KATAIMG_REG;
	case S_IFDIR:
		return KATAIMG_DIR;
	case S_IFLNK:
		return KATAIMG_LNK;
	case S_IFCHR:
		return KATAIMG_CHR;
	case S_IFBLK:
		return KATAIMG_BLK;
	case S_IFIFO:
		return KATAIMG_FIFO;
	default:
		return KATAIMG_SOCK;
	}
}

/* What one type alone has. The library has made the mode say what the inode is. */
static void fill_type(const sqfs_inode_generic_t *inode, struct kataimg_inode *found)
{
	uint32_t device = 0;

	if (inode->base.type == SQFS_INODE_SLINK || inode->base.type == SQFS_INODE_EXT_SLINK) {
		found->size = inode->data.slink.target_size;
		found->target = (const char *)inode->extra;
	}
	if (found->type == KATAIMG_REG)
		sqfs_inode_get_file_size(inode, &found->size);
	if (inode->base.type == SQFS_INODE_BDEV || inode->base.type == SQFS_INODE_CDEV)
		device = inode->data.dev.devno;
	if (inode->base.type == SQFS_INODE_EXT_BDEV || inode->base.type == SQFS_INODE_EXT_CDEV)
		device = inode->data.dev_ext.devno;
	found->rdev_major = device >> 8 & 0xfff;
	found->rdev_minor = (device & 0xff) | (device >> 12 & 0xfff00);
}

static int report_inode(struct reading *reading, const sqfs_inode_generic_t *inode)
{
	const struct kataimg_sink *sink = reading->sink;
	struct kataimg_inode found = {
		.struct_size = sizeof(found),
		.id = inode->base.inode_number,
		.mtime_sec = inode->base.mod_time,
		.mode = inode->base.mode & 07777,
		.type = type_of(inode),
	};
	int result = sqfs_id_table_index_to_id(reading->ids, inode->base.uid_idx, &found.uid), ret;

	if (result >= 0)
		result = sqfs_id_table_index_to_id(reading->ids, inode->base.gid_idx, &found.gid);
	if (result < 0)
		return refuse(reading, inode->base.inode_number, "has an owner that is none");
	fill_type(inode, &found);
	ret = sink->inode(sink->ctx, &found);
	if (ret < 0)
		return ret;
	ret = report_xattrs(reading, inode);
	return ret < 0 || found.type != KATAIMG_REG ? ret : report_data(reading, inode, found.size);
}

static int load_inode(struct reading *reading, uint64_t ref, sqfs_inode_generic_t **inode)
{
	int result = sqfs_meta_reader_read_inode(reading->inodes, &reading->super, ref >> 16,
						 ref & 0xffff, inode);

	return file_error(&reading->file, result, "reading an inode");
}

/* Reports what was not met before. Entries say which number the inode has: they must be right. */
static int meet(struct reading *reading, uint64_t ref, uint32_t number)
{
	sqfs_inode_generic_t *inode = NULL;
	int ret;

	if (number > reading->super.inode_count)
		return refuse(reading, number, "is more than the superblock counts");
	if (reading->met[number / 8] & 1u << number % 8)
		return 0;
	ret = load_inode(reading, ref, &inode);
	if (ret < 0)
		return ret;
	if (inode->base.inode_number != number)
		ret = refuse(reading, number, "is in another inode's place");
	else
		ret = report_inode(reading, inode);
	if (type_of(inode) == KATAIMG_DIR)
		reading->todo[reading->waiting++] = ref;
	reading->met[number / 8] |= (uint8_t)(1u << number % 8);
	sqfs_free(inode);
	return ret;
}

static int read_entry(struct reading *reading, uint32_t dir, sqfs_readdir_state_t *at)
{
	const struct kataimg_sink *sink = reading->sink;
	sqfs_dir_entry_t *entry = NULL;
	uint32_t number;
	uint64_t ref;
	int result = sqfs_meta_reader_readdir(reading->dirs, at, &entry, &number, &ref), ret;

	if (result != 0)
		return result > 0 ? 1 : file_error(&reading->file, result, "reading a directory");
	ret = sink->entry(sink->ctx, dir, (const char *)entry->name, entry->size + (size_t)1,
			  number);
	sqfs_free(entry);
	return ret < 0 ? ret : meet(reading, ref, number);
}

static int list(struct reading *reading, uint64_t ref)
{
	sqfs_inode_generic_t *inode = NULL;
	sqfs_readdir_state_t at;
	uint32_t number;
	int ret = load_inode(reading, ref, &inode);

	if (ret < 0)
		return ret;
	number = inode->base.inode_number;
	ret = file_error(&reading->file, sqfs_readdir_state_init(&at, &reading->super, inode),
			 "opening a directory");
	sqfs_free(inode);
	while (ret == 0)
		ret = read_entry(reading, number, &at);
	return ret < 0 ? ret : 0;
}

static int read_all(struct reading *reading)
{
	const struct kataimg_sink *sink = reading->sink;
	uint64_t root = reading->super.root_inode_ref;
	sqfs_inode_generic_t *inode = NULL;
	uint32_t number;
	int ret = load_inode(reading, root, &inode);

	if (ret < 0)
		return ret;
	number = inode->base.inode_number;
	sqfs_free(inode);
	ret = sink->root(sink->ctx, number);
	if (ret < 0)
		return ret;
	ret = meet(reading, root, number);
	while (ret == 0 && reading->waiting > 0)
		ret = list(reading, reading->todo[--reading->waiting]);
	return ret;
}

int squashfs_read(const struct kataimg_host *host, uint64_t window_bytes,
		  const struct kataimg_sink *sink, void **state)
{
	struct reading reading = { .host = host, .sink = sink };
	int ret;

	file_init_window(&reading.file, host, window_bytes);
	ret = reading_open(&reading);
	if (ret == 0)
		ret = read_all(&reading);
	if (ret == 0) {
		*state = reading.blocks;
		reading.blocks = NULL;
	}
	reading_close(&reading);
	return ret;
}
