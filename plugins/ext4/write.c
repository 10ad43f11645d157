/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/write.h"

#include <errno.h>
#include <sys/stat.h>

#include "plugins/ext4/ext4.h"
#include "plugins/ext4/inode.h"
#include "plugins/ext4/size.h"
#include "plugins/ext4/writer.h"
#include "plugins/ext4/xattr.h"

/* Two places are written at once, each in ascending order: tables, and blocks of files. */
struct output {
	struct ext4 *ext4;
	struct ext4_writer tables;
	struct ext4_writer blocks;
	uint8_t *journal_block;
};

#define PROGRESS_INODES 4096u

static const struct ext4_extent *data_extents(const struct ext4 *ext4,
					      const struct ext4_extents *extents)
{
	return ext4->layout.extents + extents->first;
}

/* ---- Blocks of directories, links and extended attributes ---- */

static struct ext4_dir directory_of(const struct ext4 *ext4, const struct kataimg_node *node)
{
	return (struct ext4_dir){
		.entries = node->entries,
		.entry_count = node->entry_count,
		.ino = ext4_node_ino(ext4, node),
		.parent_ino = ext4_node_ino(ext4, node->parent),
		.lost_found_ino = node->index == 0 && ext4->census.lost_found ? EXT4_FIRST_INO : 0,
		.blocks = ext4->census.demands[node->index].blocks,
	};
}

static int write_directory(struct output *out, const struct kataimg_node *node)
{
	const struct ext4 *ext4 = out->ext4;
	const struct ext4_dir dir = directory_of(ext4, node);

	return ext4_dir_write(&ext4->format, &dir,
			      data_extents(ext4, &ext4->layout.files[node->index]), &out->blocks);
}

static int write_lost_found(struct output *out)
{
	const struct ext4 *ext4 = out->ext4;
	struct ext4_dir dir = {
		.ino = EXT4_FIRST_INO,
		.parent_ino = EXT4_ROOT_INO,
		.blocks = EXT4_LOST_FOUND_BLOCKS,
	};

	return ext4_dir_write(&ext4->format, &dir, data_extents(ext4, &ext4->layout.lost_found),
			      &out->blocks);
}

static int write_symlink(struct output *out, const struct kataimg_node *node)
{
	const struct ext4_extents *extents = &out->ext4->layout.files[node->index];
	uint8_t *block;
	int ret =
		ext4_writer_block(&out->blocks, data_extents(out->ext4, extents)->physical, &block);

	if (ret == 0)
		memcpy(block, node->target, node->size);
	return ret;
}

/* In the order in which the blocks were given out. */
static int write_blocks_of_nodes(struct output *out)
{
	const struct ext4 *ext4 = out->ext4;
	int ret = ext4->census.lost_found ? write_lost_found(out) : 0;

	for (uint32_t i = 0; ret == 0 && i < ext4->census.order_count; i++) {
		const struct kataimg_node *node = ext4->tree->nodes[ext4->census.order[i]];

		if (node->type == KATAIMG_DIR)
			ret = write_directory(out, node);
		if (node->type == KATAIMG_LNK)
			ret = write_symlink(out, node);
	}
	return ret;
}

static int write_xattr_blocks(struct output *out)
{
	const struct ext4 *ext4 = out->ext4;
	struct ext4_xattr_set set;
	char reason[1];
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < ext4->census.xattr_block_count; i++) {
		const struct ext4_xattr_block *shared = &ext4->census.xattr_blocks[i];
		uint64_t number = ext4->layout.xattr_blocks[i];
		uint8_t *block;

		ret = ext4_writer_block(&out->blocks, number, &block);
		if (ret == 0)
			ret = ext4_xattr_set_init(&set, ext4->tree->nodes[shared->node], reason,
						  sizeof(reason));
		if (ret < 0)
			break;
		ext4_xattr_pack_block(&set, block);
		ext4_xattr_seal_block(block, ext4->format.csum_seed, number, shared->refcount);
	}
	return ret;
}

/* ---- Inodes ---- */

static int map_blocks(struct output *out, struct ext4_inode *inode, uint32_t ino,
		      const struct ext4_extents *extents)
{
	const struct ext4 *ext4 = out->ext4;
	const struct ext4_extent *data = data_extents(ext4, extents);

	inode->flags = to_le32(from_le32(inode->flags) | EXT4_INODE_EXTENTS);
	return ext4_extent_tree_write(&out->blocks, ext4_inode_seed(ext4->format.csum_seed, ino),
				      data, extents->count, data + extents->count, inode->block);
}

static bool has_extents(const struct kataimg_node *node)
{
	return node->type == KATAIMG_REG || node->type == KATAIMG_DIR ||
	       (node->type == KATAIMG_LNK && node->size >= EXT4_FAST_SYMLINK_BYTES);
}

static void finish_directory(const struct ext4 *ext4, struct ext4_inode *inode,
			     const struct kataimg_node *node)
{
	const struct ext4_dir dir = directory_of(ext4, node);

	inode->size_lo = to_le32(dir.blocks * EXT4_BLOCK_BYTES);
	if (ext4_dir_is_indexed(&ext4->format, &dir))
		inode->flags = to_le32(from_le32(inode->flags) | EXT4_INODE_INDEX);
}

static int put_node(struct output *out, struct ext4_inode *inode, uint32_t ino,
		    const struct kataimg_node *node)
{
	const struct ext4 *ext4 = out->ext4;
	const struct ext4_demand *demand = &ext4->census.demands[node->index];
	const struct ext4_extents *extents = &ext4->layout.files[node->index];
	uint64_t xattr_block = demand->xattr ? ext4->layout.xattr_blocks[demand->xattr - 1] : 0;

	ext4_inode_fill(inode, node, node->nlink + (node->index == 0 && ext4->census.lost_found));
	ext4_inode_set_blocks(inode, demand->blocks + ext4_extent_tree_blocks(extents->count),
			      xattr_block);
	if (node->type == KATAIMG_DIR)
		finish_directory(ext4, inode, node);
	return has_extents(node) ? map_blocks(out, inode, ino, extents) : 0;
}

static int put_journal(struct output *out, struct ext4_inode *inode)
{
	const struct ext4 *ext4 = out->ext4;
	const struct ext4_extents *extents = &ext4->layout.journal;
	int ret;

	ext4_inode_fill_own(inode, S_IFREG | 0600, 1,
			    (uint64_t)EXT4_JOURNAL_BLOCKS * EXT4_BLOCK_BYTES,
			    ext4->job->build_time);
	ext4_inode_set_blocks(inode, EXT4_JOURNAL_BLOCKS + ext4_extent_tree_blocks(extents->count),
			      0);
	ret = map_blocks(out, inode, EXT4_JOURNAL_INO, extents);
	memcpy(out->journal_block, inode->block, sizeof(inode->block));
	return ret;
}

static int put_lost_found(struct output *out, struct ext4_inode *inode)
{
	const struct ext4 *ext4 = out->ext4;

	ext4_inode_fill_own(inode, S_IFDIR | 0700, 2, EXT4_LOST_FOUND_BLOCKS * EXT4_BLOCK_BYTES,
			    ext4->job->build_time);
	ext4_inode_set_blocks(inode, EXT4_LOST_FOUND_BLOCKS, 0);
	return map_blocks(out, inode, EXT4_FIRST_INO, &ext4->layout.lost_found);
}

static int put_inode(struct output *out, struct ext4_inode *inode, uint32_t ino)
{
	const struct ext4 *ext4 = out->ext4;
	int ret = 0;

	if (ino == EXT4_ROOT_INO)
		ret = put_node(out, inode, ino, ext4->tree->nodes[0]);
	else if (ino == EXT4_JOURNAL_INO && ext4->options.journal)
		ret = put_journal(out, inode);
	else if (ino == EXT4_FIRST_INO && ext4->census.lost_found)
		ret = put_lost_found(out, inode);
	else if (ino >= EXT4_FIRST_INO)
		ret = put_node(out, inode, ino,
			       ext4->tree->nodes[ino - ext4->format.first_tree_ino]);
	ext4_inode_seal(inode, ext4->format.csum_seed, ino);
	return ret;
}

/* The bytes of an inode in the table; called with ascending numbers. */
static int next_inode(struct output *out, uint32_t ino, uint8_t **block, struct ext4_inode **inode)
{
	const struct ext4_layout *layout = &out->ext4->layout;
	uint32_t group = (ino - 1) / layout->geo.inodes_per_group;
	uint32_t place = (ino - 1) % layout->geo.inodes_per_group;
	int ret = 0;

	if (place % EXT4_INODES_PER_BLOCK == 0)
		ret = ext4_writer_block(
			&out->tables,
			layout->groups[group].inode_table + place / EXT4_INODES_PER_BLOCK, block);
	if (ret == 0)
		*inode = (struct ext4_inode *)*block + place % EXT4_INODES_PER_BLOCK;
	return ret;
}

static int write_inodes(struct output *out)
{
	const struct kataimg_host *host = out->ext4->host;
	uint64_t used = ext4_used_inodes(out->ext4);
	struct ext4_inode *inode;
	uint8_t *block = NULL;
	int ret = 0;

	for (uint64_t ino = 1; ret == 0 && ino <= used; ino++) {
		ret = next_inode(out, ino, &block, &inode);
		if (ret == 0)
			ret = put_inode(out, inode, ino);
		if (ret == 0)
			ret = ext4_check_cancelled(host, ino);
		if (ino % PROGRESS_INODES == 0)
			host->progress(host->ctx, ino, used);
	}
	return ret;
}

/* ---- File data ---- */

static int place_file(const struct ext4 *ext4, const struct kataimg_node *node)
{
	const struct kataimg_host *host = ext4->host;
	const struct ext4_extents *extents = &ext4->layout.files[node->index];
	const struct ext4_extent *data = data_extents(ext4, extents);
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < extents->count; i++) {
		uint64_t file_off = (uint64_t)data[i].logical * EXT4_BLOCK_BYTES;
		uint64_t len = (uint64_t)data[i].blocks * EXT4_BLOCK_BYTES;

		if (len > node->size - file_off)
			len = node->size - file_off;
		ret = host->place(host->ctx, data[i].physical * EXT4_BLOCK_BYTES, node, file_off,
				  len);
	}
	return ret;
}

static int place_files(const struct ext4 *ext4)
{
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < ext4->census.order_count; i++) {
		const struct kataimg_node *node = ext4->tree->nodes[ext4->census.order[i]];

		if (node->type == KATAIMG_REG)
			ret = place_file(ext4, node);
	}
	return ret;
}

/* ---- All of it ---- */

static int write_all(struct output *out)
{
	int ret = write_blocks_of_nodes(out);

	if (ret == 0)
		ret = write_xattr_blocks(out);
	if (ret == 0)
		ret = write_inodes(out);
	if (ret == 0)
		ret = ext4_writer_flush(&out->blocks);
	if (ret == 0)
		ret = ext4_writer_flush(&out->tables);
	return ret == 0 ? place_files(out->ext4) : ret;
}

int ext4_write_content(struct ext4 *ext4, uint8_t journal_block[60])
{
	struct output out = { .ext4 = ext4, .journal_block = journal_block };
	int ret = ext4_writer_init(&out.tables, ext4->host);

	if (ret == 0)
		ret = ext4_writer_init(&out.blocks, ext4->host);
	if (ret == 0)
		ret = write_all(&out);
	ext4_writer_destroy(&out.blocks);
	ext4_writer_destroy(&out.tables);
	return ext4_result(ext4->host, ret);
}
