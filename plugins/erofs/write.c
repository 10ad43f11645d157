/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/write.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/calloc64.h"
#include "lib/cleanup.h"
#include "plugins/erofs/compress.h"
#include "plugins/erofs/dir.h"
#include "plugins/erofs/stream.h"
#include "plugins/erofs/super.h"
#include "plugins/erofs/zmap_write.h"

/* What all parts are given. */
struct job {
	const struct erofs_layout *layout;
	const struct kataimg_tree *tree;
	struct erofs_stream *stream;
};

static int put_super(const struct job *job, const struct erofs_identity *identity)
{
	uint8_t super[EROFS_SUPER_BYTES_MAX];
	uint32_t bytes = erofs_super_encode(job->layout, identity, super);

	erofs_stream_seek(job->stream, EROFS_SUPER_OFFSET);
	return erofs_stream_put(job->stream, super, bytes);
}

static int put_xattrs(const struct job *job, const struct kataimg_node *node)
{
	const struct erofs_layout *layout = job->layout;
	uint32_t bytes = layout->inodes[node->index].xattr_bytes;
	uint32_t first_id = (uint32_t)(layout->shared_off % EROFS_BLOCK_BYTES / 4);
	autofree uint8_t *body = NULL;

	if (bytes == 0)
		return 0;
	body = calloc64(bytes, 1);
	if (!body)
		return -ENOMEM;
	erofs_xattrs_encode_node(layout->xattrs, node, first_id, body);
	return erofs_stream_put(job->stream, body, bytes);
}

static int put_chunks(const struct job *job, const struct erofs_inode *inode)
{
	const struct erofs_inode *owner = erofs_layout_owner(job->layout, inode);
	struct erofs_chunk_cursor cursor = { 0 };
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < inode->index_bytes / sizeof(le32); i++) {
		le32 block = to_le32(erofs_chunk_next(&job->layout->chunk_runs, owner, &cursor));

		ret = erofs_stream_put(job->stream, &block, sizeof(block));
	}
	return ret;
}

static int put_index(const struct job *job, const struct erofs_inode *inode)
{
	if (inode->layout == EROFS_CHUNK_BASED)
		return put_chunks(job, inode);
	if (inode->layout == EROFS_COMPRESSED_COMPACT)
		return erofs_zmap_put(job->layout, job->stream, inode);
	return 0;
}

static int put_dir_tail(const struct job *job, const struct kataimg_node *dir)
{
	struct erofs_inode *inodes = job->layout->inodes;
	struct erofs_dir_cursor cursor = { .dir = dir };
	uint8_t block[EROFS_BLOCK_BYTES];
	uint32_t bytes;

	for (uint32_t i = 0; i < inodes[dir->index].blocks; i++)
		erofs_dir_skip_block(&cursor);
	bytes = erofs_dir_encode_block(inodes, &cursor, block);
	return erofs_stream_put(job->stream, block, bytes);
}

static int put_compressed_tail(const struct job *job, const struct erofs_inode *inode)
{
	uint8_t block[EROFS_BLOCK_BYTES];
	int ret = erofs_compress_read_tail(job->layout, inode, block);

	return ret < 0 ? ret : erofs_stream_put(job->stream, block, inode->tail_bytes);
}

static int put_tail(const struct job *job, const struct kataimg_node *node)
{
	const struct erofs_inode *inode = &job->layout->inodes[node->index];
	uint32_t len = erofs_inode_tail_bytes(inode);

	if (len == 0)
		return 0;
	if (inode->layout == EROFS_COMPRESSED_COMPACT)
		return put_compressed_tail(job, inode);
	if (node->type == KATAIMG_DIR)
		return put_dir_tail(job, node);
	if (node->type == KATAIMG_LNK)
		return erofs_stream_put(job->stream, node->target, len);
	return erofs_stream_put_file(job->stream, node, inode->size - len, len);
}

static int put_inode(const struct job *job, const struct kataimg_node *node)
{
	const struct erofs_inode *inode = &job->layout->inodes[node->index];
	uint64_t off = inode->nid * EROFS_SLOT_BYTES;
	uint8_t disk[EROFS_INODE_BYTES_MAX];
	int ret;

	erofs_stream_seek(job->stream, off);
	erofs_inode_encode(node, inode, disk);
	ret = erofs_stream_put(job->stream, disk, erofs_inode_bytes(inode));
	if (ret < 0)
		return ret;
	ret = put_xattrs(job, node);
	if (ret < 0)
		return ret;
	erofs_stream_seek(job->stream, off + erofs_inode_index_off(inode));
	ret = put_index(job, inode);
	return ret < 0 ? ret : put_tail(job, node);
}

static int put_shared_xattrs(const struct job *job)
{
	const struct erofs_xattrs *xattrs = job->layout->xattrs;
	uint64_t bytes = erofs_xattrs_shared_bytes(xattrs);
	autofree uint8_t *area = calloc64(bytes, 1);

	if (!area)
		return -ENOMEM;
	erofs_xattrs_encode_shared(xattrs, area);
	erofs_stream_seek(job->stream, job->layout->shared_off);
	return erofs_stream_put(job->stream, area, (size_t)bytes);
}

/* The shared attributes lie between two inodes, or behind the last. */
static int put_inodes(const struct job *job)
{
	const struct erofs_layout *layout = job->layout;
	uint64_t shared_off = layout->shared_off ? layout->shared_off : UINT64_MAX;
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < layout->inode_count; i++) {
		uint32_t index = layout->order[i];

		if (layout->inodes[index].nid * EROFS_SLOT_BYTES > shared_off) {
			ret = put_shared_xattrs(job);
			shared_off = UINT64_MAX;
		}
		if (ret == 0)
			ret = put_inode(job, erofs_layout_node(layout, index));
	}
	if (ret == 0 && shared_off != UINT64_MAX)
		ret = put_shared_xattrs(job);
	return ret;
}

static int put_dir_blocks(const struct job *job, const struct kataimg_node *dir)
{
	struct erofs_inode *inodes = job->layout->inodes;
	struct erofs_dir_cursor cursor = { .dir = dir };
	uint8_t block[EROFS_BLOCK_BYTES];
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < inodes[dir->index].blocks; i++) {
		erofs_dir_encode_block(inodes, &cursor, block);
		ret = erofs_stream_put(job->stream, block, sizeof(block));
	}
	return ret;
}

static int put_node_blocks(const struct job *job, const struct kataimg_node *node)
{
	const struct erofs_inode *inode = &job->layout->inodes[node->index];

	erofs_stream_seek(job->stream, (uint64_t)inode->start_block * EROFS_BLOCK_BYTES);
	if (node->type == KATAIMG_DIR)
		return put_dir_blocks(job, node);
	return erofs_stream_put(job->stream, node->target, (size_t)node->size);
}

/* Whole blocks of directories and long links, ascending in the tree's order. */
static int put_blocks(const struct job *job)
{
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < job->tree->node_count; i++)
		if (job->tree->nodes[i]->type != KATAIMG_REG && job->layout->inodes[i].blocks)
			ret = put_node_blocks(job, job->tree->nodes[i]);
	return ret;
}

int erofs_write_metadata(const struct erofs_layout *layout, const struct erofs_identity *identity)
{
	struct erofs_stream stream autocall(erofs_stream_clear) = { .off = 0 };
	const struct job job = { layout, layout->source->tree, &stream };
	int ret = erofs_stream_init(&stream, layout->source->host);

	if (ret < 0)
		return ret;
	ret = put_super(&job, identity);
	if (ret < 0)
		return ret;
	ret = put_inodes(&job);
	if (ret < 0)
		return ret;
	ret = put_blocks(&job);
	return ret < 0 ? ret : erofs_stream_finish(&stream);
}
