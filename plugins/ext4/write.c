/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/write.h"

#include <sys/stat.h>

#include "lib/cleanup.h"
#include "plugins/common/writer.h"
#include "plugins/ext4/inode.h"

/* Two places are written at once, each in ascending order: tables, and blocks of files. */
struct output {
	const struct ext4_layout *layout;
	struct writer tables;
	struct writer blocks;
	uint8_t *table_block; /* that holds the inode */
	uint8_t *journal_block;
};

#define PROGRESS_INODES 4096u

/* ---- Blocks of directories, links and extended attributes ---- */

static int write_directory(struct output *out, const struct kataimg_node *node)
{
	const struct ext4_layout *layout = out->layout;
	const struct ext4_dir dir = ext4_census_dir(layout->census, node);

	return ext4_dir_write(&layout->census->format, &dir,
			      ext4_layout_data(layout, &layout->files[node->index]), &out->blocks);
}

static int write_lost_found(struct output *out)
{
	const struct ext4_layout *layout = out->layout;
	const struct ext4_dir dir = {
		.ino = EXT4_FIRST_INO,
		.parent_ino = EXT4_ROOT_INO,
		.blocks = EXT4_LOST_FOUND_BLOCKS,
	};

	return ext4_dir_write(&layout->census->format, &dir,
			      ext4_layout_data(layout, &layout->lost_found), &out->blocks);
}

static int write_symlink(struct output *out, const struct kataimg_node *node)
{
	const struct ext4_extents *extents = &out->layout->files[node->index];
	uint64_t number = ext4_layout_data(out->layout, extents)->physical;
	uint8_t *block;
	int ret = writer_take(&out->blocks, number * EXT4_BLOCK_BYTES, EXT4_BLOCK_BYTES, &block);

	if (ret == 0)
		memcpy(block, node->target, (size_t)node->size);
	return ret;
}

/* Writes in the order in which the layout gave the blocks out. */
static int write_blocks_of_nodes(struct output *out)
{
	const struct ext4_census *census = out->layout->census;
	int ret = census->lost_found ? write_lost_found(out) : 0;

	for (uint32_t i = 0; ret == 0 && i < census->order_count; i++) {
		const struct kataimg_node *node = census->source->tree->nodes[census->order[i]];

		if (node->type == KATAIMG_DIR)
			ret = write_directory(out, node);
		if (node->type == KATAIMG_LNK)
			ret = write_symlink(out, node);
	}
	return ret;
}

static int write_xattr_blocks(struct output *out)
{
	const struct ext4_census *census = out->layout->census;

	for (size_t i = 0; i < census->xattr_blocks.count; i++) {
		const struct ext4_xattr_block *shared = &census->xattr_blocks.items[i];
		const struct ext4_xattr_set set =
			ext4_census_xattrs(census, census->source->tree->nodes[shared->node]);
		uint64_t number = out->layout->xattr_blocks[i];
		uint8_t *block;
		int ret = writer_take(&out->blocks, number * EXT4_BLOCK_BYTES, EXT4_BLOCK_BYTES,
				      &block);

		if (ret < 0)
			return ret;
		ext4_xattr_pack_block(&set, block);
		ext4_xattr_seal_block(block, census->format.csum_seed, number, shared->refcount);
	}
	return 0;
}

/* ---- Inodes ---- */

static int map_blocks(struct output *out, struct ext4_inode *inode, uint32_t ino,
		      const struct ext4_extents *extents)
{
	const struct ext4_extent *data = ext4_layout_data(out->layout, extents);
	uint32_t csum_seed = out->layout->census->format.csum_seed;

	inode->flags = to_le32(from_le32(inode->flags) | EXT4_INODE_EXTENTS);
	return ext4_extent_tree_write(&out->blocks, ext4_inode_seed(csum_seed, ino), data,
				      extents->count, data + extents->count, inode->block);
}

static bool has_extents(const struct kataimg_node *node)
{
	return node->type == KATAIMG_REG || node->type == KATAIMG_DIR ||
	       (node->type == KATAIMG_LNK && node->size >= EXT4_FAST_SYMLINK_BYTES);
}

static void finish_directory(const struct ext4_census *census, struct ext4_inode *inode,
			     const struct kataimg_node *node)
{
	const struct ext4_dir dir = ext4_census_dir(census, node);

	inode->size_lo = to_le32(dir.blocks * EXT4_BLOCK_BYTES);
	if (ext4_dir_is_indexed(&census->format, &dir))
		inode->flags = to_le32(from_le32(inode->flags) | EXT4_INODE_INDEX);
}

static void set_xattrs(const struct ext4_census *census, struct ext4_inode *inode,
		       const struct kataimg_node *node)
{
	const struct ext4_xattr_set set = ext4_census_xattrs(census, node);

	if (node->xattr_count)
		ext4_xattr_pack_inode(&set, inode->xattrs);
}

static int put_node(struct output *out, struct ext4_inode *inode, uint32_t ino,
		    const struct kataimg_node *node)
{
	const struct ext4_census *census = out->layout->census;
	const struct ext4_demand *demand = &census->demands[node->index];
	const struct ext4_extents *extents = &out->layout->files[node->index];
	uint64_t xattr_block =
		demand->xattr_block ? out->layout->xattr_blocks[demand->xattr_block - 1] : 0;

	ext4_inode_fill(inode, node, node->nlink + (node->index == 0 && census->lost_found));
	ext4_inode_set_blocks(inode, demand->blocks + ext4_extent_tree_blocks(extents->count),
			      xattr_block);
	set_xattrs(census, inode, node);
	if (node->type == KATAIMG_DIR)
		finish_directory(census, inode, node);
	return has_extents(node) ? map_blocks(out, inode, ino, extents) : 0;
}

static int put_journal(struct output *out, struct ext4_inode *inode)
{
	const struct ext4_extents *extents = &out->layout->journal;
	int ret;

	ext4_inode_fill_own(inode, S_IFREG | 0600, 1,
			    (uint64_t)EXT4_JOURNAL_BLOCKS * EXT4_BLOCK_BYTES,
			    out->layout->census->source->job->build_time);
	ext4_inode_set_blocks(inode, EXT4_JOURNAL_BLOCKS + ext4_extent_tree_blocks(extents->count),
			      0);
	ret = map_blocks(out, inode, EXT4_JOURNAL_INO, extents);
	memcpy(out->journal_block, inode->block, sizeof(inode->block));
	return ret;
}

static int put_lost_found(struct output *out, struct ext4_inode *inode)
{
	ext4_inode_fill_own(inode, S_IFDIR | 0700, 2, EXT4_LOST_FOUND_BLOCKS * EXT4_BLOCK_BYTES,
			    out->layout->census->source->job->build_time);
	ext4_inode_set_blocks(inode, EXT4_LOST_FOUND_BLOCKS, 0);
	return map_blocks(out, inode, EXT4_FIRST_INO, &out->layout->lost_found);
}

/* Reserved inodes that are not in use stay zeros. */
static int put_inode(struct output *out, struct ext4_inode *inode, uint32_t ino)
{
	const struct ext4_census *census = out->layout->census;
	const struct ext4_source *source = census->source;

	if (ino == EXT4_ROOT_INO)
		return put_node(out, inode, ino, source->tree->nodes[0]);
	if (ino == EXT4_JOURNAL_INO && source->options.journal)
		return put_journal(out, inode);
	if (ino == EXT4_FIRST_INO && census->lost_found)
		return put_lost_found(out, inode);
	if (ino < EXT4_FIRST_INO)
		return 0;
	return put_node(out, inode, ino, source->tree->nodes[ino - census->format.first_tree_ino]);
}

/* To be called with ascending numbers, for the writer gathers neighbours. */
static int write_inode(struct output *out, uint32_t ino)
{
	const struct ext4_layout *layout = out->layout;
	uint32_t group = (ino - 1) / layout->geo.inodes_per_group;
	uint32_t place = (ino - 1) % layout->geo.inodes_per_group;
	uint32_t in_block = place % EXT4_INODES_PER_BLOCK;
	uint64_t block = layout->groups[group].inode_table + place / EXT4_INODES_PER_BLOCK;
	struct ext4_inode inode = { 0 };
	int ret = 0;

	if (in_block == 0)
		ret = writer_take(&out->tables, block * EXT4_BLOCK_BYTES, EXT4_BLOCK_BYTES,
				  &out->table_block);
	if (ret < 0)
		return ret;
	ret = put_inode(out, &inode, ino);
	if (ret < 0)
		return ret;
	ext4_inode_seal(&inode, layout->census->format.csum_seed, ino);
	memcpy(out->table_block + in_block * sizeof(inode), &inode, sizeof(inode));
	return 0;
}

static int write_inodes(struct output *out)
{
	const struct ext4_source *source = out->layout->census->source;
	uint64_t used = out->layout->census->used_inodes;

	for (uint64_t ino = 1; ino <= used; ino++) {
		int ret = write_inode(out, (uint32_t)ino);

		if (ret < 0)
			return ret;
		ret = ext4_source_check_cancelled(source, ino);
		if (ret < 0)
			return ret;
		if (ino % PROGRESS_INODES == 0)
			source->host->progress(source->host->ctx, ino, used);
	}
	return 0;
}

/* ---- File data ---- */

static int place_file(const struct ext4_layout *layout, const struct kataimg_node *node)
{
	const struct kataimg_host *host = layout->census->source->host;
	const struct ext4_extents *extents = &layout->files[node->index];
	const struct ext4_extent *data = ext4_layout_data(layout, extents);
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

static int place_files(const struct ext4_layout *layout)
{
	const struct ext4_census *census = layout->census;
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < census->order_count; i++) {
		const struct kataimg_node *node = census->source->tree->nodes[census->order[i]];

		if (node->type == KATAIMG_REG)
			ret = place_file(layout, node);
	}
	return ret;
}

/* ---- All of it ---- */

static int write_metadata(struct output *out)
{
	int ret = write_blocks_of_nodes(out);

	if (ret < 0)
		return ret;
	ret = write_xattr_blocks(out);
	if (ret < 0)
		return ret;
	ret = write_inodes(out);
	if (ret < 0)
		return ret;
	ret = writer_flush(&out->blocks);
	return ret < 0 ? ret : writer_flush(&out->tables);
}

static void clear_output(struct output *out)
{
	writer_clear(&out->blocks);
	writer_clear(&out->tables);
}

int ext4_write_content(const struct ext4_layout *layout,
		       uint8_t journal_block[EXT4_INODE_BLOCK_BYTES])
{
	const struct kataimg_host *host = layout->census->source->host;
	struct output out autocall(clear_output) = { .layout = layout,
						     .journal_block = journal_block };
	int ret = writer_init(&out.tables, host);

	if (ret < 0)
		return ret;
	ret = writer_init(&out.blocks, host);
	if (ret < 0)
		return ret;
	ret = write_metadata(&out);
	return ret < 0 ? ret : place_files(layout);
}
