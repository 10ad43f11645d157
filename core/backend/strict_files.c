/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/strict_files.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/calloc64.h"

#define BLOCK_BYTES KATAIMG_HOLE_BYTES

/* A file that was used in one piece, as most are, needs no map of its blocks. */
struct file {
	uint8_t *blocks; /* a bit each */
	bool whole;
};

struct strict_files {
	struct file *files; /* by index of the node */
	uint32_t count;
};

struct strict_files *strict_files_new(void)
{
	return calloc(1, sizeof(struct strict_files));
}

void strict_files_free(struct strict_files *files)
{
	if (!files)
		return;
	for (uint32_t i = 0; i < files->count; i++)
		free(files->files[i].blocks);
	free(files->files);
	free(files);
}

static struct file *file_of(struct strict_files *files, uint32_t index)
{
	uint32_t count = index < 1024 ? 1024 : 2 * index;
	struct file *longer;

	if (index < files->count)
		return &files->files[index];
	longer = reallocarray(files->files, count, sizeof(*longer));
	if (!longer)
		return NULL;
	memset(longer + files->count, 0, (count - files->count) * sizeof(*longer));
	files->files = longer;
	files->count = count;
	return &longer[index];
}

static uint64_t blocks_of(uint64_t bytes)
{
	return bytes / BLOCK_BYTES + (bytes % BLOCK_BYTES != 0);
}

int strict_files_use(struct strict_files *files, const struct kataimg_node *node, uint64_t off,
		     uint64_t len)
{
	struct file *file = file_of(files, node->index);

	if (!file)
		return -ENOMEM;
	if (file->whole || len == 0)
		return 0;
	if (off == 0 && len == node->size) {
		file->whole = true;
		return 0;
	}
	if (!file->blocks)
		file->blocks = calloc64(blocks_of(node->size) / 8 + 1, 1);
	if (!file->blocks)
		return -ENOMEM;
	for (uint64_t i = off / BLOCK_BYTES; i < blocks_of(off + len); i++)
		file->blocks[i / 8] |= (uint8_t)(1u << (i % 8));
	return 0;
}

static bool is_used(const struct file *file, const struct kataimg_segment *segment)
{
	uint64_t end = blocks_of(segment->file_off + segment->len);

	for (uint64_t i = segment->file_off / BLOCK_BYTES; i < end; i++)
		if (!file->blocks || !(file->blocks[i / 8] & 1u << (i % 8)))
			return false;
	return true;
}

const struct kataimg_node *strict_files_unused(const struct strict_files *files,
					       const struct kataimg_tree *tree)
{
	static const struct file never = { NULL, false };

	for (uint64_t i = 0; i < tree->node_count; i++) {
		const struct kataimg_node *node = tree->nodes[i];
		const struct file *file = i < files->count ? &files->files[i] : &never;

		if (file->whole)
			continue;
		for (uint32_t s = 0; s < node->segment_count; s++)
			if (!is_used(file, &node->segments[s]))
				return node;
	}
	return NULL;
}
