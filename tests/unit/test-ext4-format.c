/* SPDX-License-Identifier: Apache-2.0 */
/* ext4's packers, on known bytes. */
#include <errno.h>
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
#include "plugins/ext4/acl.h"
#include "plugins/ext4/feature.h"
#include "plugins/ext4/geometry.h"
#include "plugins/ext4/inode.h"
#include "plugins/ext4/xattr.h"
#include "tests/support/little.h"

/* ---- Numbers ---- */

static void test_times(void **state)
{
	static const struct {
		int64_t sec;
		uint32_t nsec, seconds, extra;
	} cases[] = {
		{ 0, 0, 0, 0 },
		{ -5, 999999999, 0xfffffffb, 999999999u << 2 },
		{ INT32_MIN, 0, 0x80000000, 0 },
		{ INT64_C(1) << 31, 1, 0x80000000, 1 << 2 | 1 },
		{ INT64_C(1) << 32, 0, 0, 1 },
		{ INT64_C(13569465600), 7, 0x28cd9d00, 7 << 2 | 3 },
		{ INT32_MAX + (INT64_C(3) << 32), 0, 0x7fffffff, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		le32 seconds, extra;

		ext4_time_encode(cases[i].sec, cases[i].nsec, &seconds, &extra);
		assert_int_equal(from_le32(seconds), cases[i].seconds);
		assert_int_equal(from_le32(extra), cases[i].extra);
	}
}

static void test_devices(void **state)
{
	static const struct {
		uint32_t major, minor, first, second;
	} cases[] = {
		{ 1, 3, 0x103, 0 },      { 255, 255, 0xffff, 0 },          { 256, 0, 0, 0x10000 },
		{ 0, 256, 0, 0x100000 }, { 4095, 0xfffff, 0, 0xffffffff }, { 0, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ext4_inode inode = { 0 };

		ext4_device_encode(&inode, cases[i].major, cases[i].minor);
		assert_int_equal(get32(inode.block), cases[i].first);
		assert_int_equal(get32(inode.block + 4), cases[i].second);
	}
}

static void test_geometry(void **state)
{
	struct ext4_geometry geo;

	(void)state;
	/* mke2fs -b 4096 -N 20000 -O ^resize_inode of 100000 blocks: 4 groups of 5008 inodes, two
	 * backups. */
	assert_true(ext4_geometry_init(&geo, 100000, EXT4_GROUP_BLOCKS_MAX, 20000));
	assert_int_equal(geo.groups, 4);
	assert_int_equal(geo.inodes_per_group, 5008);
	assert_int_equal(geo.itable_blocks, 313);
	assert_int_equal(geo.desc_blocks, 1);
	assert_int_equal(ext4_geometry_overhead(&geo), 4 * (2 + 313) + 3 * 2);
	assert_int_equal(ext4_group_blocks(&geo, 2), 32768);
	assert_int_equal(ext4_group_blocks(&geo, 3), 100000 - 3 * 32768);
	/* A last group needs its tables, perhaps a backup, and 50 blocks. */
	assert_int_equal(ext4_geometry_tail_min(&geo), 2 + 313 + 50 + 2);
	assert_false(ext4_geometry_init(&geo, 3 * 32768 + 366, EXT4_GROUP_BLOCKS_MAX, 20000));
	assert_true(ext4_geometry_init(&geo, 3 * 32768 + 367, EXT4_GROUP_BLOCKS_MAX, 20000));
	assert_false(ext4_geometry_init(&geo, 32768, EXT4_GROUP_BLOCKS_MAX, 32769));
	assert_false(ext4_geometry_init(&geo, 0, EXT4_GROUP_BLOCKS_MAX, 16));
	/* Superblock, descriptors, bitmaps and tables must fit a group; libext2fs turns to meta_bg
	 * when the descriptors take more than three quarters of one. */
	assert_true(ext4_geometry_init(&geo, 64 * 64, 64, 64 * 16 * 60));
	assert_false(ext4_geometry_init(&geo, 64 * 64, 64, 64 * 16 * 61));
	assert_true(ext4_geometry_init(&geo, 64 * 48 * 64, 64, 16));
	assert_false(ext4_geometry_init(&geo, 64 * 49 * 64, 64, 16));
}

static void test_backups(void **state)
{
	static const uint32_t with[] = { 0, 1, 3, 5, 7, 9, 25, 27, 49, 81, 125, 243, 343 };
	size_t next = 0;

	(void)state;
	for (uint32_t group = 0; group <= 343; group++) {
		bool expected = group == with[next];

		assert_int_equal(ext4_group_has_backup(group), expected);
		next += expected;
	}
}

static void test_feature_words(void **state)
{
	struct ext4_features ext2 = { 0x38, 0x2, 0x3 };
	struct ext4_features ext3 = { 0x3c, 0x6, 0x3 };
	struct ext4_features ext4 = { 0x2c, 0x2c2, 0x46b };
	struct ext4_features strange = { 0, 0x80000000, 0 };
	char text[256];

	(void)state;
	assert_string_equal(ext4_features_type(&ext2), "ext2");
	assert_string_equal(ext4_features_type(&ext3), "ext3");
	assert_string_equal(ext4_features_type(&ext4), "ext4");
	assert_string_equal(ext4_features_type(&strange), "ext4");
	ext4_features_kernel(&ext4, text, sizeof(text));
	assert_string_equal(text, "3.18");
	ext4_features_names(&ext3, text, sizeof(text));
	assert_string_equal(text, "has_journal ext_attr resize_inode dir_index filetype "
				  "needs_recovery sparse_super large_file");
	ext4_features_names(&strange, text, sizeof(text));
	assert_string_equal(text, "incompat:0x80000000");
	ext4_features_kernel(&strange, text, sizeof(text));
	assert_string_equal(text, "");
	ext4_features_kernel(&ext3, text, sizeof(text));
	assert_string_equal(text, "2.4.15");
}

/* ---- Extended attributes ---- */

static void test_xattr_hash(void **state)
{
	struct {
		struct ext2_ext_attr_entry entry;
		char name[8];
	} lib = { .entry = { .e_name_len = 7, .e_value_size = 5 }, .name = "na\xffme.x" };
	uint32_t value[2] = { 0 };

	(void)state;
	memcpy(value, "hello", 5);
	assert_int_equal(ext4_xattr_hash(lib.name, 7, (const uint8_t *)value, 5),
			 ext2fs_ext_attr_hash_entry(&lib.entry, value));
}

static const uint8_t acl_value[] = {
	2,  0, 0, 0,                         /* version */
	1,  0, 6, 0, 0xff, 0xff, 0xff, 0xff, /* user:: */
	2,  0, 4, 0, 0xe8, 3,    0,    0,    /* user:1000 */
	4,  0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* group:: */
	8,  0, 5, 0, 50,   0,    0,    0,    /* group:50 */
	16, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, /* mask */
	32, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, /* other */
};

static void test_acl(void **state)
{
	static const uint8_t expected[] = {
		1, 0, 0, 0, 1, 0, 6,  0, 2, 0, 4,  0, 0xe8, 3, 0,  0, 4, 0,
		4, 0, 8, 0, 5, 0, 50, 0, 0, 0, 16, 0, 7,    0, 32, 0, 0, 0,
	};
	uint8_t disk[sizeof(expected)];

	(void)state;
	assert_int_equal(ext4_acl_disk_bytes(acl_value, sizeof(acl_value)), sizeof(expected));
	ext4_acl_convert(acl_value, sizeof(acl_value), disk);
	assert_memory_equal(disk, expected, sizeof(expected));
}

static void test_acl_restore(void **state)
{
	uint8_t disk[64], value[sizeof(acl_value)];
	size_t bytes = ext4_acl_disk_bytes(acl_value, sizeof(acl_value));

	(void)state;
	ext4_acl_convert(acl_value, sizeof(acl_value), disk);
	assert_int_equal(ext4_acl_restore(disk, bytes, value, sizeof(value)), sizeof(acl_value));
	assert_memory_equal(value, acl_value, sizeof(acl_value));
	/* no room; an entry that is cut off, with an id and without; no list */
	assert_int_equal(ext4_acl_restore(disk, bytes, value, sizeof(value) - 1), 0);
	assert_int_equal(ext4_acl_restore(disk, 15, value, sizeof(value)), 0);
	assert_int_equal(ext4_acl_restore(disk, bytes - 1, value, sizeof(value)), 0);
	assert_int_equal(ext4_acl_restore(disk, 3, value, sizeof(value)), 0);
	disk[0] = 2;
	assert_int_equal(ext4_acl_restore(disk, bytes, value, sizeof(value)), 0);
}

/* The larger attribute takes the inode, the other goes to the block. */
static void test_xattr_split(void **state)
{
	static const uint8_t value[64] = { 1, 2, 3 };
	static const struct kataimg_xattr xattrs[] = {
		{ "security.x", value, 10, 30 },
		{ "user.abc", value, 8, 64 },
	};
	struct kataimg_node node = { .xattrs = xattrs, .xattr_count = 2 };
	uint8_t inode[EXT4_XATTR_SPACE] = { 0 };
	uint8_t block[EXT4_BLOCK_BYTES] = { 0 };
	struct ext4_xattr attrs[EXT4_XATTRS_MAX];
	struct ext4_xattr_set set = { .attrs = attrs };
	char reason[64];

	(void)state;
	assert_int_equal(ext4_xattr_set_read(&set, &node, reason, sizeof(reason)), 0);
	assert_int_equal(set.in_inode, 1);
	ext4_xattr_pack_inode(&set, inode);
	ext4_xattr_pack_block(&set, block);
	assert_int_equal(get32(inode), 0xea020000);
	assert_int_equal(inode[4], 3);               /* name length */
	assert_int_equal(inode[5], 1);               /* user. */
	assert_int_equal(get16(inode + 6), 92 - 64); /* from the first entry */
	assert_int_equal(get32(inode + 12), 64);
	assert_memory_equal(inode + 20, "abc", 3);
	assert_memory_equal(inode + 96 - 64, value, 64);
	assert_int_equal(block[32], 1);
	assert_int_equal(block[33], 6); /* security. */
	assert_int_equal(get16(block + 34), 4096 - 32);
	assert_memory_equal(block + 4096 - 32, value, 30);
	assert_int_equal(get32(block + 12), get32(block + 44)); /* hash of one entry */
}

/* Two attributes of 44 bytes fill the inode's 88; the one of 48, larger, would leave 40 unused, and
 * the block has no room for what does not fit then. */
static void test_xattr_best_split(void **state)
{
	static const uint8_t value[4096];
	struct kataimg_xattr xattrs[] = {
		{ "user.a", value, 6, 24 },
		{ "user.b", value, 6, 24 },
		{ "user.c", value, 6, 28 },
		{ "user.d", value, 6, 4060 - 48 - 20 },
	};
	struct kataimg_node node = { .xattrs = xattrs, .xattr_count = 4 };
	struct ext4_xattr attrs[EXT4_XATTRS_MAX];
	struct ext4_xattr_set set = { .attrs = attrs };
	char reason[128];

	(void)state;
	assert_int_equal(ext4_xattr_set_read(&set, &node, reason, sizeof(reason)), 0);
	assert_int_equal(set.in_inode, 2);
	assert_memory_equal(set.attrs[0].name, "a", 1);
	assert_memory_equal(set.attrs[1].name, "b", 1);
	xattrs[3].value_len++;
	assert_int_equal(ext4_xattr_set_read(&set, &node, reason, sizeof(reason)), -EFBIG);
	assert_non_null(strstr(reason, "4064 bytes are left"));
}

static int try_xattr(const char *name, uint32_t value_bytes, char *reason, size_t reason_size)
{
	static const uint8_t value[8192];
	struct kataimg_xattr xattr = { name, value, strlen(name), value_bytes };
	struct kataimg_node node = { .xattrs = &xattr, .xattr_count = 1 };
	struct ext4_xattr attrs[EXT4_XATTRS_MAX];
	struct ext4_xattr_set set = { .attrs = attrs };

	return ext4_xattr_set_read(&set, &node, reason, reason_size);
}

static void test_xattr_refusals(void **state)
{
	char reason[128];

	(void)state;
	/* 4060 bytes for entry (16), name (4) and value. */
	assert_int_equal(try_xattr("user.a", 4040, reason, sizeof(reason)), 0);
	assert_int_equal(try_xattr("user.a", 4041, reason, sizeof(reason)), -EFBIG);
	assert_non_null(strstr(reason, "4060"));
	assert_int_equal(try_xattr("btrfs.a", 1, reason, sizeof(reason)), -EFBIG);
	assert_non_null(strstr(reason, "btrfs.a"));
	assert_int_equal(try_xattr("user.", 1, reason, sizeof(reason)), -EFBIG);
	assert_int_equal(try_xattr("system.posix_acl_access", 7, reason, sizeof(reason)), -EFBIG);
	assert_int_equal(try_xattr("system.posix_acl_accessory", 1, reason, sizeof(reason)),
			 -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_geometry),
		cmocka_unit_test(test_backups),
		cmocka_unit_test(test_feature_words),
		cmocka_unit_test(test_xattr_hash),
		cmocka_unit_test(test_acl),
		cmocka_unit_test(test_acl_restore),
		cmocka_unit_test(test_xattr_split),
		cmocka_unit_test(test_xattr_refusals),
		cmocka_unit_test(test_xattr_best_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
