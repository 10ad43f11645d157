/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend cannot store is left out and counted: the least that is enough. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/negotiation.h"

/* The group has r, a named group rwx, the mask rwx: stat says 0674. */
static const uint8_t acl[] = {
	2,    0, 0, 0,                         /* version */
	0x01, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, /* user: rw */
	0x04, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* group: r */
	0x08, 0, 7, 0, 0x05, 0,    0,    0,    /* group 5: rwx */
	0x10, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, /* mask: rwx */
	0x20, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* other: r */
};

static void acls_alone_are_dropped(void **state)
{
	struct negotiation *fixture = *state;
	const struct kataimg_node *file = negotiation_find(fixture, "etc/file");
	struct kataimg_xattr *xattrs = arena_array(&fixture->tree->arena, 2, sizeof(*xattrs));

	xattrs[0] = file->xattrs[0];
	xattrs[1] = (struct kataimg_xattr){ "system.posix_acl_access", acl, 23, sizeof(acl) };
	tree_node(file)->pub.mode = 04674;
	tree_set_xattrs(tree_node(file), xattrs, 2);
	fixture->backend.table.capabilities &= ~KATAIMG_CAP_ACLS;
	negotiation_assert_refused(
		fixture, "test cannot store POSIX ACLs: etc/file has system.posix_acl_access");
	negotiation_assert_dropped(fixture, 1);
	assert_int_equal(negotiation_find(fixture, "etc/file")->xattr_count, 1);
	assert_string_equal(negotiation_find(fixture, "etc/file")->xattrs[0].name,
			    "security.capability");
	assert_int_equal(negotiation_find(fixture, "etc/file")->mode, 04644);
}

static void nanoseconds_of_all_are_one_offence(void **state)
{
	struct negotiation *fixture = *state;
	const char *const paths[] = { ".", "etc", "etc/null" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		tree_node(negotiation_find(fixture, paths[i]))->pub.mtime_nsec = 5;
	fixture->backend.table.capabilities &= ~KATAIMG_CAP_NANOSECONDS;
	negotiation_assert_refused(fixture,
				   "test cannot store nanoseconds: . is one of 4 that have them");
	negotiation_assert_dropped(fixture, 4);
	assert_int_equal(negotiation_find(fixture, "etc/null")->mtime_nsec, 0);
}

static void the_backends_own_check_counts(void **state)
{
	struct negotiation *fixture = *state;

	fixture->check = KATAIMG_CHECK_NODE;
	negotiation_assert_refused(
		fixture, "test cannot store this: etc/file (regular files are not to my taste)");
	negotiation_assert_dropped(fixture, 1);
	assert_null(negotiation_find(fixture, "etc/file"));
	assert_null(negotiation_find(fixture, "second"));
}

/* etc is 3 bytes, etc/file 8; second, the same node, is not too long and goes, too. */
static void nodes_with_long_paths_are_dropped(void **state)
{
	struct negotiation *fixture = *state;

	fixture->limits = negotiation_no_limits();
	fixture->limits.path_bytes = 7;
	negotiation_assert_dropped(fixture, 5);
	assert_null(negotiation_find(fixture, "second"));
	assert_non_null(negotiation_find(fixture, "etc"));
}

static void times_are_cut_to_what_the_filesystem_has(void **state)
{
	static const struct {
		uint64_t granularity;
		int64_t sec, cut_sec;
		uint32_t nsec, cut_nsec;
	} cases[] = {
		{ 100, -7, -7, 199, 100 },
		{ 1000000000, -7, -7, 999999999, 0 },
		{ UINT64_C(2000000000), 7, 6, 1, 0 },
		{ UINT64_C(2000000000), -7, -8, 1, 0 },
		{ UINT64_C(86400000000000), 86399, 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct negotiation *fixture = *state;
		struct kataimg_node *file = &tree_node(negotiation_find(fixture, "etc/file"))->pub;

		file->mtime_sec = cases[i].sec;
		file->mtime_nsec = cases[i].nsec;
		fixture->limits = negotiation_no_limits();
		fixture->limits.mtime_granularity_nsec = cases[i].granularity;
		negotiation_assert_dropped(fixture, 1);
		assert_int_equal(file->mtime_sec, cases[i].cut_sec);
		assert_int_equal(file->mtime_nsec, cases[i].cut_nsec);
	}
}

/* Whatever the check says of a file, it says until there is nothing left to say it of. */
static void drop_until_nothing_is_refused(struct negotiation *fixture, unsigned int rounds)
{
	uint64_t dropped;

	for (unsigned int i = 0; i < rounds; i++) {
		assert_non_null(negotiation_find(fixture, "etc/file"));
		assert_int_equal(negotiation_run(fixture, true, &dropped), 0);
		assert_int_equal(dropped, 1);
		assert_int_equal(tree_drop_marked(fixture->tree, &fixture->error), 0);
	}
	assert_int_equal(negotiation_run(fixture, true, &dropped), 0);
	assert_int_equal(dropped, 0);
	assert_null(negotiation_find(fixture, "etc/file"));
}

static void owner_and_mode_are_dropped_before_the_file(void **state)
{
	struct negotiation *fixture = *state;
	struct kataimg_node *file = &tree_node(negotiation_find(fixture, "etc/file"))->pub;
	uint64_t dropped;

	file->mode = 04711;
	file->uid = 5;
	fixture->check = KATAIMG_CHECK_MODE;
	negotiation_assert_refused(
		fixture,
		"test cannot store this mode: etc/file (regular files are not to my taste)");
	assert_int_equal(negotiation_run(fixture, true, &dropped), 0);
	assert_int_equal(tree_drop_marked(fixture->tree, &fixture->error), 0);
	assert_int_equal(file->mode, 0711);
	assert_int_equal(negotiation_run(fixture, true, &dropped), 0);
	assert_int_equal(tree_drop_marked(fixture->tree, &fixture->error), 0);
	assert_int_equal(file->mode, 0755);
	fixture->check = KATAIMG_CHECK_OWNER;
	negotiation_assert_refused(fixture, "test cannot store this owner: etc/file (");
	assert_int_equal(negotiation_run(fixture, true, &dropped), 0);
	assert_int_equal(tree_drop_marked(fixture->tree, &fixture->error), 0);
	assert_int_equal(file->uid, 0);
	drop_until_nothing_is_refused(fixture, 1);
}

static void attributes_that_are_gone_are_no_way_out(void **state)
{
	struct negotiation *fixture = *state;

	fixture->check = KATAIMG_CHECK_XATTRS;
	drop_until_nothing_is_refused(fixture, 2);
}

static void attributes_are_dropped_before_the_file(void **state)
{
	struct negotiation *fixture = *state;

	fixture->limits = negotiation_no_limits();
	fixture->limits.xattr_value_bytes = 3;
	negotiation_assert_dropped(fixture, 1);
	assert_non_null(negotiation_find(fixture, "etc/file"));
	assert_int_equal(negotiation_find(fixture, "etc/file")->xattr_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NEGOTIATION_TEST(acls_alone_are_dropped),
		NEGOTIATION_TEST(nanoseconds_of_all_are_one_offence),
		NEGOTIATION_TEST(the_backends_own_check_counts),
		NEGOTIATION_TEST(nodes_with_long_paths_are_dropped),
		NEGOTIATION_TEST(times_are_cut_to_what_the_filesystem_has),
		NEGOTIATION_TEST(owner_and_mode_are_dropped_before_the_file),
		NEGOTIATION_TEST(attributes_that_are_gone_are_no_way_out),
		NEGOTIATION_TEST(attributes_are_dropped_before_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
