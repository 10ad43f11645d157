/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/data.h"

#include <errno.h>

#include "plugins/common/space.h"
#include "plugins/erofs/chunk.h"
#include "plugins/erofs/compress.h"
#include "plugins/erofs/inode.h"

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
static bool get_stretch(const struct erofs *fs, struct erofs_inode *inode, uint32_t index,
			struct stretch *stretch)
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
	run = &fs->chunk_runs->runs[inode->detail + index];
	erofs_chunk_run_range(inode, run, &stretch->file_off, &len);
	stretch->blocks = erofs_blocks_of(len);
	stretch->start_block = &run->start_block;
	return true;
}

static bool owns_data(const struct erofs *fs, uint64_t index)
{
	return fs->tree->nodes[index]->type == KATAIMG_REG && fs->inodes[index].owner == index;
}

/* Classes are served from the highest down. Without huge pages there are no gaps and one class. */
static unsigned int classify(const struct erofs *fs, const struct erofs_inode *inode,
			     const struct stretch *stretch)
{
	uint64_t huge_bytes = fs->options.data == EROFS_DATA_DAX ? fs->job->hugepage_bytes : 0;

	if (huge_bytes < EROFS_BLOCK_BYTES)
		return 0;
	if (inode->layout != EROFS_COMPRESSED_COMPACT &&
	    stretch->blocks >= huge_bytes / EROFS_BLOCK_BYTES)
		return CLASS_HUGE;
	return 63u - (unsigned int)__builtin_clzll(stretch->blocks);
}

static int take(const struct erofs *fs, struct space *space, const struct stretch *stretch,
		unsigned int class)
{
	uint64_t modulus = fs->job->hugepage_bytes / EROFS_BLOCK_BYTES;
	uint64_t start;
	int err;

	if (class == CLASS_HUGE) {
		/* What matters is where the bytes lie in the image, and in the file. */
		uint64_t before = fs->job->window_offset / EROFS_BLOCK_BYTES % modulus;
		uint64_t phase =
			(stretch->file_off / EROFS_BLOCK_BYTES + modulus - before) % modulus;

		err = space_take_at_phase(space, stretch->blocks, modulus, phase, &start);
	} else {
		err = space_take_whole(space, stretch->blocks, &start);
	}
	if (!err)
		*stretch->start_block = (uint32_t)start;
	return err;
}

/* Serves the files' stretches of one class, in the tree's order; *classes tells which there are. */
static int take_class(const struct erofs *fs, struct space *space, unsigned int class,
		      uint64_t *classes)
{
	for (uint64_t i = 0; i < fs->tree->node_count; i++) {
		struct erofs_inode *inode = &fs->inodes[i];
		struct stretch stretch;

		if (!owns_data(fs, i))
			continue;
		for (uint32_t s = 0; get_stretch(fs, inode, s, &stretch); s++) {
			unsigned int its_class = classify(fs, inode, &stretch);
			int err = its_class == class ? take(fs, space, &stretch, class) : 0;

			if (err)
				return err;
			*classes |= UINT64_C(1) << its_class;
		}
	}
	return 0;
}

/* Whole blocks of directories and long links follow the metadata, in the tree's order. */
static int take_metadata(const struct erofs *fs, struct space *space)
{
	for (uint64_t i = 0; i < fs->tree->node_count; i++) {
		struct erofs_inode *inode = &fs->inodes[i];
		struct stretch stretch = { .blocks = inode->blocks,
					   .start_block = &inode->start_block };
		int err;

		if (fs->tree->nodes[i]->type == KATAIMG_REG || !inode->blocks)
			continue;
		err = take(fs, space, &stretch, 0);
		if (err)
			return err;
	}
	return 0;
}

static int take_all(const struct erofs *fs, struct space *space)
{
	uint64_t classes = 0;
	int err = space_add(space, fs->meta_blocks, BLOCKS_MAX - fs->meta_blocks);

	if (!err)
		err = take_metadata(fs, space);
	if (!err)
		err = take_class(fs, space, CLASS_HUGE, &classes);
	for (unsigned int class = CLASS_HUGE; class -- > 0 && !err;)
		if (classes >> class & 1)
			err = take_class(fs, space, class, &classes);
	return err;
}

/* The filesystem ends where the last free run begins. */
static uint64_t find_end(const struct space *space)
{
	uint64_t cursor = 0, start = BLOCKS_MAX, blocks = 0;

	while (!space_next_run(space, &cursor, &start, &blocks))
		;
	return start + blocks == BLOCKS_MAX ? start : BLOCKS_MAX;
}

/*
 * fsck.erofs (1.5) reads an xattr header behind every inode, whether it has xattrs or not: the
 * image does not end before it.
 */
static uint64_t blocks_read(const struct erofs *fs)
{
	const struct erofs_inode *last = &fs->inodes[fs->order[fs->tree->node_count - 1]];
	uint64_t end = last->nid * EROFS_SLOT_BYTES + erofs_inode_bytes(last) +
		       sizeof(struct erofs_xattr_header);

	return erofs_blocks_of(end);
}

static void share_blocks(struct erofs *fs)
{
	for (uint64_t i = 0; i < fs->tree->node_count; i++)
		fs->inodes[i].start_block = erofs_owner(fs, &fs->inodes[i])->start_block;
}

int erofs_data_assign(struct erofs *fs)
{
	struct space *space = space_new();
	int err = space ? take_all(fs, space) : -ENOMEM;

	if (err == -ENOMEM)
		erofs_error(fs, "out of memory");
	if (err == -ENOSPC) {
		erofs_error(fs, "the tree needs more blocks than EROFS can number");
		err = -EFBIG;
	}
	if (!err) {
		fs->blocks = find_end(space);
		if (fs->blocks < blocks_read(fs))
			fs->blocks = blocks_read(fs);
		share_blocks(fs);
	}
	space_free(space);
	return err;
}

static int place_file(const struct erofs *fs, const struct kataimg_node *node)
{
	struct erofs_inode *inode = &fs->inodes[node->index];
	struct stretch stretch;

	if (inode->layout == EROFS_COMPRESSED_COMPACT)
		return erofs_compress_place(fs, inode);
	for (uint32_t i = 0; get_stretch(fs, inode, i, &stretch); i++) {
		uint64_t len = stretch.blocks * EROFS_BLOCK_BYTES;
		int err;

		if (len > inode->size - stretch.file_off)
			len = inode->size - stretch.file_off;
		err = fs->host->place(fs->host->ctx,
				      (uint64_t)*stretch.start_block * EROFS_BLOCK_BYTES, node,
				      stretch.file_off, len);
		if (err)
			return err;
	}
	return 0;
}

int erofs_data_place(const struct erofs *fs)
{
	int err = 0;

	for (uint64_t i = 0; i < fs->tree->node_count && !err; i++)
		if (owns_data(fs, i))
			err = place_file(fs, fs->tree->nodes[i]);
	return err;
}
