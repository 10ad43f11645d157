/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/write.h"

#include <errno.h>
#include <stdlib.h>

#include "plugins/erofs/chunk.h"
#include "plugins/erofs/dir.h"
#include "plugins/erofs/inode.h"
#include "plugins/erofs/stream.h"
#include "plugins/erofs/super.h"
#include "plugins/erofs/xattr.h"
#include "plugins/erofs/zmap.h"

static int put_super(const struct erofs *fs, struct erofs_stream *stream)
{
	uint8_t super[EROFS_SUPER_BYTES_MAX];
	uint32_t bytes = erofs_super_encode(fs, super);
	int err = erofs_stream_seek(stream, EROFS_SUPER_OFFSET);

	return err ? err : erofs_stream_put(stream, super, bytes);
}

static int put_xattrs(const struct erofs *fs, struct erofs_stream *stream,
		      const struct kataimg_node *node)
{
	uint32_t bytes = fs->inodes[node->index].xattr_bytes;
	uint32_t first_id = (uint32_t)(fs->shared_off % EROFS_BLOCK_BYTES / 4);
	uint8_t *body;
	int err;

	if (!bytes)
		return 0;
	body = erofs_alloc(fs, 1, bytes);
	if (!body)
		return -ENOMEM;
	erofs_xattrs_encode_node(fs->xattrs, node, first_id, body);
	err = erofs_stream_put(stream, body, bytes);
	free(body);
	return err;
}

static int put_chunks(const struct erofs *fs, struct erofs_stream *stream,
		      const struct erofs_inode *inode)
{
	struct erofs_chunk_cursor cursor = { 0 };
	int err = 0;

	for (uint32_t i = 0; i < inode->index_bytes / sizeof(le32) && !err; i++) {
		le32 block = to_le32(erofs_chunk_next(fs, inode, &cursor));

		err = erofs_stream_put(stream, &block, sizeof(block));
	}
	return err;
}

static int put_dir_tail(const struct erofs *fs, struct erofs_stream *stream,
			const struct kataimg_node *dir)
{
	struct erofs_dir_cursor cursor = { .dir = dir };
	uint8_t block[EROFS_BLOCK_BYTES];

	for (uint32_t i = 0; i < fs->inodes[dir->index].blocks; i++)
		erofs_dir_skip_block(&cursor);
	return erofs_stream_put(stream, block, erofs_dir_encode_block(fs, &cursor, block));
}

static int put_tail(const struct erofs *fs, struct erofs_stream *stream,
		    const struct kataimg_node *node)
{
	const struct erofs_inode *inode = &fs->inodes[node->index];
	uint32_t len = erofs_inode_tail_bytes(inode);

	if (!len)
		return 0;
	if (node->type == KATAIMG_DIR)
		return put_dir_tail(fs, stream, node);
	if (node->type == KATAIMG_LNK)
		return erofs_stream_put(stream, node->target, len);
	return erofs_stream_put_file(stream, node, inode->size - len, len);
}

static int put_inode(const struct erofs *fs, struct erofs_stream *stream,
		     const struct kataimg_node *node)
{
	const struct erofs_inode *inode = &fs->inodes[node->index];
	uint64_t off = inode->nid * EROFS_SLOT_BYTES;
	uint8_t disk[EROFS_INODE_BYTES_MAX];
	int err = erofs_stream_seek(stream, off);

	erofs_inode_encode(fs, node, disk);
	if (!err)
		err = erofs_stream_put(stream, disk, erofs_inode_bytes(inode));
	if (!err)
		err = put_xattrs(fs, stream, node);
	if (!err)
		err = erofs_stream_seek(stream, off + erofs_inode_index_off(inode));
	if (!err && inode->layout == EROFS_CHUNK_BASED)
		err = put_chunks(fs, stream, inode);
	if (!err && inode->layout == EROFS_COMPRESSED_COMPACT)
		err = erofs_zmap_put(fs, stream, inode);
	return err ? err : put_tail(fs, stream, node);
}

static int put_shared_xattrs(const struct erofs *fs, struct erofs_stream *stream)
{
	uint64_t bytes = erofs_xattrs_shared_bytes(fs->xattrs);
	uint8_t *area = erofs_alloc(fs, 1, bytes);
	int err;

	if (!area)
		return -ENOMEM;
	erofs_xattrs_encode_shared(fs->xattrs, area);
	err = erofs_stream_seek(stream, fs->shared_off);
	if (!err)
		err = erofs_stream_put(stream, area, bytes);
	free(area);
	return err;
}

static int put_inodes(const struct erofs *fs, struct erofs_stream *stream)
{
	uint64_t shared_off = fs->shared_off ? fs->shared_off : UINT64_MAX;
	int err = 0;

	for (uint64_t i = 0; i < fs->tree->node_count && !err; i++) {
		uint32_t index = fs->order[i];

		if (fs->inodes[index].nid * EROFS_SLOT_BYTES > shared_off) {
			err = put_shared_xattrs(fs, stream);
			shared_off = UINT64_MAX;
		}
		if (!err)
			err = put_inode(fs, stream, fs->tree->nodes[index]);
	}
	if (!err && shared_off != UINT64_MAX)
		err = put_shared_xattrs(fs, stream);
	return err;
}

static int put_dir_blocks(const struct erofs *fs, struct erofs_stream *stream,
			  const struct kataimg_node *dir)
{
	struct erofs_dir_cursor cursor = { .dir = dir };
	uint8_t block[EROFS_BLOCK_BYTES];
	int err = 0;

	for (uint32_t i = 0; i < fs->inodes[dir->index].blocks && !err; i++) {
		erofs_dir_encode_block(fs, &cursor, block);
		err = erofs_stream_put(stream, block, sizeof(block));
	}
	return err;
}

/* Whole blocks of directories and long links, ascending in the tree's order. */
static int put_blocks(const struct erofs *fs, struct erofs_stream *stream)
{
	uint64_t end = fs->meta_blocks;
	int err = 0;

	for (uint64_t i = 0; i < fs->tree->node_count && !err; i++) {
		const struct kataimg_node *node = fs->tree->nodes[i];
		const struct erofs_inode *inode = &fs->inodes[i];

		if (node->type == KATAIMG_REG || !inode->blocks)
			continue;
		err = erofs_stream_seek(stream, (uint64_t)inode->start_block * EROFS_BLOCK_BYTES);
		if (!err && node->type == KATAIMG_DIR)
			err = put_dir_blocks(fs, stream, node);
		if (!err && node->type == KATAIMG_LNK)
			err = erofs_stream_put(stream, node->target, node->size);
		end = (uint64_t)inode->start_block + inode->blocks;
	}
	return err ? err : erofs_stream_seek(stream, end * EROFS_BLOCK_BYTES);
}

static int put_metadata(const struct erofs *fs, enum erofs_stream_mode mode)
{
	struct erofs_stream *stream = erofs_stream_new(fs, mode);
	int err;

	if (!stream)
		return -ENOMEM;
	err = put_super(fs, stream);
	if (!err)
		err = put_inodes(fs, stream);
	if (!err)
		err = put_blocks(fs, stream);
	if (!err)
		err = erofs_stream_finish(stream);
	erofs_stream_free(stream);
	return err;
}

int erofs_write_metadata(const struct erofs *fs)
{
	return put_metadata(fs, EROFS_STREAM_WRITE);
}

int erofs_compare_metadata(const struct erofs *fs)
{
	return put_metadata(fs, EROFS_STREAM_COMPARE);
}
