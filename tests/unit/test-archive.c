/* SPDX-License-Identifier: Apache-2.0 */
/* Archives that are odd: what tree they give. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/tarfile.h"

static void what_is_not_described_is_implied(void **state)
{
	struct tarfile *fixture = *state;
	const struct kataimg_node *root, *dir;

	tarfile_member(fixture, '0', "a/b", "text");
	tarfile_end(fixture);
	tarfile_accept(fixture);
	root = tree_public(fixture->tree)->nodes[0];
	dir = tarfile_get(fixture, "a");
	assert_int_equal(root->mode, 0755);
	assert_int_equal(root->uid | root->gid, 0);
	assert_int_equal(root->mtime_sec, 1000);
	assert_int_equal(dir->mode, 0755);
	assert_int_equal(dir->mtime_sec, 1000);
	assert_int_equal(tarfile_get(fixture, "a/b")->uid, 5);
	assert_int_equal(tarfile_get(fixture, "a/b")->gid, 6);
	tarfile_expect(fixture, "a/b", "text");
}

/* Of a cpio 32 bits without a sign, which a libarchive may give as a time_t that has one. */
static void a_cpio_has_times_until_2106(void **state)
{
	struct tarfile *fixture = *state;
	char text[256];
	int len = sprintf(text, "070701%08x%08x%08x%08x%08x%08x", 1, 0100644, 5, 6, 1, 0xf0000000u);

	len += sprintf(text + len, "%040x%08x%08xf%c", 0, 2, 0, 0);
	len += sprintf(text + len, "070701%088x%08x%08xTRAILER!!!%c%c%c%c", 0, 11, 0, 0, 0, 0, 0);
	tarfile_append(fixture, text, (size_t)len);
	tarfile_accept(fixture);
	assert_int_equal(tarfile_get(fixture, "f")->mtime_sec, 0xf0000000u);
}

static void a_later_entry_replaces_an_earlier_one(void **state)
{
	struct tarfile *fixture = *state;

	tarfile_member(fixture, '0', "x", "first");
	tarfile_header(fixture, '1', "linked", "x", 0);
	tarfile_member(fixture, '0', "x", "second");
	tarfile_member(fixture, '0', "empty", "");
	tarfile_header(fixture, '5', "empty", "", 0);
	tarfile_header(fixture, '5', "dir", "", 0);
	tarfile_member(fixture, '0', "dir/file", "stays");
	tarfile_header(fixture, '5', "dir/", "", 0);
	tarfile_end(fixture);
	tarfile_accept(fixture);
	tarfile_expect(fixture, "x", "second");
	tarfile_expect(fixture, "linked", "first");
	tarfile_expect(fixture, "dir/file", "stays");
	assert_int_equal(tarfile_get(fixture, "empty")->type, KATAIMG_DIR);
	assert_int_equal(tarfile_get(fixture, "linked")->nlink, 1);
}

static void absolute_names_lose_their_slash(void **state)
{
	struct tarfile *fixture = *state;

	tarfile_member(fixture, '0', "//etc/passwd", "mine");
	tarfile_end(fixture);
	tarfile_accept(fixture);
	tarfile_expect(fixture, "etc/passwd", "mine");
}

static void a_name_of_any_bytes_is_kept(void **state)
{
	static const char name[] = "\xff\xc3(\x01\ne\xcc\x81";
	struct tarfile *fixture = *state;

	tarfile_pax(fixture, "path", name);
	tarfile_member(fixture, '0', "short", "1");
	tarfile_member(fixture, '0', "\xe9\xff", "2");
	tarfile_pax(fixture, "linkpath", "\xc3\xa9\xff");
	tarfile_header(fixture, '2', "link", "short", 0);
	tarfile_end(fixture);
	tarfile_accept(fixture);
	tarfile_expect(fixture, name, "1");
	tarfile_expect(fixture, "\xe9\xff", "2");
	assert_string_equal(tarfile_get(fixture, "link")->target, "\xc3\xa9\xff");
	assert_int_equal(tarfile_get(fixture, "link")->mode, 0777);
}

static void attributes_come_from_pax(void **state)
{
	static const uint8_t acl[] = { 2,    0,    0,    0,    1,    0,    6,    0,    0xff,
				       0xff, 0xff, 0xff, 2,    0,    4,    0,    7,    0,
				       0,    0,    2,    0,    7,    0,    0xe8, 3,    0,
				       0,    4,    0,    0,    0,    0xff, 0xff, 0xff, 0xff,
				       16,   0,    5,    0,    0xff, 0xff, 0xff, 0xff, 32,
				       0,    0,    0,    0xff, 0xff, 0xff, 0xff };
	struct tarfile *fixture = *state;
	const struct kataimg_node *node;

	tarfile_pax(fixture, "SCHILY.acl.access",
		    "user::rw-,user:1000:rwx,user:7:r--,group::---,mask::r-x,other::---");
	tarfile_member(fixture, '0', "file", "");
	tarfile_pax(fixture, "mtime", "-1.25");
	tarfile_member(fixture, '0', "old", "");
	tarfile_pax(fixture, "mtime", "-0.25");
	tarfile_member(fixture, '0', "half", "");
	tarfile_pax(fixture, "mtime", "0.25");
	tarfile_member(fixture, '0', "young", "");
	tarfile_pax(fixture, "mtime", "-9223372036854775808");
	tarfile_member(fixture, '0', "first", "");
	tarfile_pax(fixture, "mtime", "-9223372036854775807.75");
	tarfile_member(fixture, '0', "second", "");
	tarfile_pax(fixture, "LIBARCHIVE.xattr.user.n%25", "AAH/");
	tarfile_member(fixture, '0', "encoded", "");
	tarfile_end(fixture);
	tarfile_accept(fixture);
	node = tarfile_get(fixture, "file");
	assert_int_equal(node->xattr_count, 1);
	assert_string_equal(node->xattrs[0].name, "system.posix_acl_access");
	assert_int_equal(node->xattrs[0].value_len, sizeof(acl));
	assert_memory_equal(node->xattrs[0].value, acl, sizeof(acl));
	assert_int_equal(node->mode, 0650);
	assert_int_equal(tarfile_get(fixture, "old")->mtime_sec, -2);
	assert_int_equal(tarfile_get(fixture, "old")->mtime_nsec, 750000000);
	assert_int_equal(tarfile_get(fixture, "half")->mtime_sec, -1);
	assert_int_equal(tarfile_get(fixture, "half")->mtime_nsec, 750000000);
	assert_int_equal(tarfile_get(fixture, "young")->mtime_sec, 0);
	assert_int_equal(tarfile_get(fixture, "young")->mtime_nsec, 250000000);
	assert_true(tarfile_get(fixture, "first")->mtime_sec == INT64_MIN);
	assert_true(tarfile_get(fixture, "second")->mtime_sec == INT64_MIN);
	assert_int_equal(tarfile_get(fixture, "second")->mtime_nsec, 250000000);
	node = tarfile_get(fixture, "encoded");
	assert_string_equal(node->xattrs[0].name, "user.n%");
	assert_int_equal(node->xattrs[0].value_len, 3);
	assert_memory_equal(node->xattrs[0].value, "\0\1\xff", 3);
}

static void holes_are_kept(void **state)
{
	struct tarfile *fixture = *state;
	const struct kataimg_node *node;
	char text[256], content[8];

	tarfile_record(tarfile_record(text, "GNU.sparse.map", "8192,4,20480,0"), "GNU.sparse.size",
		       "20480");
	tarfile_member(fixture, 'x', "pax", text);
	tarfile_member(fixture, '0', "file", "data");
	tarfile_end(fixture);
	tarfile_accept(fixture);
	node = tarfile_get(fixture, "file");
	assert_int_equal(node->size, 20480);
	assert_int_equal(node->segment_count, 1);
	assert_int_equal(node->segments[0].file_off, 8192);
	assert_int_equal(node->segments[0].len, 4096);
	assert_int_equal(tree_read(fixture->tree, node, 8190, content, 8, &fixture->error), 0);
	assert_memory_equal(content, "\0\0data\0\0", 8);
}

static void an_archive_that_changes_is_noticed(void **state)
{
	struct tarfile *fixture = *state;
	char byte;

	tarfile_member(fixture, '0', "file", "data");
	tarfile_end(fixture);
	tarfile_accept(fixture);
	tarfile_expect(fixture, "file", "data");
	tarfile_end(fixture);
	assert_int_equal(tree_read(fixture->tree, tarfile_get(fixture, "file"), 0, &byte, 1,
				   &fixture->error),
			 -ESTALE);
	assert_string_equal(fixture->error.message,
			    "the source's archive with file grew while it was read: do it "
			    "again with a source at rest");
}

static void a_name_of_its_own_is_no_harm(void **state)
{
	struct tarfile *fixture = *state;

	tarfile_member(fixture, '0', "x", "1");
	tarfile_header(fixture, '1', "./x", "x", 0);
	tarfile_end(fixture);
	tarfile_accept(fixture);
	assert_int_equal(tarfile_get(fixture, "x")->nlink, 1);
}

#define ENTRIES 200000

static void many_entries_take_linear_time(void **state)
{
	struct tarfile *fixture = *state;
	char name[32];

	for (int i = 0; i < ENTRIES; i++) {
		snprintf(name, sizeof(name), "d/%d", i);
		tarfile_header(fixture, '0', name, "", 0);
	}
	tarfile_end(fixture);
	tarfile_accept(fixture);
	assert_int_equal(tarfile_get(fixture, "d")->entry_count, ENTRIES);
}

#define LEVELS 10000

/* Each hundredth level has an entry: a path of 20,000 bytes in every one would be slow to write. */
static void ten_thousand_levels(void **state)
{
	struct tarfile *fixture = *state;
	char *path = calloc(1, 2 * LEVELS + 512);

	for (size_t level = 100; level <= LEVELS; level += 100) {
		for (size_t i = level - 100; i < level; i++)
			memcpy(path + 2 * i, "a/", 2);
		tarfile_header(fixture, 'L', "././@LongLink", "", 2 * level);
		tarfile_append(fixture, path, (2 * level + 511) / 512 * 512);
		tarfile_header(fixture, '5', "a/", "", 0);
	}
	free(path);
	tarfile_end(fixture);
	tarfile_accept(fixture);
	assert_int_equal(tree_public(fixture->tree)->node_count, LEVELS + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TARFILE_TEST(what_is_not_described_is_implied),
		TARFILE_TEST(a_cpio_has_times_until_2106),
		TARFILE_TEST(a_later_entry_replaces_an_earlier_one),
		TARFILE_TEST(absolute_names_lose_their_slash),
		TARFILE_TEST(a_name_of_any_bytes_is_kept),
		TARFILE_TEST(attributes_come_from_pax),
		TARFILE_TEST(holes_are_kept),
		TARFILE_TEST(a_name_of_its_own_is_no_harm),
		TARFILE_TEST(an_archive_that_changes_is_noticed),
		TARFILE_TEST(many_entries_take_linear_time),
		TARFILE_TEST(ten_thousand_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
