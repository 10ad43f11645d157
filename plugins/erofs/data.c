/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/data.h"

#include <errno.h>

#include "lib/cleanup.h"
#include "plugins/common/placer.h"
#include "plugins/erofs/compress.h"

/* Block numbers end below the one that stands for a hole. */
#define BLOCKS_MAX ((uint64_t)EROFS_CHUNK_HOLE)
#define CLASS_HUGE 63

/* What lies in one piece: all of a flat or compressed file, or a run of chunks. */
struct stretch {
	uint64_t file_off;
	uint64_t blocks;
	uint32_t *start_block;
};

/* The index-th stretch of an owner's data. false: there is none. */
static bool get_stretch(const struct erofs_layout *layout, struct erofs_inode *inode,
			uint32_t index, struct stretch *stretch)
{
	struct erofs_chunk_run *run;
	uint64_t len;

	if (inode->layout != EROFS_CHUNK_BASED) {
		*stretch = (struct stretch){ .blocks = inode->blocks,
					     .start_block = &inode->start_block };
		return index == 0 && inode->blocks;
	}
	if (index == inode->detail_count)
		return false;
	run = &layout->chunk_runs.items[inode->detail + index];
	erofs_chunk_run_range(inode, run, &stretch->file_off, &len);
	stretch->blocks = erofs_blocks_of(len);
	stretch->start_block = &run->start_block;
	return true;
}

static bool owns_data(const struct erofs_layout *layout, uint64_t index)
{
	return erofs_layout_node(layout, index)->type == KATAIMG_REG &&
	       layout->inodes[index].owner == index;
}

/* Classes are served from the highest down. Without huge pages there are no gaps and one class. */
static unsigned int classify(const struct erofs_source *source, const struct erofs_inode *inode,
			     const struct stretch *stretch)
{
	uint64_t huge_bytes = inode->mapped ? source->job->hugepage_bytes : 0;

	if (huge_bytes < EROFS_BLOCK_BYTES)
		return 0;
	if (inode->layout != EROFS_COMPRESSED_COMPACT &&
	    stretch->blocks >= huge_bytes / EROFS_BLOCK_BYTES)
		return CLASS_HUGE;
	return 63u - (unsigned int)__builtin_clzll(stretch->blocks);
}

static int note_start(void *arg, uint64_t file_block, uint64_t start, uint64_t blocks)
{
	uint32_t *start_block = arg;

	(void)file_block;
	(void)blocks;
	*start_block = (uint32_t)start;
	return 0;
}

static int take(struct placer *placer, const struct stretch *stretch, unsigned int class)
{
	uint64_t file_block = stretch->file_off / EROFS_BLOCK_BYTES;

	placer->arg = stretch->start_block;
	if (class == CLASS_HUGE)
		return placer_place_huge(placer, file_block, stretch->blocks);
	return placer_place_whole(placer, file_block, stretch->blocks);
}

/* A file's stretches of one class; *classes tells which there are. */
static int take_file(const struct erofs_layout *layout, struct placer *placer, uint64_t index,
		     unsigned int class, uint64_t *classes)
{
	struct erofs_inode *inode = &layout->inodes[index];
	struct stretch stretch;
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && get_stretch(layout, inode, i, &stretch); i++) {
		unsigned int its_class = classify(layout->source, inode, &stretch);

		if (its_class == class)
			ret = take(placer, &stretch, class);
		*classes |= UINT64_C(1) << its_class;
	}
	return ret;
}

/* Goes through the files in the tree's order. */
static int take_class(const struct erofs_layout *layout, struct placer *placer, unsigned int class,
		      uint64_t *classes)
{
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < layout->inode_count; i++)
		if (owns_data(layout, i))
			ret = take_file(layout, placer, i, class, classes);
	return ret;
}

/* Whole blocks of directories and long links follow the metadata, in the tree's order. */
static int take_metadata(const struct erofs_layout *layout, struct placer *placer)
{
	const struct kataimg_tree *tree = layout->source->tree;
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < tree->node_count; i++) {
		struct erofs_inode *inode = &layout->inodes[i];
		struct stretch stretch = { .blocks = inode->blocks,
					   .start_block = &inode->start_block };

		if (tree->nodes[i]->type != KATAIMG_REG && inode->blocks)
			ret = take(placer, &stretch, 0);
	}
	return ret;
}

static int take_all(const struct erofs_layout *layout, struct space *space)
{
	const struct kataimg_job *job = layout->source->job;
	struct placer placer = {
		.space = space,
		.huge_blocks = job->hugepage_bytes / EROFS_BLOCK_BYTES,
		.window_blocks = job->window_offset / EROFS_BLOCK_BYTES,
		.map = note_start,
	};
	uint64_t classes = 0;
	int ret = space_add(space, layout->meta_blocks, BLOCKS_MAX - layout->meta_blocks);

	if (ret < 0)
		return ret;
	ret = take_metadata(layout, &placer);
	if (ret < 0)
		return ret;
	ret = take_class(layout, &placer, CLASS_HUGE, &classes);
	for (unsigned int larger = CLASS_HUGE; ret == 0 && larger > 0; larger--)
		if (classes >> (larger - 1) & 1)
			ret = take_class(layout, &placer, larger - 1, &classes);
	return ret;
}

/* The filesystem ends where the last free run begins. */
static uint64_t find_end(const struct space *space)
{
	uint64_t cursor = 0, start = BLOCKS_MAX, blocks = 0;

	while (space_next_run(space, &cursor, &start, &blocks) == 0)
		;
	return start + blocks == BLOCKS_MAX ? start : BLOCKS_MAX;
}

/*
 * fsck.erofs (1.5) reads an xattr header behind every inode, whether it has xattrs or not: the
 * image does not end before it.
 */
static uint64_t blocks_read(const struct erofs_layout *layout)
{
	const struct erofs_inode *last = &layout->inodes[layout->order[layout->inode_count - 1]];
	uint64_t end = last->nid * EROFS_SLOT_BYTES + erofs_inode_bytes(last) +
		       sizeof(struct erofs_xattr_header);

	return erofs_blocks_of(end);
}

static void share_blocks(struct erofs_layout *layout)
{
	for (uint64_t i = 0; i < layout->source->tree->node_count; i++)
		layout->inodes[i].start_block =
			erofs_layout_owner(layout, &layout->inodes[i])->start_block;
}

DEFINE_CLEANUP(struct space, space_free)

int erofs_data_assign(struct erofs_layout *layout)
{
	const struct kataimg_host *host = layout->source->host;
	struct space *space autocall(cleanup_space_free) = space_new();
	int ret = space ? take_all(layout, space) : -ENOMEM;

	if (ret == -ENOSPC) {
		host->error(host->ctx, "the tree needs more blocks than EROFS can number");
		return -EFBIG;
	}
	if (ret < 0)
		return ret;
	layout->blocks = find_end(space);
	if (layout->blocks < blocks_read(layout))
		layout->blocks = blocks_read(layout);
	share_blocks(layout);
	return 0;
}

static int place_file(const struct erofs_layout *layout, const struct kataimg_node *node)
{
	const struct kataimg_host *host = layout->source->host;
	struct erofs_inode *inode = &layout->inodes[node->index];
	struct stretch stretch;
	int ret = 0;

	if (inode->layout == EROFS_COMPRESSED_COMPACT)
		return erofs_compress_place(layout, inode);
	for (uint32_t i = 0; ret == 0 && get_stretch(layout, inode, i, &stretch); i++) {
		uint64_t len = stretch.blocks * EROFS_BLOCK_BYTES;

		if (len > inode->size - stretch.file_off)
			len = inode->size - stretch.file_off;
		ret = host->place(host->ctx, (uint64_t)*stretch.start_block * EROFS_BLOCK_BYTES,
				  node, stretch.file_off, len);
	}
	return ret;
}

int erofs_data_place(const struct erofs_layout *layout)
{
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < layout->inode_count; i++)
		if (owns_data(layout, i))
			ret = place_file(layout, erofs_layout_node(layout, i));
	return ret;
}
