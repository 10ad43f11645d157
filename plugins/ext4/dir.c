/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/dir.h"

#include "lib/crc32c.h"
#include "lib/round.h"
#include "plugins/common/writer.h"
#include "plugins/ext4/extent.h"
#include "plugins/ext4/htree.h"

#define LOST_FOUND "lost+found"

uint32_t ext4_inode_seed(uint32_t csum_seed, uint32_t ino)
{
	le32 numbers[2] = { to_le32(ino), to_le32(0) };

	return crc32c(csum_seed, numbers, sizeof(numbers));
}

uint32_t ext4_dirent_bytes(uint32_t name_len)
{
	return (uint32_t)round_up(sizeof(struct ext4_dirent) + name_len, 4);
}

uint32_t ext4_dir_entry_count(const struct ext4_dir *dir)
{
	return dir->entry_count + (dir->lost_found_ino != 0);
}

struct ext4_name ext4_dir_name(const struct ext4_dir *dir, uint32_t number)
{
	const struct kataimg_entry *entry = &dir->entries[number];

	if (number == dir->entry_count)
		return (struct ext4_name){ LOST_FOUND, strlen(LOST_FOUND) };
	return (struct ext4_name){ entry->name, entry->name_len };
}

static void add(struct ext4_dir_block *block, struct ext4_name name, uint32_t ino, uint8_t type)
{
	uint32_t bytes = ext4_dirent_bytes(name.len);
	struct ext4_dirent dirent = {
		.inode = to_le32(ino),
		.rec_len = to_le16((uint16_t)bytes),
		.name_len = (uint8_t)name.len,
		.file_type = type,
	};

	memcpy(block->bytes + block->used, &dirent, sizeof(dirent));
	memcpy(block->bytes + block->used + sizeof(dirent), name.text, name.len);
	block->last = block->used;
	block->used += bytes;
}

void ext4_dir_block_add_dots(struct ext4_dir_block *block, const struct ext4_dir *dir)
{
	add(block, (struct ext4_name){ ".", 1 }, dir->ino, KATAIMG_DIR);
	add(block, (struct ext4_name){ "..", 2 }, dir->parent_ino, KATAIMG_DIR);
}

void ext4_dir_block_add(struct ext4_dir_block *block, const struct ext4_dir_format *format,
			const struct ext4_dir *dir, uint32_t number)
{
	const struct kataimg_node *node;

	if (number == dir->entry_count) {
		add(block, ext4_dir_name(dir, number), dir->lost_found_ino, KATAIMG_DIR);
		return;
	}
	node = dir->entries[number].node;
	add(block, ext4_dir_name(dir, number), format->first_tree_ino + node->index, node->type);
}

void ext4_dir_block_finish(struct ext4_dir_block *block, uint32_t inode_seed)
{
	struct ext4_dirent_tail tail = {
		.rec_len = to_le16(sizeof(tail)),
		.file_type = EXT4_DIRENT_TAIL_TYPE,
	};
	struct ext4_dirent last;

	memcpy(&last, block->bytes + block->last, sizeof(last));
	last.rec_len = to_le16((uint16_t)(EXT4_DIR_BLOCK_SPACE - block->last));
	memcpy(block->bytes + block->last, &last, sizeof(last));
	tail.checksum = to_le32(crc32c(inode_seed, block->bytes, EXT4_DIR_BLOCK_SPACE));
	memcpy(block->bytes + EXT4_DIR_BLOCK_SPACE, &tail, sizeof(tail));
}

static uint64_t entries_bytes(const struct kataimg_entry *entries, uint32_t count)
{
	uint64_t bytes = ext4_dirent_bytes(1) + ext4_dirent_bytes(2);

	for (uint32_t i = 0; i < count; i++)
		bytes += ext4_dirent_bytes(entries[i].name_len);
	return bytes;
}

static bool has_room(uint32_t used, uint32_t bytes)
{
	return used + bytes <= EXT4_DIR_BLOCK_SPACE;
}

/* Blocks of entries without an index, in the order of their names; counted up to `most` + 1. */
static uint32_t count_linear(const struct ext4_dir *dir, uint32_t most)
{
	uint32_t used = ext4_dirent_bytes(1) + ext4_dirent_bytes(2), blocks = 1;
	uint32_t count = ext4_dir_entry_count(dir);

	for (uint32_t i = 0; i < count && blocks <= most; i++) {
		uint32_t bytes = ext4_dirent_bytes(ext4_dir_name(dir, i).len);

		if (!has_room(used, bytes)) {
			blocks++;
			used = 0;
		}
		used += bytes;
	}
	return blocks;
}

bool ext4_dir_is_indexed(const struct ext4_dir_format *format, const struct ext4_dir *dir)
{
	return count_linear(dir, format->linear_blocks) > format->linear_blocks;
}

int ext4_dir_count_blocks(const struct ext4_dir_format *format, const struct ext4_dir *dir,
			  uint32_t *blocks)
{
	*blocks = count_linear(dir, format->linear_blocks);
	return *blocks > format->linear_blocks ? ext4_htree_count_blocks(format, dir, blocks) : 0;
}

uint64_t ext4_dir_blocks_bound(const struct kataimg_entry *entries, uint32_t count)
{
	uint64_t leaf_filled = EXT4_DIR_BLOCK_SPACE - ext4_dirent_bytes(UINT8_MAX) + 4;
	uint64_t leaves = entries_bytes(entries, count) / leaf_filled + 1;

	return leaves + leaves / EXT4_DX_NODE_LIMIT + 2;
}

/* Packs as many entries from *next on as there is room for. */
static void put_names(const struct ext4_dir_format *format, const struct ext4_dir *dir,
		      struct ext4_dir_block *block, uint32_t *next)
{
	uint32_t count = ext4_dir_entry_count(dir);

	for (; *next < count; ++*next) {
		if (!has_room(block->used, ext4_dirent_bytes(ext4_dir_name(dir, *next).len)))
			return;
		ext4_dir_block_add(block, format, dir, *next);
	}
}

/* Blocks behind the last name stay empty. */
static int write_linear(const struct ext4_dir_format *format, const struct ext4_dir *dir,
			const struct ext4_extent *extents, struct writer *writer)
{
	uint32_t seed = ext4_inode_seed(format->csum_seed, dir->ino);
	uint32_t hint = 0, next = 0;

	for (uint32_t i = 0; i < dir->blocks; i++) {
		struct ext4_dir_block block = { 0 };
		int ret = writer_take(writer,
				      ext4_extent_lookup(extents, i, &hint) * EXT4_BLOCK_BYTES,
				      EXT4_BLOCK_BYTES, &block.bytes);

		if (ret < 0)
			return ret;
		if (i == 0)
			ext4_dir_block_add_dots(&block, dir);
		put_names(format, dir, &block, &next);
		ext4_dir_block_finish(&block, seed);
	}
	return 0;
}

int ext4_dir_write(const struct ext4_dir_format *format, const struct ext4_dir *dir,
		   const struct ext4_extent *extents, struct writer *writer)
{
	if (ext4_dir_is_indexed(format, dir))
		return ext4_htree_write(format, dir, extents, writer);
	return write_linear(format, dir, extents, writer);
}
