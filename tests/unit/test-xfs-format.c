/* SPDX-License-Identifier: Apache-2.0 */
/* The XFS backend's packers against bytes that mkfs.xfs and the kernel write. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/xfs/bmbt.h"
#include "plugins/xfs/btree.h"
#include "plugins/xfs/da.h"
#include "plugins/xfs/dir.h"
#include "plugins/xfs/geometry.h"
#include "plugins/xfs/hash.h"
#include "plugins/xfs/inode.h"
#include "plugins/xfs/log.h"
#include "plugins/xfs/super.h"
#include "tests/support/big.h"

static const uint8_t uuid[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

static struct xfs_geometry geometry_of(uint64_t dblocks, uint32_t agcount, uint32_t log_blocks)
{
	struct xfs_params params = { 512, log_blocks, agcount, true };
	struct xfs_geometry geo;

	assert_int_equal(xfs_geometry_init(&geo, &params, dblocks), 0);
	return geo;
}

/* ---- Names ---- */

static void test_hash(void **state)
{
	(void)state;
	assert_int_equal(xfs_hash_name("", 0), 0);
	assert_int_equal(xfs_hash_name(".", 1), 0x2e);
	assert_int_equal(xfs_hash_name("..", 2), 0x172e);
	assert_int_equal(xfs_hash_name("lost+found", 10), 0x021aa60c);
	assert_int_equal(xfs_hash_name("0123456789abcdef", 16), 0x883f3876);
	assert_int_equal(xfs_hash_name("SGI_ACL_DEFAULT", 15), 0x98118557);
	assert_int_equal(xfs_hash_name("\xff\xfe", 2), 0xff << 7 ^ 0xfe);
}

/* ---- Forks ---- */

static void test_extent(void **state)
{
	struct xfs_geometry geo = geometry_of(76800, 4, 16384);
	struct xfs_extent small = { 0, 9, 1 };
	struct xfs_extent second_ag = { UINT64_C(1) << 40, 19200 + 7, XFS_EXTENT_MAX_BLOCKS };
	struct xfs_extent extents[] = { small, second_ag };
	uint8_t records[32];

	(void)state;
	xfs_extents_pack(&geo, extents, 2, records);
	assert_int_equal(get64(records, 0), 0);
	assert_int_equal(get64(records, 8), 0x01200001);
	assert_true(get64(records, 16) == UINT64_C(1) << 49);
	assert_true(get64(records, 24) == ((UINT64_C(1) << 15 | 7) << 21 | 0x1fffff));
}

static void test_fork_block(void **state)
{
	struct xfs_extent extents[] = { { 0, 100, 3 }, { 3, 50, 2 }, { 0x800000, 7, 1 } };
	struct xfs_fork fork = { .extents = extents, .extent_count = 3 };

	(void)state;
	assert_int_equal(xfs_fork_block(&fork, 2), 102);
	assert_int_equal(xfs_fork_block(&fork, 0x800000), 7);
	assert_int_equal(xfs_fork_block(&fork, 4), 51);
	assert_int_equal(xfs_fork_block(&fork, 0), 100);
}

/* One level of 251 records, then two. */
static void test_bmbt_levels(void **state)
{
	static const struct {
		uint32_t extents, fork_bytes, levels;
		uint64_t blocks;
	} cases[] = {
		{ 22, 336, 1, 1 },    { 251, 336, 1, 1 },      { 252, 336, 1, 2 },
		{ 5020, 336, 1, 20 }, { 5021, 336, 2, 22 },    { 753, 56, 1, 3 },
		{ 754, 56, 2, 5 },    { 100000, 336, 2, 401 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct xfs_bmbt tree;

		xfs_bmbt_init(&tree, NULL, cases[i].extents, cases[i].fork_bytes);
		assert_int_equal(tree.levels, cases[i].levels);
		assert_int_equal(xfs_bmbt_blocks(&tree), cases[i].blocks);
	}
}

static void test_bmbt_root(void **state)
{
	struct xfs_geometry geo = geometry_of(76800, 4, 16384);
	struct xfs_extent extents[300], blocks[] = { { 0, 40, 2 } };
	struct xfs_fork places = { .geo = &geo, .extents = blocks, .extent_count = 1 };
	uint8_t fork[336] = { 0 };
	struct xfs_bmbt tree;

	(void)state;
	for (uint32_t i = 0; i < 300; i++)
		extents[i] = (struct xfs_extent){ 2 * i, 100 + i, 1 };
	xfs_bmbt_init(&tree, extents, 300, sizeof(fork));
	xfs_bmbt_pack_root(&tree, &places, sizeof(fork), fork);
	assert_int_equal(get16(fork, 0), 1);
	assert_int_equal(get16(fork, 2), 2);
	assert_int_equal(get64(fork, 4), 0);
	assert_int_equal(get64(fork, 12), 300);
	assert_int_equal(get64(fork, 4 + 8 * 20), 40);
	assert_int_equal(get64(fork, 4 + 8 * 20 + 8), 41);
}

/* ---- Directories ---- */

static void test_short_dir(void **state)
{
	static const uint8_t expected[] = {
		0x03, 0x00, 0x00, 0x00, 0x00, 0x80, 0x01, 0x00, 0x60, 'a',  0x01, 0x00,
		0x00, 0x00, 0x83, 0x02, 0x00, 0x70, 'b',  'c',  0x02, 0x00, 0x00, 0x00,
		0x85, 0x01, 0x00, 0x80, 'l',  0x07, 0x00, 0x00, 0x00, 0x84,
	};
	uint32_t chunks[] = { 128 };
	struct xfs_numbers numbers = { chunks };
	struct kataimg_node root = { .type = KATAIMG_DIR };
	struct kataimg_node file = { .type = KATAIMG_REG, .index = 1 };
	struct kataimg_node link = { .type = KATAIMG_LNK, .index = 2 };
	struct kataimg_node dir = { .type = KATAIMG_DIR, .index = 3 };
	struct kataimg_entry entries[] = { { "a", &file, 1, 0 },
					   { "bc", &dir, 2, 0 },
					   { "l", &link, 1, 0 } };
	uint8_t fork[336] = { 0 };

	(void)state;
	root.parent = &root;
	root.entries = entries;
	root.entry_count = 3;
	assert_int_equal(xfs_dir_short_bytes(&root), sizeof(expected));
	xfs_dir_pack_short(&root, &numbers, fork);
	assert_memory_equal(fork, expected, sizeof(expected));
}

static enum xfs_dir_form form_of(uint32_t count, uint32_t name_len)
{
	struct kataimg_entry *entries = calloc(count, sizeof(*entries));
	struct kataimg_node node = { .entries = entries, .entry_count = count };
	enum xfs_dir_form form;

	assert_non_null(entries);
	for (uint32_t i = 0; i < count; i++)
		entries[i].name_len = name_len;
	form = xfs_dir_choose_form(&node);
	free(entries);
	return form;
}

/* Both sides of each boundary, as the kernel converts its directories. */
static void test_dir_forms(void **state)
{
	(void)state;
	assert_int_equal(form_of(165, 4), XFS_DIR_BLOCK);
	assert_int_equal(form_of(166, 4), XFS_DIR_LEAF);
	assert_int_equal(form_of(492, 255), XFS_DIR_LEAF);
	assert_int_equal(form_of(493, 255), XFS_DIR_NODE);
	assert_int_equal(form_of(500, 20), XFS_DIR_LEAF);
	assert_int_equal(form_of(501, 20), XFS_DIR_NODE);
	assert_int_equal(form_of(500, 6), XFS_DIR_LEAF);
	assert_int_equal(form_of(501, 6), XFS_DIR_NODE);
}

static void test_da_tree(void **state)
{
	static uint32_t hashes[1009];
	uint8_t block[XFS_BLOCK_BYTES] = { 0 };
	struct xfs_da_tree tree;

	(void)state;
	for (uint32_t i = 0; i < 1009; i++)
		hashes[i] = 10 * i;
	assert_int_equal(xfs_da_blocks(1), 1);
	assert_int_equal(xfs_da_blocks(2), 3);
	assert_int_equal(xfs_da_blocks(504), 505);
	assert_int_equal(xfs_da_blocks(505), 508);
	xfs_da_init(&tree, 0x800000, 1009, hashes);
	assert_int_equal(tree.levels, 2);
	assert_int_equal(xfs_da_address(&tree, 2, 0), 0x800000);
	assert_int_equal(xfs_da_address(&tree, 0, 0), 0x800001);
	assert_int_equal(xfs_da_address(&tree, 1, 2), 0x800001 + 1009 + 2);
	xfs_da_pack_node(&tree, 2, 0, block);
	assert_int_equal(get16(block, 8), XFS_DA_NODE_MAGIC);
	assert_int_equal(get16(block, 56), 3);
	assert_int_equal(get16(block, 58), 2);
	assert_int_equal(get32(block, 64 + 2 * 8), 10080);
	assert_int_equal(get32(block, 64 + 2 * 8 + 4), 0x800001 + 1009 + 2);
}

/* ---- B+trees of an AG ---- */

static void test_btree_levels(void **state)
{
	static const struct {
		const struct xfs_btree_kind *kind;
		uint64_t records;
		uint32_t levels, blocks;
	} cases[] = {
		{ &xfs_bnobt, 0, 1, 0 },
		{ &xfs_bnobt, 505, 1, 0 },
		{ &xfs_bnobt, 506, 2, 2 },
		{ &xfs_cntbt, 505 * 336, 2, 336 },
		{ &xfs_cntbt, 505 * 336 + 1, 3, 339 },
		{ &xfs_inobt, 252, 1, 0 },
		{ &xfs_inobt, 253, 2, 2 },
		{ &xfs_inobt, 252 * 505 + 1, 3, 508 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct xfs_btree tree;

		xfs_btree_init(&tree, cases[i].kind, cases[i].records);
		assert_int_equal(tree.levels, cases[i].levels);
		assert_int_equal(xfs_btree_blocks(&tree), cases[i].blocks);
	}
}

static void test_btree_blocks(void **state)
{
	struct xfs_geometry geo = geometry_of(76800, 4, 16384);
	static struct xfs_free_record records[1011];
	uint32_t places[] = { 30, 31, 32 };
	uint8_t block[XFS_BLOCK_BYTES] = { 0 };
	struct xfs_btree tree;

	(void)state;
	for (uint32_t i = 0; i < 1011; i++)
		records[i] = (struct xfs_free_record){ to_be32(100 + 2 * i), to_be32(1) };
	xfs_btree_init(&tree, &xfs_bnobt, 1011);
	tree.records = records;
	tree.blocks = places;
	xfs_btree_pack(&tree, &geo, uuid, 2, 1, 0, block);
	assert_int_equal(get32(block, 0), XFS_BNOBT_MAGIC);
	assert_int_equal(get16(block, 4), 1);
	assert_int_equal(get16(block, 6), 3);
	assert_int_equal(get64(block, 16), (2 * 19200 + 1) * 8);
	assert_int_equal(get32(block, 48), 2);
	assert_int_equal(get32(block, 56 + 8), 100 + 2 * 337);
	assert_int_equal(get32(block, 2744 + 8), 32);
	memset(block, 0, sizeof(block));
	xfs_btree_pack(&tree, &geo, uuid, 2, 0, 1, block);
	assert_int_equal(get16(block, 6), 337);
	assert_int_equal(get32(block, 8), 30);
	assert_int_equal(get32(block, 12), 32);
	assert_int_equal(get32(block, 56), 100 + 2 * 337);
}

/* ---- Log and time ---- */

static void test_log(void **state)
{
	uint8_t block[XFS_BLOCK_BYTES] = { 0 };
	static const uint8_t unmount[] = { 0, 0, 0, 1, 0, 0, 0, 8, 0xaa, 0x20, 0, 0, 0x6e, 0x55 };

	(void)state;
	xfs_log_pack(512, uuid, block);
	assert_int_equal(get32(block, 0), 0xfeedbabe);
	assert_int_equal(get32(block, 12), 512);
	assert_true(get64(block, 16) == UINT64_C(1) << 32 && get64(block, 24) == get64(block, 16));
	assert_int_equal(get32(block, 36), 0xffffffff);
	assert_int_equal(get32(block, 44), 0xb0c0d0d0);
	assert_int_equal(get32(block, 300), 1);
	assert_memory_equal(block + 304, uuid, sizeof(uuid));
	assert_int_equal(get32(block, 320), 0x8000);
	assert_memory_equal(block + 512, unmount, sizeof(unmount));
	assert_int_equal(get32(block, 1024), 0);
	memset(block, 0, sizeof(block));
	xfs_log_pack(4096, uuid, block);
	assert_int_equal(get32(block, 12), 3584);
	assert_int_equal(get32(block, 7 * 512), 1);
}

static void test_time(void **state)
{
	(void)state;
	assert_true(xfs_time_pack(-1, 5, false) == UINT64_C(0xffffffff00000005));
	assert_true(xfs_time_pack(XFS_TIME_MIN, 0, true) == 0);
	assert_true(xfs_time_pack(0, 999999999, true) == UINT64_C(2147483648999999999));
	assert_true(xfs_time_pack(XFS_BIGTIME_MAX, 0, true) == UINT64_C(18446744072000000000));
}

/* ---- Geometry ---- */

static void test_reserve(void **state)
{
	static const uint32_t cases[][2] = {
		{ 64, 1 },       { 4096, 6 },        { 8192, 10 },
		{ 16384, 18 },   { 32768, 34 },      { 65536, 67 },
		{ 262144, 264 }, { 1u << 20, 1047 }, { XFS_AG_MAX_BLOCKS, 267368 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(xfs_finobt_reserve(cases[i][0], 0, 0), cases[i][1]);
		assert_int_equal(xfs_finobt_reserve(cases[i][0], 0, 1), cases[i][1] - 1);
	}
	assert_int_equal(xfs_finobt_reserve(16384, 1024, 1), 16);
}

static void test_geometry(void **state)
{
	struct xfs_params tail = { 512, 1024, 0, true };
	struct xfs_geometry geo = geometry_of(76800, 4, 16384);

	(void)state;
	assert_int_equal(geo.agblocks, 19200);
	assert_int_equal(geo.agblklog, 15);
	assert_int_equal(geo.log_ag, 2);
	assert_int_equal(xfs_ag_first_chunk(&geo, 0), 16);
	assert_int_equal(xfs_ag_freelist(&geo, 2), 16389);
	assert_int_equal(xfs_geometry_init(&geo, &tail, 4159), -ENOSPC);
	assert_int_equal(xfs_geometry_init(&geo, &tail, 4160), 0);
	assert_int_equal(geo.agblocks, 4096);
	assert_int_equal(xfs_ag_length(&geo, 1), 64);
	assert_int_equal(xfs_inode_number(&geo, 0, xfs_ag_first_chunk(&geo, 0)), 8320);
	assert_int_equal(xfs_geometry_init(&geo, &tail, UINT64_C(1) << 32), 0);
	assert_int_equal(geo.agcount, 17);
	assert_int_equal(geo.agblocks, XFS_AG_MAX_BLOCKS);
	assert_int_equal(xfs_geometry_init(&geo, &tail, XFS_AG_MAX_BLOCKS * UINT64_C(2) + 63),
			 -ENOSPC);
}

/* ---- Other tools' superblocks ---- */

static void test_describe(void **state)
{
	struct xfs_superblock super = { .versionnum = to_be16(XFS_SB_VERSION) };
	struct kataimg_fs_info info = { .struct_size = sizeof(info) };

	(void)state;
	super.features_incompat = to_be32(XFS_INCOMPAT_FTYPE | XFS_INCOMPAT_PARENT);
	xfs_super_describe(&super, &info);
	assert_string_equal(info.features, "crc ftype parent");
	assert_string_equal(info.min_kernel, "6.10");
	super.features_ro_compat = super.features_incompat = to_be32(UINT32_MAX);
	xfs_super_describe(&super, &info);
	assert_string_equal(info.features + strlen(info.features) - strlen(" metadir"), " metadir");
	assert_string_equal(info.min_kernel, "6.13");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash),         cmocka_unit_test(test_extent),
		cmocka_unit_test(test_fork_block),   cmocka_unit_test(test_bmbt_levels),
		cmocka_unit_test(test_bmbt_root),    cmocka_unit_test(test_short_dir),
		cmocka_unit_test(test_dir_forms),    cmocka_unit_test(test_da_tree),
		cmocka_unit_test(test_btree_levels), cmocka_unit_test(test_btree_blocks),
		cmocka_unit_test(test_log),          cmocka_unit_test(test_time),
		cmocka_unit_test(test_reserve),      cmocka_unit_test(test_geometry),
		cmocka_unit_test(test_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
