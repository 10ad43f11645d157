/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/htree.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>

#include <ext2fs/ext2fs.h>

#include "lib/cleanup.h"
#include "lib/crc32c.h"
#include "lib/round.h"
#include "plugins/common/writer.h"
#include "plugins/ext4/extent.h"

/* The kernel keeps the highest hash to itself, as the end of a directory. */
#define HASH_END 0xfffffffeu
#define HASH_MAX 0xfffffffcu

struct hashed {
	uint32_t hash;
	uint32_t minor;
	uint32_t number; /* of the entry */
};

struct leaf {
	uint32_t first; /* in the sorted entries */
	uint32_t hash;  /* where the index says it begins; bit 0: that hash continues from the leaf
			   before */
};

struct htree {
	const struct ext4_dir_format *format;
	const struct ext4_dir *dir;
	struct hashed *entries; /* sorted */
	struct leaf *leaves;    /* one more than there are, as an end */
	uint32_t entry_count;
	uint32_t leaf_count;
	uint32_t node_count; /* index blocks of the second level; 0: there is none */
	uint32_t inode_seed;
};

/* Where an index is in its block. */
struct index_block {
	uint8_t *bytes;
	uint32_t offset;
	uint16_t limit;
};

static void htree_clear(struct htree *tree)
{
	free(tree->entries);
	free(tree->leaves);
}

static int compare_hash(const void *a, const void *b)
{
	const struct hashed *left = a, *right = b;

	if (left->hash != right->hash)
		return left->hash < right->hash ? -1 : 1;
	if (left->minor != right->minor)
		return left->minor < right->minor ? -1 : 1;
	return left->number < right->number ? -1 : 1;
}

static void hash_entries(struct htree *tree)
{
	for (uint32_t i = 0; i < tree->entry_count; i++) {
		struct ext4_name name = ext4_dir_name(tree->dir, i);
		struct hashed *entry = &tree->entries[i];

		ext2fs_dirhash(EXT4_DX_HASH_HALF_MD4, name.text, (int)name.len,
			       tree->format->hash_seed, &entry->hash, &entry->minor);
		if (entry->hash == HASH_END)
			entry->hash = HASH_MAX;
		entry->number = i;
	}
	qsort(tree->entries, tree->entry_count, sizeof(*tree->entries), compare_hash);
}

static uint32_t entry_bytes(const struct htree *tree, uint32_t place)
{
	return ext4_dirent_bytes(ext4_dir_name(tree->dir, tree->entries[place].number).len);
}

/* Fills leaf after leaf. No leaf holds fewer than fifteen entries, so leaves has room for all. */
static void cut_leaves(struct htree *tree)
{
	uint32_t used = EXT4_DIR_BLOCK_SPACE;

	for (uint32_t i = 0; i < tree->entry_count; i++) {
		uint32_t bytes = entry_bytes(tree, i);
		uint32_t hash = tree->entries[i].hash;

		if (used + bytes > EXT4_DIR_BLOCK_SPACE) {
			uint32_t continued = i > 0 && tree->entries[i - 1].hash == hash;

			tree->leaves[tree->leaf_count++] = (struct leaf){ i, hash | continued };
			used = 0;
		}
		used += bytes;
	}
	tree->leaves[tree->leaf_count].first = tree->entry_count;
	if (tree->leaf_count > EXT4_DX_ROOT_LIMIT)
		tree->node_count = (uint32_t)div_up(tree->leaf_count, EXT4_DX_NODE_LIMIT);
}

/* The caller calls htree_clear whether this fails or not. */
static int htree_init(struct htree *tree, const struct ext4_dir_format *format,
		      const struct ext4_dir *dir)
{
	uint32_t count = ext4_dir_entry_count(dir);
	uint32_t leaf_entries_min = EXT4_DIR_BLOCK_SPACE / ext4_dirent_bytes(UINT8_MAX);

	*tree = (struct htree){ .format = format, .dir = dir, .entry_count = count };
	tree->inode_seed = ext4_inode_seed(format->csum_seed, dir->ino);
	tree->entries = malloc(count * sizeof(*tree->entries));
	tree->leaves = malloc((count / leaf_entries_min + 2) * sizeof(*tree->leaves));
	if (!tree->entries || !tree->leaves)
		return -ENOMEM;
	hash_entries(tree);
	cut_leaves(tree);
	return 0;
}

int ext4_htree_count_blocks(const struct ext4_dir_format *format, const struct ext4_dir *dir,
			    uint32_t *blocks)
{
	struct htree tree autocall(htree_clear) = { 0 };
	int ret = htree_init(&tree, format, dir);

	if (ret < 0)
		return ret;
	*blocks = 1 + tree.node_count + tree.leaf_count;
	return 0;
}

static void put_index_entry(const struct index_block *block, uint32_t number, uint32_t hash,
			    uint32_t target)
{
	struct ext4_dx_entry entry = { .hash = to_le32(hash), .block = to_le32(target) };

	memcpy(block->bytes + block->offset + number * sizeof(entry), &entry, sizeof(entry));
}

/* Puts the counts over the first entry's hash, and the checksum over what is used. */
static void finish_index(const struct htree *tree, const struct index_block *block, uint32_t count)
{
	struct ext4_dx_countlimit counts = { to_le16(block->limit), to_le16((uint16_t)count) };
	struct ext4_dx_tail tail = { to_le32(0), to_le32(0) };
	uint32_t crc;

	memcpy(block->bytes + block->offset, &counts, sizeof(counts));
	crc = crc32c(tree->inode_seed, block->bytes,
		     block->offset + count * sizeof(struct ext4_dx_entry));
	tail.checksum = to_le32(crc32c(crc, &tail, sizeof(tail)));
	memcpy(block->bytes + EXT4_BLOCK_BYTES - sizeof(tail), &tail, sizeof(tail));
}

/* Index entries for the leaves [first, end), as far as they exist; leaf blocks follow root and
 * nodes. */
static void put_leaf_index(const struct htree *tree, const struct index_block *block,
			   uint32_t first, uint32_t end)
{
	if (end > tree->leaf_count)
		end = tree->leaf_count;
	for (uint32_t i = first; i < end; i++)
		put_index_entry(block, i - first, tree->leaves[i].hash, 1 + tree->node_count + i);
	finish_index(tree, block, end - first);
}

static void put_node_index(const struct htree *tree, const struct index_block *block)
{
	for (uint32_t i = 0; i < tree->node_count; i++)
		put_index_entry(block, i, tree->leaves[i * EXT4_DX_NODE_LIMIT].hash, 1 + i);
	finish_index(tree, block, tree->node_count);
}

static void put_root(const struct htree *tree, uint8_t *bytes)
{
	struct index_block block = { bytes, EXT4_DX_ROOT_OFFSET, EXT4_DX_ROOT_LIMIT };
	struct ext4_dir_block dots = { .bytes = bytes };
	struct ext4_dirent dirent;
	struct ext4_dx_root_info info = {
		.hash_version = EXT4_DX_HASH_HALF_MD4,
		.info_length = sizeof(info),
		.indirect_levels = tree->node_count != 0,
	};

	ext4_dir_block_add_dots(&dots, tree->dir);
	memcpy(&dirent, bytes + dots.last, sizeof(dirent));
	dirent.rec_len = to_le16((uint16_t)(EXT4_BLOCK_BYTES - dots.last));
	memcpy(bytes + dots.last, &dirent, sizeof(dirent));
	memcpy(bytes + EXT4_DX_ROOT_INFO_OFFSET, &info, sizeof(info));
	if (tree->node_count)
		put_node_index(tree, &block);
	else
		put_leaf_index(tree, &block, 0, tree->leaf_count);
}

/* An index block looks like a directory block with one unused entry. */
static void put_node(const struct htree *tree, uint32_t node, uint8_t *bytes)
{
	struct index_block block = { bytes, EXT4_DX_NODE_OFFSET, EXT4_DX_NODE_LIMIT };
	struct ext4_dirent unused = { .rec_len = to_le16(EXT4_BLOCK_BYTES) };

	memcpy(bytes, &unused, sizeof(unused));
	put_leaf_index(tree, &block, node * EXT4_DX_NODE_LIMIT, (node + 1) * EXT4_DX_NODE_LIMIT);
}

static void put_leaf(const struct htree *tree, uint32_t leaf, uint8_t *bytes)
{
	struct ext4_dir_block block = { .bytes = bytes };

	for (uint32_t i = tree->leaves[leaf].first; i < tree->leaves[leaf + 1].first; i++)
		ext4_dir_block_add(&block, tree->format, tree->dir, tree->entries[i].number);
	ext4_dir_block_finish(&block, tree->inode_seed);
}

static void put_block(const struct htree *tree, uint32_t logical, uint8_t *bytes)
{
	if (logical == 0)
		put_root(tree, bytes);
	else if (logical <= tree->node_count)
		put_node(tree, logical - 1, bytes);
	else
		put_leaf(tree, logical - 1 - tree->node_count, bytes);
}

int ext4_htree_write(const struct ext4_dir_format *format, const struct ext4_dir *dir,
		     const struct ext4_extent *extents, struct writer *writer)
{
	struct htree tree autocall(htree_clear) = { 0 };
	uint32_t hint = 0;
	int ret = htree_init(&tree, format, dir);

	if (ret < 0)
		return ret;
	for (uint32_t i = 0; i < dir->blocks; i++) {
		uint8_t *bytes;

		ret = writer_take(writer, ext4_extent_lookup(extents, i, &hint) * EXT4_BLOCK_BYTES,
				  EXT4_BLOCK_BYTES, &bytes);
		if (ret < 0)
			return ret;
		put_block(&tree, i, bytes);
	}
	return 0;
}
