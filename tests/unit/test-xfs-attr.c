/* SPDX-License-Identifier: Apache-2.0 */
/* How the XFS backend stores attributes and ACLs, and how many: against bytes that the kernel
 * writes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/xfs/acl.h"
#include "plugins/xfs/attr.h"
#include "plugins/xfs/attr_write.h"
#include "plugins/xfs/hash.h"
#include "plugins/xfs/limits.h"
#include "tests/support/big.h"

/* ---- Directories ---- */

static struct xfs_attr_list list; /* of the test at hand, to be cleared */

static struct xfs_attrs load(struct kataimg_xattr *xattrs, uint32_t count)
{
	struct kataimg_node node = { .type = KATAIMG_REG, .xattrs = xattrs, .xattr_count = count };

	for (uint32_t i = 0; i < count; i++)
		xattrs[i].name_len = (uint32_t)strlen(xattrs[i].name);
	assert_int_equal(xfs_attrs_add(&list, &node), 0);
	return (struct xfs_attrs){ list.items.items, (uint32_t)list.items.count };
}

static void test_short_attr(void **state)
{
	static const uint8_t expected[] = { 0x00, 0x0b, 0x01, 0x00, 0x01, 0x03,
					    0x00, 'k',  'v',  'a',  'l' };
	struct kataimg_xattr xattr = { "user.k", "val", 0, 3 };
	struct xfs_attrs attrs = load(&xattr, 1);
	uint8_t fork[336] = { 0 };

	(void)state;
	assert_int_equal(xfs_attrs_short_bytes(&attrs), sizeof(expected));
	xfs_attrs_pack_short(&attrs, fork);
	assert_memory_equal(fork, expected, sizeof(expected));
	xfs_attrs_clear(&list);
}

static void test_attr_sizes(void **state)
{
	static const struct {
		uint32_t value_len, record_bytes, blocks;
	} cases[] = {
		{ 0, 8, 0 },     { 3062, 3068, 0 }, { 3063, 16, 1 },
		{ 4040, 16, 1 }, { 4041, 16, 2 },   { 65536, 16, 17 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct xfs_attr attr = { .name_len = 3, .value_len = cases[i].value_len };

		assert_int_equal(xfs_attr_record_bytes(&attr), cases[i].record_bytes);
		assert_int_equal(xfs_attr_value_blocks(&attr), cases[i].blocks);
	}
}

static void test_attr_names(void **state)
{
	struct kataimg_xattr xattrs[] = {
		{ "security.same", "s", 0, 1 },
		{ "trusted.SGI_ACL_FILE", "x", 0, 1 },
		{ "trusted.same", "t", 0, 1 },
		{ "user.same", "u", 0, 1 },
		{ "trusted.SGI_ACL_FILE_NOT", "", 0, 0 },
	};
	struct xfs_attrs attrs = load(xattrs, 5);

	(void)state;
	assert_int_equal(attrs.count, 4);
	assert_int_equal(attrs.items[0].flags, XFS_ATTR_SECURE);
	assert_int_equal(attrs.items[1].flags, XFS_ATTR_ROOT);
	assert_int_equal(attrs.items[2].flags, 0);
	assert_int_equal(attrs.items[2].hash, xfs_hash_name("same", 4));
	xfs_attrs_clear(&list);
}

static void test_attr_leaf(void **state)
{
	struct kataimg_xattr xattrs[] = { { "user.a", "1", 0, 1 }, { "user.b", NULL, 0, 4000 } };
	struct xfs_attrs attrs = load(xattrs, 2);
	uint8_t leaf[XFS_BLOCK_BYTES] = { 0 };
	uint64_t value_block = 1;

	(void)state;
	xfs_attrs_sort(&attrs);
	xfs_attr_pack_leaf(&attrs, 0, 2, &value_block, leaf);
	assert_int_equal(value_block, 2);
	assert_int_equal(get16(leaf, 56), 2);
	assert_int_equal(get16(leaf, 58), 8 + 12);
	assert_int_equal(get16(leaf, 60), 4096 - 20);
	assert_int_equal(get16(leaf, 64), 80 + 16);
	assert_int_equal(get16(leaf, 66), 4096 - 20 - 96);
	assert_int_equal(get32(leaf, 80), 'a');
	assert_int_equal(leaf[86], XFS_ATTR_LOCAL);
	assert_int_equal(get32(leaf, 88), 'b');
	assert_int_equal(leaf[94], 0);
	assert_int_equal(get32(leaf, 4096 - 20), 1);
	assert_int_equal(get32(leaf, 4096 - 16), 4000);
	xfs_attrs_clear(&list);
}

/* Names of one hash: flip bit 0 of a byte and bit 7 of the next. */
static void make_collisions(struct kataimg_xattr *xattrs, uint32_t count, char (*names)[32])
{
	for (uint32_t i = 0; i < count; i++) {
		strcpy(names[i], "user.abcdefghijklmnop");
		for (uint32_t bit = 0; bit < 8; bit++)
			if (i >> bit & 1) {
				names[i][5 + 2 * bit] ^= 1;
				names[i][6 + 2 * bit] = (char)(names[i][6 + 2 * bit] ^ 0x80);
			}
		xattrs[i] = (struct kataimg_xattr){ names[i], "", 0, 0 };
	}
}

/* The last leaf takes the whole run of the highest hash. */
static void test_attr_last_leaf(void **state)
{
	static struct kataimg_xattr xattrs[180];
	static char names[180][32];
	struct xfs_attrs attrs;
	uint32_t end;

	(void)state;
	make_collisions(xattrs, 100, names);
	for (uint32_t i = 100; i < 180; i++) {
		snprintf(names[i], sizeof(names[i]), "user.%u", i);
		xattrs[i] = (struct kataimg_xattr){ names[i], "", 0, 0 };
	}
	attrs = load(xattrs, 180);
	xfs_attrs_sort(&attrs);
	assert_int_equal(attrs.items[80].hash, attrs.items[179].hash);
	end = xfs_attrs_leaf_end(&attrs, 0);
	assert_int_equal(end, 80);
	assert_int_equal(xfs_attrs_leaf_end(&attrs, end), 180);
	xfs_attrs_clear(&list);
}

#define LARGE_ATTRS 123500u

/* The linker puts it in the place of lib/array.c's. */
static bool no_memory;

int __real_array_grow(void *items, size_t *room, size_t count, size_t more, size_t item_bytes);
int __wrap_array_grow(void *items, size_t *room, size_t count, size_t more, size_t item_bytes);

int __wrap_array_grow(void *items, size_t *room, size_t count, size_t more, size_t item_bytes)
{
	return no_memory ? -ENOMEM : __real_array_grow(items, room, count, more, item_bytes);
}

/* So many attributes of 64 KiB, all of one value. */
static int check_large_attrs(struct kataimg_xattr *xattrs, uint32_t count, char reason[100])
{
	struct kataimg_node node = { .type = KATAIMG_REG, .xattrs = xattrs, .xattr_count = count };

	return xfs_limits_check(&node, reason, 100);
}

/* 17 blocks each, and one extent for all; without memory nobody knows. */
static void test_attr_limit(void **state)
{
	static struct kataimg_xattr xattrs[LARGE_ATTRS];
	static char value[XFS_ATTR_MAX_VALUE], names[LARGE_ATTRS][16];
	char reason[100];
	int ret;

	(void)state;
	for (uint32_t i = 0; i < LARGE_ATTRS; i++)
		xattrs[i] = (struct kataimg_xattr){ names[i], value,
						    (uint32_t)sprintf(names[i], "user.%u", i),
						    sizeof(value) };
	assert_int_equal(check_large_attrs(xattrs, 100, reason), KATAIMG_CHECK_OK);
	assert_int_equal(check_large_attrs(xattrs, 123000, reason), KATAIMG_CHECK_OK);
	assert_int_equal(check_large_attrs(xattrs, LARGE_ATTRS, reason), KATAIMG_CHECK_XATTRS);
	assert_non_null(strstr(reason, "more than 8 GiB"));
	no_memory = true;
	ret = check_large_attrs(xattrs, 123000, reason);
	no_memory = false;
	assert_int_equal(ret, -ENOMEM);
}

static void test_acl(void **state)
{
	static const uint8_t source[] = {
		2, 0,    0,    0,    1,    0,    7,  0, 0xff, 0xff, 0xff, 0xff, 2,    0,    5,
		0, 0xe8, 3,    0,    0,    4,    0,  5, 0,    0xff, 0xff, 0xff, 0xff, 0x10, 0,
		7, 0,    0xff, 0xff, 0xff, 0xff, 32, 0, 4,    0,    0xff, 0xff, 0xff, 0xff,
	};
	static const uint8_t second[] = { 0, 0, 0, 2, 0, 0, 3, 0xe8, 0, 5, 0, 0 };
	static const uint8_t trivial[] = {
		2, 0, 0,    0,    1,    0,    7,  0, 0xff, 0xff, 0xff, 0xff, 4,    0,
		5, 0, 0xff, 0xff, 0xff, 0xff, 32, 0, 5,    0,    0xff, 0xff, 0xff, 0xff,
	};
	uint8_t stored[64] = { 0 };

	(void)state;
	assert_int_equal(xfs_acl_check(source, sizeof(source)), 0);
	assert_int_equal(xfs_acl_entries(sizeof(source)), 5);
	assert_false(xfs_acl_is_trivial(source, sizeof(source)));
	assert_int_equal(xfs_acl_bytes(5), 64);
	xfs_acl_convert(source, 5, stored);
	assert_int_equal(get32(stored, 0), 5);
	assert_memory_equal(stored + 16, second, sizeof(second));
	assert_true(xfs_acl_is_trivial(trivial, sizeof(trivial)));
	assert_int_equal(xfs_acl_check(trivial, sizeof(trivial) - 8), -EINVAL);
	assert_int_equal(xfs_acl_check(trivial, 3), -EINVAL);
}

static void put_acl_entry(uint8_t *value, uint32_t index, uint16_t tag, uint32_t id)
{
	le16 words[] = { to_le16(tag), to_le16(5) };
	le32 disk = to_le32(id);

	memcpy(value + 4 + index * 8, words, sizeof(words));
	memcpy(value + 8 + index * 8, &disk, sizeof(disk));
}

/* As many entries as XFS holds, users in no order. */
static void test_large_acl(void **state)
{
	static uint8_t value[4 + (XFS_ACL_MAX_ENTRIES + 1) * 8] = { 2 };
	const uint32_t users = XFS_ACL_MAX_ENTRIES - 4, all = sizeof(value) - 8;

	(void)state;
	put_acl_entry(value, 0, 0x01, UINT32_MAX);
	for (uint32_t i = 0; i < users; i++)
		put_acl_entry(value, 1 + i, 0x02, i * 7919 % users);
	put_acl_entry(value, users + 1, 0x04, UINT32_MAX);
	put_acl_entry(value, users + 2, 0x10, UINT32_MAX);
	put_acl_entry(value, users + 3, 0x20, UINT32_MAX);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(xfs_acl_check(value, all), 0);
	put_acl_entry(value, 4000, 0x02, 0);
	assert_int_equal(xfs_acl_check(value, all), -EINVAL);
	put_acl_entry(value, users + 1, 0x02, users);
	put_acl_entry(value, users + 2, 0x04, UINT32_MAX);
	put_acl_entry(value, users + 3, 0x10, UINT32_MAX);
	put_acl_entry(value, users + 4, 0x20, UINT32_MAX);
	assert_int_equal(xfs_acl_check(value, sizeof(value)), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_attr),
		cmocka_unit_test(test_attr_sizes),
		cmocka_unit_test(test_attr_names),
		cmocka_unit_test(test_attr_leaf),
		cmocka_unit_test(test_attr_last_leaf),
		cmocka_unit_test(test_attr_limit),
		cmocka_unit_test(test_acl),
		cmocka_unit_test(test_large_acl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
