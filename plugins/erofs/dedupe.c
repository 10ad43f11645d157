/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/dedupe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/array.h"
#include "lib/cleanup.h"
#include "plugins/erofs/equal.h"

struct files {
	struct erofs_range *items;
	size_t count, room;
};

static int collect_files(const struct kataimg_tree *tree, struct files *files)
{
	for (uint64_t i = 0; i < tree->node_count; i++) {
		const struct kataimg_node *node = tree->nodes[i];
		struct erofs_range *range;

		if (node->type != KATAIMG_REG || node->size == 0)
			continue;
		range = array_add(files);
		if (!range)
			return -ENOMEM;
		*range = (struct erofs_range){ .len = node->size, .node = node->index };
	}
	return 0;
}

/* Copies that together fit a block are smaller beside their inodes than in one of their own. */
static bool is_better_packed(const struct erofs_inode *owner)
{
	return !owner->mapped && owner->size <= EROFS_BLOCK_BYTES / owner->copies;
}

/* What one of them is mapped for, all have to be. */
static void share(uint64_t node_count, const struct files *files, struct erofs_inode *inodes)
{
	for (size_t i = 0; i < files->count; i++)
		inodes[files->items[i].node].owner = files->items[files->items[i].first].node;
	for (uint64_t i = 0; i < node_count; i++)
		if (inodes[i].owner != i) {
			inodes[inodes[i].owner].copies++;
			inodes[inodes[i].owner].mapped |= inodes[i].mapped;
		}
	for (uint64_t i = 0; i < node_count; i++)
		if (is_better_packed(&inodes[inodes[i].owner]))
			inodes[i].owner = (uint32_t)i;
	for (uint64_t i = 0; i < node_count; i++)
		if (is_better_packed(&inodes[i]))
			inodes[i].copies = 1;
}

static void free_files(struct files *files)
{
	array_free(files);
}

int erofs_dedupe_share(const struct erofs_source *source, struct erofs_inode *inodes)
{
	struct files files autocall(free_files) = { 0 };
	int ret = collect_files(source->tree, &files);

	if (ret < 0)
		return ret;
	ret = erofs_equal_find(source, files.items, files.count);
	if (ret == 0)
		share(source->tree->node_count, &files, inodes);
	return ret;
}

void erofs_dedupe_report(const struct erofs_source *source, const struct erofs_inode *inodes)
{
	const struct kataimg_host *host = source->host;
	uint64_t files = 0, blocks = 0;
	char text[32];

	for (uint64_t i = 0; i < source->tree->node_count; i++) {
		if (inodes[i].owner == i)
			continue;
		files++;
		blocks += inodes[i].blocks;
	}
	snprintf(text, sizeof(text), "%" PRIu64, files);
	host->fact(host->ctx, "deduplicated_files", text);
	snprintf(text, sizeof(text), "%" PRIu64, blocks * EROFS_BLOCK_BYTES);
	host->fact(host->ctx, "deduplicated_bytes", text);
}
