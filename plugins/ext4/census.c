/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/census.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/crc32c.h"
#include "lib/round.h"
#include "plugins/ext4/ext4.h"
#include "plugins/ext4/xattr.h"

/* Ranks of the order: large files, directories, then 2^31 .. 2^0 blocks. */
#define RANK_LARGE 0u
#define RANK_DIRECTORY 1u
#define RANK_SMALL 2u
#define RANKS (RANK_SMALL + 32)

/* Shared blocks by the checksum of their content. */
struct xattr_table {
	uint32_t *slots;  /* 0, or: one more than the number of the block */
	uint32_t *hashes; /* by number */
	uint32_t mask;
	uint32_t capacity; /* of census->xattr_blocks and hashes */
};

uint32_t ext4_huge_blocks(const struct ext4 *ext4)
{
	return ext4->job->hugepage_bytes / EXT4_BLOCK_BYTES;
}

uint32_t ext4_segment_first(const struct kataimg_segment *segment)
{
	return segment->file_off / EXT4_BLOCK_BYTES;
}

uint32_t ext4_segment_blocks(const struct kataimg_segment *segment)
{
	return div_up(segment->len, EXT4_BLOCK_BYTES);
}

bool ext4_segment_is_large(const struct ext4 *ext4, const struct kataimg_node *node,
			   const struct kataimg_segment *segment)
{
	return ext4->job->hugepage_bytes && node->size >= ext4->job->hugepage_bytes &&
	       ext4_segment_blocks(segment) >= ext4_huge_blocks(ext4);
}

/* ---- Demands ---- */

static bool has_lost_found(const struct kataimg_node *root)
{
	for (uint32_t i = 0; i < root->entry_count; i++)
		if (strcmp(root->entries[i].name, "lost+found") == 0)
			return true;
	return false;
}

static uint32_t file_blocks(const struct kataimg_node *node)
{
	uint32_t blocks = 0;

	for (uint32_t i = 0; i < node->segment_count; i++)
		blocks += ext4_segment_blocks(&node->segments[i]);
	return blocks;
}

/* When no segment has to be split for want of room. */
static uint64_t file_extents(const struct kataimg_node *node)
{
	uint64_t extents = 0;

	for (uint32_t i = 0; i < node->segment_count; i++) {
		uint64_t first = ext4_segment_first(&node->segments[i]);
		uint64_t last = first + ext4_segment_blocks(&node->segments[i]) - 1;

		extents += last / EXT4_EXTENT_MAX_BLOCKS - first / EXT4_EXTENT_MAX_BLOCKS + 1;
	}
	return extents;
}

static int count_node(struct ext4_census *census, const struct ext4 *ext4,
		      const struct kataimg_node *node)
{
	uint32_t *blocks = &census->demands[node->index].blocks;
	struct ext4_dir dir = {
		.entries = node->entries,
		.entry_count = node->entry_count,
		.lost_found_ino = node->index == 0 && census->lost_found ? EXT4_FIRST_INO : 0,
	};

	if (node->type == KATAIMG_REG) {
		*blocks = file_blocks(node);
		census->content_blocks += ext4_extent_tree_blocks(file_extents(node));
	}
	if (node->type == KATAIMG_LNK)
		*blocks = node->size >= EXT4_FAST_SYMLINK_BYTES;
	if (node->type != KATAIMG_DIR)
		return 0;
	census->directories++;
	return ext4_dir_count_blocks(&ext4->format, &dir, blocks);
}

/* ---- Shared blocks of extended attributes ---- */

static void pack_node(struct ext4_xattr_set *set, const struct kataimg_node *node,
		      uint8_t block[EXT4_BLOCK_BYTES])
{
	char reason[1];

	ext4_xattr_set_init(set, node, reason, sizeof(reason));
	memset(block, 0, EXT4_BLOCK_BYTES);
	ext4_xattr_pack_block(set, block);
}

static int grow_table(struct xattr_table *table, struct ext4_census *census)
{
	uint32_t capacity = table->capacity ? table->capacity * 2 : 64;
	struct ext4_xattr_block *blocks =
		reallocarray(census->xattr_blocks, capacity, sizeof(*blocks));
	uint32_t *hashes;
	uint32_t *slots;

	if (!blocks)
		return -ENOMEM;
	census->xattr_blocks = blocks;
	hashes = reallocarray(table->hashes, capacity, sizeof(*hashes));
	if (!hashes)
		return -ENOMEM;
	table->hashes = hashes;
	slots = calloc((size_t)capacity * 2, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(table->slots);
	table->slots = slots;
	table->mask = capacity * 2 - 1;
	table->capacity = capacity;
	for (uint32_t i = 0; i < census->xattr_block_count; i++) {
		uint32_t slot = hashes[i] & table->mask;

		while (slots[slot])
			slot = (slot + 1) & table->mask;
		slots[slot] = i + 1;
	}
	return 0;
}

static bool block_equals(const struct ext4_census *census, const struct ext4 *ext4, uint32_t number,
			 const uint8_t block[EXT4_BLOCK_BYTES])
{
	struct ext4_xattr_set set;
	uint8_t other[EXT4_BLOCK_BYTES];

	pack_node(&set, ext4->tree->nodes[census->xattr_blocks[number].node], other);
	return memcmp(block, other, EXT4_BLOCK_BYTES) == 0;
}

/* Finds a block with this content that may be shared once more, or adds one. */
static int share_block(struct ext4_census *census, const struct ext4 *ext4,
		       struct xattr_table *table, const struct kataimg_node *node,
		       const uint8_t block[EXT4_BLOCK_BYTES])
{
	uint32_t hash = crc32c(0, block, EXT4_BLOCK_BYTES);
	uint32_t slot;

	if (census->xattr_block_count == table->capacity && grow_table(table, census) < 0)
		return -ENOMEM;
	for (slot = hash & table->mask; table->slots[slot]; slot = (slot + 1) & table->mask) {
		uint32_t number = table->slots[slot] - 1;
		struct ext4_xattr_block *shared = &census->xattr_blocks[number];

		if (table->hashes[number] != hash || shared->refcount == EXT4_XATTR_REFCOUNT_MAX ||
		    !block_equals(census, ext4, number, block))
			continue;
		shared->refcount++;
		census->demands[node->index].xattr = number + 1;
		return 0;
	}
	table->hashes[census->xattr_block_count] = hash;
	census->xattr_blocks[census->xattr_block_count++] =
		(struct ext4_xattr_block){ .node = node->index, .refcount = 1 };
	table->slots[slot] = census->xattr_block_count;
	census->demands[node->index].xattr = census->xattr_block_count;
	return 0;
}

static int count_xattrs(struct ext4_census *census, const struct ext4 *ext4,
			struct xattr_table *table, const struct kataimg_node *node)
{
	struct ext4_xattr_set set;
	uint8_t block[EXT4_BLOCK_BYTES];
	char reason[128];
	char path[256];
	int ret;

	if (node->xattr_count == 0)
		return 0;
	ret = ext4_xattr_set_init(&set, node, reason, sizeof(reason));
	if (ret < 0) {
		const struct kataimg_host *host = ext4->host;

		host->error(host->ctx, "%s: %s", host->path(host->ctx, node, path, sizeof(path)),
			    reason);
		return ret;
	}
	if (set.count == set.in_inode)
		return 0;
	memset(block, 0, sizeof(block));
	ext4_xattr_pack_block(&set, block);
	return ext4_result(ext4->host, share_block(census, ext4, table, node, block));
}

/* ---- Order ---- */

static bool has_large_segment(const struct ext4 *ext4, const struct kataimg_node *node)
{
	for (uint32_t i = 0; i < node->segment_count; i++)
		if (ext4_segment_is_large(ext4, node, &node->segments[i]))
			return true;
	return false;
}

static uint32_t node_rank(const struct ext4 *ext4, const struct kataimg_node *node, uint32_t blocks)
{
	if (node->type == KATAIMG_DIR)
		return RANK_DIRECTORY;
	if (has_large_segment(ext4, node))
		return RANK_LARGE;
	return RANK_SMALL + __builtin_clz(blocks);
}

/* A counting sort, which keeps the tree's order within a rank. */
static int sort_order(struct ext4_census *census, const struct ext4 *ext4)
{
	uint64_t count = ext4->tree->node_count;
	uint32_t starts[RANKS + 1] = { 0 };

	for (uint64_t i = 0; i < count; i++) {
		uint32_t blocks = census->demands[i].blocks;

		if (blocks)
			starts[node_rank(ext4, ext4->tree->nodes[i], blocks) + 1]++;
	}
	for (uint32_t rank = 0; rank < RANKS; rank++)
		starts[rank + 1] += starts[rank];
	census->large_count = starts[RANK_LARGE + 1];
	census->order_count = starts[RANKS];
	census->order = calloc(census->order_count + 1, sizeof(*census->order));
	if (!census->order)
		return -ENOMEM;
	for (uint64_t i = 0; i < count; i++) {
		uint32_t blocks = census->demands[i].blocks;

		if (blocks)
			census->order[starts[node_rank(ext4, ext4->tree->nodes[i], blocks)]++] = i;
	}
	return 0;
}

/* ---- All of it ---- */

static int count_nodes(struct ext4_census *census, const struct ext4 *ext4)
{
	struct xattr_table table = { 0 };
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < ext4->tree->node_count; i++) {
		const struct kataimg_node *node = ext4->tree->nodes[i];

		ret = ext4_result(ext4->host, count_node(census, ext4, node));
		if (ret == 0)
			ret = count_xattrs(census, ext4, &table, node);
		if (ret == 0)
			ret = ext4_check_cancelled(ext4->host, i);
		census->content_blocks += census->demands[i].blocks;
	}
	free(table.slots);
	free(table.hashes);
	return ret;
}

int ext4_census_init(struct ext4_census *census, const struct ext4 *ext4)
{
	int ret;

	*census = (struct ext4_census){
		.demands = calloc(ext4->tree->node_count, sizeof(*census->demands)),
		.lost_found = ext4->job->free_bytes && !has_lost_found(ext4->tree->nodes[0]),
	};
	if (!census->demands)
		return ext4_nomem(ext4->host);
	ret = count_nodes(census, ext4);
	if (ret < 0)
		return ret;
	census->content_blocks += census->xattr_block_count;
	if (ext4->options.journal)
		census->content_blocks += EXT4_JOURNAL_BLOCKS;
	if (census->lost_found)
		census->content_blocks += EXT4_LOST_FOUND_BLOCKS;
	return ext4_result(ext4->host, sort_order(census, ext4));
}

void ext4_census_destroy(struct ext4_census *census)
{
	free(census->demands);
	free(census->order);
	free(census->xattr_blocks);
	*census = (struct ext4_census){ 0 };
}
