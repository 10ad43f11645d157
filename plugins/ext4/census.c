/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/census.h"

#include "lib/calloc64.h"
#include "lib/cleanup.h"
#include "lib/crc32c.h"
#include "lib/hashtable.h"
#include "lib/round.h"
#include "plugins/ext4/extent.h"

/* Ranks of the order: large files, directories, then 2^31 .. 2^0 blocks. */
#define RANK_LARGE 0u
#define RANK_DIRECTORY 1u
#define RANK_SMALL 2u
#define RANKS (RANK_SMALL + 32)

uint32_t ext4_huge_blocks(const struct ext4_source *source)
{
	return (uint32_t)(source->job->hugepage_bytes / EXT4_BLOCK_BYTES);
}

uint32_t ext4_segment_first(const struct kataimg_segment *segment)
{
	return (uint32_t)(segment->file_off / EXT4_BLOCK_BYTES);
}

uint32_t ext4_segment_blocks(const struct kataimg_segment *segment)
{
	return (uint32_t)div_up(segment->len, EXT4_BLOCK_BYTES);
}

bool ext4_segment_is_large(const struct ext4_source *source, const struct kataimg_node *node,
			   const struct kataimg_segment *segment)
{
	return source->job->hugepage_bytes && node->size >= source->job->hugepage_bytes &&
	       ext4_segment_blocks(segment) >= ext4_huge_blocks(source);
}

/* ---- Demands ---- */

uint32_t ext4_census_ino(const struct ext4_census *census, const struct kataimg_node *node)
{
	return node->index == 0 ? EXT4_ROOT_INO : census->format.first_tree_ino + node->index;
}

struct ext4_dir ext4_census_dir(const struct ext4_census *census, const struct kataimg_node *node)
{
	return (struct ext4_dir){
		.entries = node->entries,
		.entry_count = node->entry_count,
		.ino = ext4_census_ino(census, node),
		.parent_ino = ext4_census_ino(census, node->parent),
		.lost_found_ino = node->index == 0 && census->lost_found ? EXT4_FIRST_INO : 0,
		.blocks = census->demands[node->index].blocks,
	};
}

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

/* How many extents a file has if no segment has to be split for want of room. */
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

static int count_node(struct ext4_census *census, const struct kataimg_node *node)
{
	uint32_t *blocks = &census->demands[node->index].blocks;
	struct ext4_dir dir = ext4_census_dir(census, node);

	switch (node->type) {
	case KATAIMG_REG:
		*blocks = file_blocks(node);
		census->content_blocks += ext4_extent_tree_blocks(file_extents(node));
		return 0;
	case KATAIMG_LNK:
		*blocks = node->size >= EXT4_FAST_SYMLINK_BYTES;
		return 0;
	case KATAIMG_DIR:
		return ext4_dir_count_blocks(&census->format, &dir, blocks);
	default:
		return 0;
	}
}

/* ---- Extended attributes ---- */

struct ext4_xattr_set ext4_census_xattrs(const struct ext4_census *census,
					 const struct kataimg_node *node)
{
	const struct ext4_demand *demand = &census->demands[node->index];

	return (struct ext4_xattr_set){
		.attrs = census->xattrs.items + demand->xattrs,
		.count = node->xattr_count,
		.in_inode = demand->xattrs_inode,
	};
}

/* Reads all attributes once; whatever packs them later takes them from here. */
static int read_xattrs(struct ext4_census *census, const struct kataimg_node *node)
{
	const struct kataimg_host *host = census->source->host;
	struct ext4_demand *demand = &census->demands[node->index];
	struct ext4_xattr_set set;
	char reason[128], path[256];

	if (census->xattrs.count > UINT32_MAX - node->xattr_count ||
	    array_reserve(&census->xattrs, node->xattr_count) < 0)
		return -ENOMEM;
	set.attrs = census->xattrs.items + census->xattrs.count;
	if (ext4_xattr_set_read(&set, node, reason, sizeof(reason)) < 0) {
		host->error(host->ctx, "%s: %s", host->path(host->ctx, node, path, sizeof(path)),
			    reason);
		return -EFBIG;
	}
	demand->xattrs = (uint32_t)census->xattrs.count;
	demand->xattrs_inode = set.in_inode;
	census->xattrs.count += set.count;
	return 0;
}

static void pack_node(const struct ext4_census *census, const struct kataimg_node *node,
		      uint8_t block[EXT4_BLOCK_BYTES])
{
	const struct ext4_xattr_set set = ext4_census_xattrs(census, node);

	memset(block, 0, EXT4_BLOCK_BYTES);
	ext4_xattr_pack_block(&set, block);
}

/* Has the shared block this content, and room for one more inode? */
static bool is_shareable(const struct ext4_census *census, const struct ext4_xattr_block *shared,
			 const uint8_t block[EXT4_BLOCK_BYTES])
{
	uint8_t other[EXT4_BLOCK_BYTES];

	if (shared->refcount == EXT4_XATTR_REFCOUNT_MAX)
		return false;
	pack_node(census, census->source->tree->nodes[shared->node], other);
	return memcmp(block, other, sizeof(other)) == 0;
}

/* Finds the shared block that has what does not go into the inode, or adds one. */
static int share_block(struct ext4_census *census, struct hashtable *table,
		       const struct kataimg_node *node)
{
	uint32_t *place = &census->demands[node->index].xattr_block;
	uint8_t block[EXT4_BLOCK_BYTES];
	struct ext4_xattr_block *shared;
	uint32_t hash, number;
	size_t step = 0;

	pack_node(census, node, block);
	hash = crc32c(0, block, sizeof(block));
	while (hashtable_next(table, hash, &step, &number)) {
		shared = &census->xattr_blocks.items[number];
		if (!is_shareable(census, shared, block))
			continue;
		shared->refcount++;
		*place = number + 1;
		return 0;
	}
	number = (uint32_t)census->xattr_blocks.count;
	shared = array_add(&census->xattr_blocks);
	if (!shared)
		return -ENOMEM;
	*shared = (struct ext4_xattr_block){ .node = node->index, .refcount = 1 };
	*place = number + 1;
	return hashtable_put(table, hash, number);
}

static int count_xattrs(struct ext4_census *census, struct hashtable *table,
			const struct kataimg_node *node)
{
	int ret;

	if (node->xattr_count == 0)
		return 0;
	ret = read_xattrs(census, node);
	if (ret < 0 || census->demands[node->index].xattrs_inode == node->xattr_count)
		return ret;
	return share_block(census, table, node);
}

/* ---- Order ---- */

static bool has_large_segment(const struct ext4_source *source, const struct kataimg_node *node)
{
	for (uint32_t i = 0; i < node->segment_count; i++)
		if (ext4_segment_is_large(source, node, &node->segments[i]))
			return true;
	return false;
}

static uint32_t node_rank(const struct ext4_census *census, uint64_t index)
{
	const struct kataimg_node *node = census->source->tree->nodes[index];

	if (node->type == KATAIMG_DIR)
		return RANK_DIRECTORY;
	if (has_large_segment(census->source, node))
		return RANK_LARGE;
	return RANK_SMALL + (uint32_t)__builtin_clz(census->demands[index].blocks);
}

/* A counting sort, which keeps the tree's order within a rank. */
static int sort_order(struct ext4_census *census)
{
	uint64_t count = census->source->tree->node_count;
	uint32_t starts[RANKS + 1] = { 0 };

	for (uint64_t i = 0; i < count; i++)
		if (census->demands[i].blocks)
			starts[node_rank(census, i) + 1]++;
	for (uint32_t rank = 0; rank < RANKS; rank++)
		starts[rank + 1] += starts[rank];
	census->large_count = starts[RANK_LARGE + 1];
	census->order_count = starts[RANKS];
	census->order = calloc((size_t)census->order_count + 1, sizeof(*census->order));
	if (!census->order)
		return -ENOMEM;
	for (uint64_t i = 0; i < count; i++)
		if (census->demands[i].blocks)
			census->order[starts[node_rank(census, i)]++] = (uint32_t)i;
	return 0;
}

/* ---- All of it ---- */

static int count_nodes(struct ext4_census *census)
{
	const struct kataimg_tree *tree = census->source->tree;
	struct hashtable table autocall(hashtable_free) = { 0 };

	for (uint64_t i = 0; i < tree->node_count; i++) {
		int ret = count_node(census, tree->nodes[i]);

		if (ret < 0)
			return ret;
		ret = count_xattrs(census, &table, tree->nodes[i]);
		if (ret < 0)
			return ret;
		ret = ext4_source_check_cancelled(census->source, i);
		if (ret < 0)
			return ret;
		census->content_blocks += census->demands[i].blocks;
	}
	census->content_blocks += census->xattr_blocks.count;
	return 0;
}

static void set_format(struct ext4_census *census)
{
	const struct ext4_options *options = &census->source->options;
	bool growing = census->source->job->free_bytes != 0;
	struct ext4_dir_format *format = &census->format;

	format->csum_seed = crc32c(~0u, options->uuid, sizeof(options->uuid));
	memcpy(format->hash_seed, options->hash_seed, sizeof(format->hash_seed));
	format->first_tree_ino = EXT4_FIRST_INO - 1 + census->lost_found;
	format->linear_blocks = growing ? EXT4_LINEAR_BLOCKS_GROWING : EXT4_LINEAR_BLOCKS_FIXED;
}

int ext4_census_make(struct ext4_census *census, const struct ext4_source *source)
{
	const struct kataimg_tree *tree = source->tree;
	int ret;

	*census = (struct ext4_census){
		.source = source,
		.demands = calloc64(tree->node_count, sizeof(*census->demands)),
		.lost_found = source->job->free_bytes && !has_lost_found(tree->nodes[0]),
	};
	if (!census->demands)
		return -ENOMEM;
	set_format(census);
	/* Node 0 is the root, one of the reserved inodes. */
	census->used_inodes = census->format.first_tree_ino + tree->node_count - 1;
	if (source->options.journal)
		census->content_blocks += EXT4_JOURNAL_BLOCKS;
	if (census->lost_found)
		census->content_blocks += EXT4_LOST_FOUND_BLOCKS;
	ret = count_nodes(census);
	return ret < 0 ? ret : sort_order(census);
}

void ext4_census_clear(struct ext4_census *census)
{
	free(census->demands);
	array_free(&census->xattrs);
	array_free(&census->xattr_blocks);
	free(census->order);
	*census = (struct ext4_census){ 0 };
}
