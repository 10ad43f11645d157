/* SPDX-License-Identifier: Apache-2.0 */
#include "pack.h"

#include <errno.h>
#include <sqfs/block_processor.h>
#include <sqfs/block_writer.h>
#include <sqfs/frag_table.h>
#include <stdlib.h>
#include <string.h>

#include "tables.h"

#define CHUNK_BYTES (UINT32_C(1) << 20) /* of one read */
#define BACKLOG_PER_THREAD 10

struct packer {
	const struct kataimg_host *host;
	const struct kataimg_tree *tree;
	struct file *file;
	sqfs_compressor_t *compressor, *decompressor;
	sqfs_frag_table_t *fragments;
	sqfs_block_writer_t *writer;
	sqfs_block_processor_t *processor;
	sqfs_inode_generic_t **files; /* by node index; the processor's until it has finished */
	uint8_t *chunk;
	uint64_t done_bytes, total_bytes;
};

static void packer_close(struct packer *packer)
{
	sqfs_destroy(packer->processor); /* joins its threads, which use all the others */
	sqfs_destroy(packer->writer);
	sqfs_destroy(packer->fragments);
	sqfs_destroy(packer->decompressor);
	sqfs_destroy(packer->compressor);
	for (uint64_t i = 0; packer->files && i < packer->tree->node_count; i++)
		sqfs_free(packer->files[i]);
	free(packer->files);
	free(packer->chunk);
}

static int create_compressors(struct packer *packer, const sqfs_compressor_config_t *compression)
{
	sqfs_compressor_config_t reverse = *compression;
	int result = sqfs_compressor_create(compression, &packer->compressor);

	reverse.flags |= SQFS_COMP_FLAG_UNCOMPRESS;
	if (result >= 0)
		result = sqfs_compressor_create(&reverse, &packer->decompressor);
	return file_error(packer->file, result, "setting up the compressor");
}

static int create_processor(struct packer *packer, const struct kataimg_job *job,
			    uint32_t block_bytes)
{
	sqfs_block_processor_desc_t desc = {
		.size = sizeof(desc),
		.max_block_size = block_bytes,
		.num_workers = job->threads,
		.max_backlog = BACKLOG_PER_THREAD * job->threads,
		.cmp = packer->compressor,
		.wr = packer->writer,
		.tbl = packer->fragments,
		.file = &packer->file->base,
		.uncmp = packer->decompressor,
	};

	return file_error(packer->file, sqfs_block_processor_create_ex(&desc, &packer->processor),
			  "starting the compression threads");
}

static int packer_open(struct packer *packer, const struct kataimg_job *job,
		       const sqfs_compressor_config_t *compression)
{
	int ret = create_compressors(packer, compression);

	if (ret < 0)
		return ret;
	packer->fragments = sqfs_frag_table_create(0);
	packer->writer = sqfs_block_writer_create(&packer->file->base, SQFS_DEVBLK_SIZE, 0);
	packer->files = calloc(packer->tree->node_count, sizeof(*packer->files));
	packer->chunk = malloc(CHUNK_BYTES);
	if (!packer->fragments || !packer->writer || !packer->files || !packer->chunk)
		return -ENOMEM;
	for (uint64_t i = 0; i < packer->tree->node_count; i++)
		if (packer->tree->nodes[i]->type == KATAIMG_REG)
			packer->total_bytes += packer->tree->nodes[i]->size;
	return create_processor(packer, job, compression->block_size);
}

static int append(struct packer *packer, const struct kataimg_node *node, size_t len)
{
	const struct kataimg_host *host = packer->host;
	char path[256];
	int result = sqfs_block_processor_append(packer->processor, packer->chunk, len);

	packer->done_bytes += len;
	host->progress(host->ctx, packer->done_bytes, packer->total_bytes);
	return file_error(packer->file, result, host->path(host->ctx, node, path, sizeof(path)));
}

static size_t chunk_of(uint64_t len)
{
	return len < CHUNK_BYTES ? (size_t)len : CHUNK_BYTES;
}

/* The library sees which blocks are zeros, and stores none of them. */
static int append_hole(struct packer *packer, const struct kataimg_node *node, uint64_t len)
{
	int ret = 0;

	memset(packer->chunk, 0, chunk_of(len));
	for (; ret == 0 && len > 0; len -= chunk_of(len)) {
		if (packer->host->cancelled(packer->host->ctx))
			return -ECANCELED;
		ret = append(packer, node, chunk_of(len));
	}
	return ret;
}

static int append_segment(struct packer *packer, const struct kataimg_node *node,
			  const struct kataimg_segment *segment)
{
	const struct kataimg_host *host = packer->host;
	uint64_t off = segment->file_off, end = off + segment->len;
	int ret = 0;

	for (; ret == 0 && off < end; off += chunk_of(end - off)) {
		size_t len = chunk_of(end - off);

		ret = host->source_read(host->ctx, node, off, packer->chunk, len);
		if (ret < 0)
			return ret;
		ret = append(packer, node, len);
	}
	return ret;
}

static int append_content(struct packer *packer, const struct kataimg_node *node)
{
	uint64_t off = 0;

	for (uint32_t i = 0; i < node->segment_count; i++) {
		const struct kataimg_segment *segment = &node->segments[i];
		int ret = append_hole(packer, node, segment->file_off - off);

		if (ret < 0)
			return ret;
		ret = append_segment(packer, node, segment);
		if (ret < 0)
			return ret;
		off = segment->file_off + segment->len;
	}
	return append_hole(packer, node, node->size - off);
}

static int pack_file(struct packer *packer, const struct kataimg_node *node)
{
	int result = sqfs_block_processor_begin_file(packer->processor, &packer->files[node->index],
						     NULL, 0);
	int ret = file_error(packer->file, result, "beginning a file");

	if (ret < 0)
		return ret;
	ret = append_content(packer, node);
	if (ret < 0)
		return ret;
	return file_error(packer->file, sqfs_block_processor_end_file(packer->processor),
			  "ending a file");
}

static int pack_data(struct packer *packer)
{
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < packer->tree->node_count; i++)
		if (packer->tree->nodes[i]->type == KATAIMG_REG)
			ret = pack_file(packer, packer->tree->nodes[i]);
	if (ret < 0)
		return ret;
	return file_error(packer->file, sqfs_block_processor_finish(packer->processor),
			  "compressing the last blocks");
}

/* The superblock's room, and what the kernel must know to decompress. */
static int begin(struct packer *packer, sqfs_super_t *super)
{
	sqfs_file_t *file = &packer->file->base;
	int result = sqfs_super_write(super, file);

	if (result >= 0)
		result = packer->compressor->write_options(packer->compressor, file);
	if (result > 0)
		super->flags |= SQFS_FLAG_COMPRESSOR_OPTIONS;
	return file_error(packer->file, result, "beginning the filesystem");
}

static int pack(struct packer *packer, sqfs_super_t *super)
{
	const struct tables_source source = {
		.tree = packer->tree,
		.files = packer->files,
		.fragments = packer->fragments,
		.compressor = packer->compressor,
	};
	int ret = begin(packer, super);

	if (ret < 0)
		return ret;
	ret = pack_data(packer);
	if (ret < 0)
		return ret;
	ret = tables_write(&source, packer->file, super);
	if (ret < 0)
		return ret;
	super->bytes_used = packer->file->size;
	return file_error(packer->file, sqfs_super_write(super, &packer->file->base),
			  "writing the superblock");
}

int pack_tree(const struct kataimg_job *job, const struct kataimg_tree *tree,
	      const sqfs_compressor_config_t *compression, struct file *file, sqfs_super_t *super)
{
	struct packer packer = { .host = file->host, .tree = tree, .file = file };
	int ret = file_error(file,
			     sqfs_super_init(super, compression->block_size,
					     (uint32_t)job->build_time, compression->id),
			     "beginning the superblock");

	if (ret < 0)
		return ret;
	super->inode_count = (uint32_t)tree->node_count;
	ret = packer_open(&packer, job, compression);
	if (ret == 0)
		ret = pack(&packer, super);
	packer_close(&packer);
	return ret;
}
