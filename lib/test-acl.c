/* SPDX-License-Identifier: Apache-2.0 */
/* Which ACLs are valid: those that setxattr(2) takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/acl.h"

#define ENTRIES_MAX 8u

struct plain_entry {
	uint16_t tag, perm;
	uint32_t id;
};

/* Ends at a tag of 0, or where it is full. */
struct plain_acl {
	struct plain_entry entries[ENTRIES_MAX];
};

static size_t pack(uint8_t *to, const struct plain_acl *acl)
{
	le32 version = to_le32(2);
	size_t len = sizeof(version);

	memcpy(to, &version, sizeof(version));
	for (size_t i = 0; i < ENTRIES_MAX && acl->entries[i].tag; i++) {
		const struct acl_entry entry = {
			.tag = to_le16(acl->entries[i].tag),
			.perm = to_le16(acl->entries[i].perm),
			.id = to_le32(acl->entries[i].id),
		};

		memcpy(to + len, &entry, sizeof(entry));
		len += sizeof(entry);
	}
	return len;
}

static bool is_valid(const struct plain_acl *acl)
{
	uint8_t value[sizeof(le32) + ENTRIES_MAX * sizeof(struct acl_entry)];

	return acl_is_valid(value, pack(value, acl));
}

#define OWNER ACL_USER_OBJ, 7, -1u
#define OWNERS ACL_GROUP_OBJ, 5, -1u
#define OTHERS ACL_OTHER, 0, -1u

static void test_valid(void **state)
{
	static const struct plain_acl cases[] = {
		{ { { OWNER }, { OWNERS }, { OTHERS } } },
		{ { { ACL_USER_OBJ, 7, 0 },
		    { ACL_GROUP_OBJ, 5, 0 },
		    { ACL_MASK, 5, 0 },
		    { ACL_OTHER, 0, 0 } } },
		{ { { ACL_USER_OBJ, 7, 0 },
		    { ACL_USER, 7, 0 },
		    { ACL_USER, 7, 0xfffffffe },
		    { ACL_GROUP_OBJ, 5, 0 },
		    { ACL_GROUP, 5, 70000 },
		    { ACL_GROUP, 5, 50 },
		    { ACL_MASK, 5, 0 },
		    { ACL_OTHER, 0, 0 } } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_true(is_valid(&cases[i]));
}

static void test_wrong_entries(void **state)
{
	static const struct plain_acl cases[] = {
		{ { { 0, 0, 0 } } },
		{ { { ACL_USER_OBJ, 7, 0 } } },
		{ { { ACL_USER_OBJ, 7, 0 }, { ACL_GROUP_OBJ, 5, 0 } } },
		{ { { ACL_USER_OBJ, 7, 0 }, { ACL_OTHER, 5, 0 } } },
		{ { { ACL_GROUP_OBJ, 7, 0 }, { ACL_OTHER, 5, 0 } } },
		/* twice, and behind the end */
		{ { { OWNER }, { OWNERS }, { OTHERS }, { ACL_OTHER, 0, 0 } } },
		{ { { ACL_USER_OBJ, 7, 0 }, { OWNER }, { OWNERS }, { OTHERS } } },
		{ { { OWNER }, { OWNERS }, { OTHERS }, { ACL_USER_OBJ, 0, 0 } } },
		{ { { OWNER }, { OWNERS }, { OTHERS }, { ACL_MASK, 0, 0 } } },
		/* out of order */
		{ { { ACL_GROUP_OBJ, 7, 0 }, { ACL_USER_OBJ, 7, 0 }, { ACL_OTHER, 5, 0 } } },
		{ { { ACL_USER_OBJ, 7, 0 },
		    { ACL_GROUP_OBJ, 5, 0 },
		    { ACL_USER, 7, 1 },
		    { ACL_MASK, 5, 0 },
		    { ACL_OTHER, 0, 0 } } },
		/* names without a mask */
		{ { { ACL_USER_OBJ, 7, 0 },
		    { ACL_USER, 7, 1 },
		    { ACL_GROUP_OBJ, 5, 0 },
		    { ACL_OTHER, 0, 0 } } },
		/* no such tag, permission, user */
		{ { { OWNER }, { OWNERS }, { OTHERS }, { 0x40, 0, 0 } } },
		{ { { ACL_USER_OBJ, 7, 0 },
		    { ACL_GROUP_OBJ, 5, 0 },
		    { ACL_MASK | ACL_GROUP, 5, 0 },
		    { ACL_OTHER, 0, 0 } } },
		{ { { ACL_USER_OBJ, 8, 0 }, { ACL_GROUP_OBJ, 5, 0 }, { ACL_OTHER, 0, 0 } } },
		{ { { ACL_USER_OBJ, 7, 0 },
		    { ACL_USER, 7, -1u },
		    { ACL_GROUP_OBJ, 5, 0 },
		    { ACL_MASK, 5, 0 },
		    { ACL_OTHER, 0, 0 } } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (is_valid(&cases[i]))
			fail_msg("case %zu is taken for valid", i);
}

static void test_wrong_frame(void **state)
{
	static const struct plain_acl acl = { { { OWNER }, { OWNERS }, { OTHERS } } };
	uint8_t value[sizeof(le32) + ENTRIES_MAX * sizeof(struct acl_entry)];
	size_t len = pack(value, &acl);

	(void)state;
	assert_true(acl_is_valid(value, len));
	assert_false(acl_is_valid(value, len - 1));
	assert_false(acl_is_valid(value, 3));
	assert_false(acl_is_valid(NULL, 0));
	value[0] = 1;
	assert_false(acl_is_valid(value, len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_wrong_entries),
		cmocka_unit_test(test_wrong_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
