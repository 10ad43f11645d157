/* SPDX-License-Identifier: Apache-2.0 */
/* ext4's extent trees and directories, as they lie in their blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <cmocka.h>
#include <ext2fs/ext2fs.h>

#include "lib/crc32c.h"
#include "plugins/common/writer.h"
#include "plugins/ext4/dir.h"
#include "plugins/ext4/extent.h"
#include "tests/support/little.h"

#define CSUM_SEED 0x12345678u

/* ---- A host that writes into memory ---- */

#define WINDOW_BLOCKS 1400u

static uint8_t window[WINDOW_BLOCKS * EXT4_BLOCK_BYTES];

static int write_window(struct kataimg_host_ctx *ctx, uint64_t off, const void *buf, size_t len)
{
	(void)ctx;
	assert_in_range(off + len, 0, sizeof(window));
	memcpy(window + off, buf, len);
	return 0;
}

static const struct kataimg_host memory_host = { .write = write_window };

static uint8_t *window_block(uint64_t number)
{
	return window + number * EXT4_BLOCK_BYTES;
}

/* ---- Extents ---- */

static void test_tree_blocks(void **state)
{
	(void)state;
	assert_int_equal(ext4_extent_tree_blocks(0), 0);
	assert_int_equal(ext4_extent_tree_blocks(4), 0);
	assert_int_equal(ext4_extent_tree_blocks(5), 1);
	assert_int_equal(ext4_extent_tree_blocks(340), 1);
	assert_int_equal(ext4_extent_tree_blocks(4 * 340), 4);
	assert_int_equal(ext4_extent_tree_blocks(4 * 340 + 1), 5 + 1);
	assert_int_equal(ext4_extent_tree_blocks(100000), 295 + 1);
	assert_int_equal(ext4_extent_tree_blocks(4 * 340 * 340 + 1), 1361 + 5 + 1);
}

static void test_inline_extents(void **state)
{
	static const struct ext4_extent extents[] = { { 0x123456789a, 7, 32768 }, { 5, 40000, 1 } };
	static const uint8_t expected[60] = {
		0x0a, 0xf3, 2,    0,    4,    0,    0,    0,    0, 0, 0, 0, 7, 0, 0, 0, 0x00, 0x80,
		0x12, 0x00, 0x9a, 0x78, 0x56, 0x34, 0x40, 0x9c, 0, 0, 1, 0, 0, 0, 5, 0, 0,    0,
	};
	uint8_t block[60] = { 0 };

	(void)state;
	assert_int_equal(ext4_extent_tree_write(NULL, 0, extents, 2, NULL, block), 0);
	assert_memory_equal(block, expected, sizeof(expected));
}

/* Five extents: one leaf, in the second of two runs' place order. */
static void test_extent_leaf(void **state)
{
	struct ext4_extent extents[5];
	static const struct ext4_extent runs[] = { { .physical = 77, .blocks = 1 } };
	struct writer writer;
	uint8_t block[60] = { 0 };
	const uint8_t *leaf = window_block(77);

	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		extents[i] = (struct ext4_extent){ 100 + 2 * i, 3 * i, 1 };
	assert_int_equal(writer_init(&writer, &memory_host), 0);
	assert_int_equal(ext4_extent_tree_write(&writer, CSUM_SEED, extents, 5, runs, block), 0);
	assert_int_equal(writer_flush(&writer), 0);
	writer_clear(&writer);
	assert_int_equal(get16(block + 2), 1); /* entries */
	assert_int_equal(get16(block + 6), 1); /* depth */
	assert_int_equal(get32(block + 16), 77);
	assert_int_equal(get16(leaf), 0xf30a);
	assert_int_equal(get16(leaf + 2), 5);
	assert_int_equal(get16(leaf + 4), 340);
	assert_int_equal(get32(leaf + 12 + 4 * 12), 12);
	assert_int_equal(get32(leaf + 12 + 4 * 12 + 8), 108);
	assert_int_equal(get32(leaf + 4092), crc32c(CSUM_SEED, leaf, 4092));
}

/* Counts the extents below a node of so much depth: each begins at a logical block that follows the
 * one before by two. */
static uint32_t check_extent_node(const uint8_t *node, uint16_t max, uint16_t depth,
				  uint32_t *logical)
{
	uint16_t entries = get16(node + 2);
	uint32_t count = 0;

	assert_int_equal(get16(node), 0xf30a);
	assert_in_range(entries, 1, max);
	assert_int_equal(get16(node + 4), max);
	assert_int_equal(get16(node + 6), depth);
	for (uint16_t i = 0; i < entries; i++) {
		const uint8_t *entry = node + 12 + 12 * i;
		const uint8_t *below;

		assert_int_equal(get32(entry), *logical);
		if (depth == 0) {
			assert_int_equal(get32(entry + 8), 1000000 + *logical);
			*logical += 2;
			count++;
			continue;
		}
		below = window_block(get32(entry + 4));
		assert_int_equal(get32(below + 4092), crc32c(CSUM_SEED, below, 4092));
		count += check_extent_node(below, 340, depth - 1, logical);
	}
	return count;
}

static void check_extent_tree(uint32_t count, uint16_t depth)
{
	struct ext4_extent *extents = calloc(count, sizeof(*extents));
	struct ext4_extent runs[2] = { { .physical = 7, .blocks = 3 }, { .physical = 20 } };
	struct writer writer;
	uint8_t block[60] = { 0 };
	uint32_t logical = 0;

	assert_non_null(extents);
	runs[1].blocks = WINDOW_BLOCKS - runs[1].physical;
	for (uint32_t i = 0; i < count; i++)
		extents[i] = (struct ext4_extent){ 1000000 + 2 * i, 2 * i, 1 };
	assert_int_equal(writer_init(&writer, &memory_host), 0);
	assert_int_equal(ext4_extent_tree_write(&writer, CSUM_SEED, extents, count, runs, block),
			 0);
	assert_int_equal(writer_flush(&writer), 0);
	writer_clear(&writer);
	assert_int_equal(check_extent_node(block, 4, depth, &logical), count);
	free(extents);
}

static void test_extent_depths(void **state)
{
	(void)state;
	check_extent_tree(4, 0);
	check_extent_tree(5, 1);
	check_extent_tree(4 * 340, 1);
	check_extent_tree(4 * 340 + 1, 2);
	check_extent_tree(4 * 340 * 340, 2);
	check_extent_tree(4 * 340 * 340 + 1, 3);
}

/* ---- Directories ---- */

#define DIR_INO 77u
#define DIR_NAMES_MAX 200000u

static struct kataimg_node child = { .type = KATAIMG_REG, .index = 1 };
static struct ext4_dir_format format = {
	CSUM_SEED, { 1, 2, 3, 4 }, 10, EXT4_LINEAR_BLOCKS_GROWING
};

struct names {
	struct kataimg_entry *entries;
	char *texts;
};

static struct names make_names(uint32_t count, uint32_t len)
{
	struct names names = { calloc(count, sizeof(*names.entries)), calloc(count, len + 1) };

	assert_true(count <= DIR_NAMES_MAX && names.entries && names.texts);
	for (uint32_t i = 0; i < count; i++) {
		char *text = names.texts + (size_t)i * (len + 1);

		memset(text, 'n', len);
		text[snprintf(text, len, "%u", i)] = '-';
		names.entries[i] = (struct kataimg_entry){ text, &child, len, 0 };
	}
	return names;
}

static void free_names(struct names *names)
{
	free(names->entries);
	free(names->texts);
}

/* Writes to block 0 and following. */
static uint32_t write_dir(const struct names *names, uint32_t count)
{
	struct ext4_dir dir = { names->entries, count, DIR_INO, 2, 0, 0 };
	struct ext4_extent extent = { 0, 0, WINDOW_BLOCKS };
	struct writer writer;

	assert_int_equal(ext4_dir_count_blocks(&format, &dir, &dir.blocks), 0);
	assert_in_range(dir.blocks, 1, WINDOW_BLOCKS);
	assert_in_range(dir.blocks, 1, ext4_dir_blocks_bound(names->entries, count));
	assert_int_equal(writer_init(&writer, &memory_host), 0);
	assert_int_equal(ext4_dir_write(&format, &dir, &extent, &writer), 0);
	assert_int_equal(writer_flush(&writer), 0);
	writer_clear(&writer);
	return dir.blocks;
}

/* Counts the names of a leaf, each in the hash range [low, high). */
static uint32_t check_leaf(const uint8_t *leaf, uint32_t low, uint64_t high)
{
	uint32_t count = 0, at = 0;

	while (at < 4084) {
		uint32_t hash;

		assert_int_equal(get32(leaf + at), 11);
		assert_int_equal(leaf[at + 7], KATAIMG_REG);
		ext2fs_dirhash(EXT2_HASH_HALF_MD4, (const char *)leaf + at + 8, leaf[at + 6],
			       format.hash_seed, &hash, NULL);
		assert_in_range(hash, low & ~1u, high);
		at += get16(leaf + at + 4);
		count++;
	}
	assert_int_equal(at, 4084);
	assert_int_equal(leaf[4091], 0xde);
	assert_int_equal(get32(leaf + 4092),
			 crc32c(ext4_inode_seed(CSUM_SEED, DIR_INO), leaf, 4084));
	return count;
}

/* The leaves under one index; returns how many names they hold. */
static uint32_t check_index(const uint8_t *index, uint32_t offset, uint32_t limit)
{
	uint32_t count = get16(index + offset + 2), names = 0;
	const uint8_t zero[4] = { 0 };
	uint32_t crc = crc32c(ext4_inode_seed(CSUM_SEED, DIR_INO), index, offset + count * 8);

	assert_int_equal(get16(index + offset), limit);
	assert_in_range(count, 1, limit);
	crc = crc32c(crc32c(crc, zero, 4), zero, 4);
	assert_int_equal(get32(index + 4092), crc);
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *entry = index + offset + i * 8;
		uint32_t low = i ? get32(entry) : 0;
		uint64_t high = i + 1 < count ? get32(entry + 8) : UINT32_MAX;

		names += check_leaf(window_block(get32(entry + 4)), low, high);
	}
	return names;
}

static void check_root(const uint8_t *root, uint8_t levels)
{
	assert_int_equal(get32(root), DIR_INO);
	assert_int_equal(get16(root + 4), 12);
	assert_int_equal(get32(root + 12), 2);
	assert_int_equal(get16(root + 16), 4084);
	assert_memory_equal(root + 18, "\2\2..", 4);
	assert_int_equal(get32(root + 24), 0);
	assert_int_equal(root[28], 1); /* half MD4 */
	assert_int_equal(root[29], 8);
	assert_int_equal(root[30], levels);
}

static void test_one_block(void **state)
{
	struct names names = make_names(203, 12); /* 24 + 203 * 20 = 4084 */
	const uint8_t *block = window_block(0);

	(void)state;
	assert_int_equal(write_dir(&names, 203), 1);
	assert_int_equal(get16(block + 4), 12);
	assert_int_equal(get16(block + 16), 12);
	assert_memory_equal(block + 32, names.entries[0].name, 12);
	assert_int_equal(get16(block + 4064 + 4), 20);
	assert_int_equal(get32(block + 4092),
			 crc32c(ext4_inode_seed(CSUM_SEED, DIR_INO), block, 4084));
	free_names(&names);
}

/* Where nothing will be added, two blocks go without an index, and a third one does not. */
static void test_two_blocks(void **state)
{
	struct names names = make_names(408, 12); /* 203 and 204 of them fill two blocks */
	const uint8_t *block = window_block(1);

	(void)state;
	format.linear_blocks = EXT4_LINEAR_BLOCKS_FIXED;
	assert_int_equal(write_dir(&names, 407), 2);
	assert_memory_equal(block + 8, names.entries[203].name, 12);
	assert_int_equal(check_leaf(block, 0, UINT32_MAX), 204);
	assert_int_equal(write_dir(&names, 408), 1 + 2);
	assert_int_equal(check_index(window_block(0), 32, 507), 408);
	format.linear_blocks = EXT4_LINEAR_BLOCKS_GROWING;
	assert_int_equal(write_dir(&names, 407), 1 + 2);
	check_root(window_block(0), 0);
	free_names(&names);
}

static void test_one_level(void **state)
{
	struct names names = make_names(204, 12);

	(void)state;
	assert_int_equal(write_dir(&names, 204), 1 + 1);
	check_root(window_block(0), 0);
	assert_int_equal(check_index(window_block(0), 32, 507), 204);
	free_names(&names);
	names = make_names(507 * 15, 255); /* 15 names fill a leaf: the root is full */
	assert_int_equal(write_dir(&names, 507 * 15), 1 + 507);
	check_root(window_block(0), 0);
	assert_int_equal(check_index(window_block(0), 32, 507), 507 * 15);
	free_names(&names);
}

static void test_two_levels(void **state)
{
	struct names names = make_names(508 * 15, 255);
	const uint8_t *root = window_block(0);
	uint32_t count = 0;

	(void)state;
	assert_int_equal(write_dir(&names, 508 * 15), 1 + 1 + 508);
	check_root(root, 1);
	assert_int_equal(get16(root + 34), 1);
	for (uint32_t i = 0; i < get16(root + 34); i++) {
		const uint8_t *node = window_block(get32(root + 32 + 8 * i + 4));

		assert_int_equal(get16(node + 4), 4096);
		count += check_index(node, 8, 510);
	}
	assert_int_equal(count, 508 * 15);
	free_names(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree_blocks), cmocka_unit_test(test_inline_extents),
		cmocka_unit_test(test_extent_leaf), cmocka_unit_test(test_extent_depths),
		cmocka_unit_test(test_one_block),   cmocka_unit_test(test_two_blocks),
		cmocka_unit_test(test_one_level),   cmocka_unit_test(test_two_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
