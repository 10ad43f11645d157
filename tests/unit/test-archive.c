/* SPDX-License-Identifier: Apache-2.0 */
/* Archives that are odd, broken or meant to do harm: made byte by byte. */
#include "core/archive/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/log.h"
#include "core/tree/find.h"

/* One archive in a file, and the tree that it gives. */
struct fixture {
	char path[64];
	int fd;
	struct tree *tree;
	struct error error;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	log_set_level(LOG_ERROR);
	strcpy(fixture->path, "/tmp/kataimg-archive-XXXXXX");
	fixture->fd = mkstemp(fixture->path);
	*state = fixture;
	return fixture->fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	close(fixture->fd);
	unlink(fixture->path);
	tree_free(fixture->tree);
	error_clear(&fixture->error);
	free(fixture);
	return 0;
}

static void append(struct fixture *fixture, const void *bytes, size_t len)
{
	assert_int_equal(write(fixture->fd, bytes, len), len);
}

/* A ustar header. */
static void header(struct fixture *fixture, char type, const char *name, const char *target,
		   unsigned long long size)
{
	char block[512] = { 0 };
	unsigned int sum = 0;

	strncpy(block, name, 100);
	strcpy(block + 100, "0000644");
	strcpy(block + 108, "0000005");
	strcpy(block + 116, "0000006");
	snprintf(block + 124, 12, "%011llo", size & 077777777777);
	strcpy(block + 136, "00000001750");
	memset(block + 148, ' ', 8);
	block[156] = type;
	strncpy(block + 157, target, 100);
	memcpy(block + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(block); i++)
		sum += (unsigned char)block[i];
	snprintf(block + 148, 8, "%06o", sum);
	append(fixture, block, sizeof(block));
}

static void member(struct fixture *fixture, char type, const char *name, const char *content)
{
	static const char zeros[512];
	size_t len = strlen(content);

	header(fixture, type, name, "", len);
	append(fixture, content, len);
	append(fixture, zeros, (512 - len % 512) % 512);
}

/* The record "LENGTH KEY=VALUE" of a pax header; its length counts itself. Returns its end. */
static char *record(char *at, const char *key, const char *value)
{
	int len = 0;

	for (int digits = 1; len == 0 || snprintf(NULL, 0, "%d", len) != digits - 1; digits++)
		len = digits + snprintf(NULL, 0, " %s=%s\n", key, value);
	return at + sprintf(at, "%d %s=%s\n", len, key, value);
}

/* A pax header of one record in front of the next member. */
static void pax(struct fixture *fixture, const char *key, const char *value)
{
	char text[4096];

	record(text, key, value);
	member(fixture, 'x', "pax", text);
}

static void end(struct fixture *fixture)
{
	static const char zeros[1024];

	append(fixture, zeros, sizeof(zeros));
}

static int open_scratch(void *arg)
{
	(void)arg;
	return open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static int read_archive(struct fixture *fixture)
{
	const struct tree_options options = { .scratch = { open_scratch, NULL } };

	return archive_read_tree(fixture->path, &options, &fixture->tree, &fixture->error);
}

static void accept(struct fixture *fixture)
{
	if (read_archive(fixture) < 0)
		fail_msg("%s", fixture->error.message);
}

/* The message without the archive's name in front. */
static void refuse(struct fixture *fixture, const char *message)
{
	size_t label = strlen(fixture->path) + 2;

	assert_true(read_archive(fixture) < 0);
	assert_true(strlen(fixture->error.message) > label);
	assert_string_equal(fixture->error.message + label, message);
}

static const struct kataimg_node *get(const struct fixture *fixture, const char *path)
{
	int code;

	return tree_resolve_link(fixture->tree, path, &code);
}

static void expect_content(struct fixture *fixture, const char *path, const char *content)
{
	const struct kataimg_node *node = get(fixture, path);
	char buffer[64] = { 0 };

	assert_non_null(node);
	assert_int_equal(node->size, strlen(content));
	assert_int_equal(
		tree_read(fixture->tree, node, 0, buffer, strlen(content), &fixture->error), 0);
	assert_string_equal(buffer, content);
}

static void what_is_not_described_is_implied(void **state)
{
	struct fixture *fixture = *state;
	const struct kataimg_node *root, *dir;

	member(fixture, '0', "a/b", "text");
	end(fixture);
	accept(fixture);
	root = tree_public(fixture->tree)->nodes[0];
	dir = get(fixture, "a");
	assert_int_equal(root->mode, 0755);
	assert_int_equal(root->uid | root->gid, 0);
	assert_int_equal(root->mtime_sec, 1000);
	assert_int_equal(dir->mode, 0755);
	assert_int_equal(dir->mtime_sec, 1000);
	assert_int_equal(get(fixture, "a/b")->uid, 5);
	assert_int_equal(get(fixture, "a/b")->gid, 6);
	expect_content(fixture, "a/b", "text");
}

/* Of a cpio 32 bits without a sign, which a libarchive may give as a time_t that has one. */
static void a_cpio_has_times_until_2106(void **state)
{
	struct fixture *fixture = *state;
	char text[256];
	int len = sprintf(text, "070701%08x%08x%08x%08x%08x%08x", 1, 0100644, 5, 6, 1, 0xf0000000u);

	len += sprintf(text + len, "%040x%08x%08xf%c", 0, 2, 0, 0);
	len += sprintf(text + len, "070701%088x%08x%08xTRAILER!!!%c%c%c%c", 0, 11, 0, 0, 0, 0, 0);
	append(fixture, text, (size_t)len);
	accept(fixture);
	assert_int_equal(get(fixture, "f")->mtime_sec, 0xf0000000u);
}

static void a_later_entry_replaces_an_earlier_one(void **state)
{
	struct fixture *fixture = *state;

	member(fixture, '0', "x", "first");
	header(fixture, '1', "linked", "x", 0);
	member(fixture, '0', "x", "second");
	member(fixture, '0', "empty", "");
	header(fixture, '5', "empty", "", 0);
	header(fixture, '5', "dir", "", 0);
	member(fixture, '0', "dir/file", "stays");
	header(fixture, '5', "dir/", "", 0);
	end(fixture);
	accept(fixture);
	expect_content(fixture, "x", "second");
	expect_content(fixture, "linked", "first");
	expect_content(fixture, "dir/file", "stays");
	assert_int_equal(get(fixture, "empty")->type, KATAIMG_DIR);
	assert_int_equal(get(fixture, "linked")->nlink, 1);
}

static void absolute_names_lose_their_slash(void **state)
{
	struct fixture *fixture = *state;

	member(fixture, '0', "//etc/passwd", "mine");
	end(fixture);
	accept(fixture);
	expect_content(fixture, "etc/passwd", "mine");
}

static void a_name_of_any_bytes_is_kept(void **state)
{
	static const char name[] = "\xff\xc3(\x01\ne\xcc\x81";
	struct fixture *fixture = *state;

	pax(fixture, "path", name);
	member(fixture, '0', "short", "1");
	member(fixture, '0', "\xe9\xff", "2");
	pax(fixture, "linkpath", "\xc3\xa9\xff");
	header(fixture, '2', "link", "short", 0);
	end(fixture);
	accept(fixture);
	expect_content(fixture, name, "1");
	expect_content(fixture, "\xe9\xff", "2");
	assert_string_equal(get(fixture, "link")->target, "\xc3\xa9\xff");
	assert_int_equal(get(fixture, "link")->mode, 0777);
}

static void attributes_come_from_pax(void **state)
{
	static const uint8_t acl[] = { 2,    0,    0,    0,    1,    0,    6,    0,    0xff,
				       0xff, 0xff, 0xff, 2,    0,    4,    0,    7,    0,
				       0,    0,    2,    0,    7,    0,    0xe8, 3,    0,
				       0,    4,    0,    0,    0,    0xff, 0xff, 0xff, 0xff,
				       16,   0,    5,    0,    0xff, 0xff, 0xff, 0xff, 32,
				       0,    0,    0,    0xff, 0xff, 0xff, 0xff };
	struct fixture *fixture = *state;
	const struct kataimg_node *node;

	pax(fixture, "SCHILY.acl.access",
	    "user::rw-,user:1000:rwx,user:7:r--,group::---,mask::r-x,other::---");
	member(fixture, '0', "file", "");
	pax(fixture, "mtime", "-1.25");
	member(fixture, '0', "old", "");
	pax(fixture, "mtime", "-0.25");
	member(fixture, '0', "half", "");
	pax(fixture, "mtime", "0.25");
	member(fixture, '0', "young", "");
	pax(fixture, "mtime", "-9223372036854775808");
	member(fixture, '0', "first", "");
	pax(fixture, "mtime", "-9223372036854775807.75");
	member(fixture, '0', "second", "");
	pax(fixture, "LIBARCHIVE.xattr.user.n%25", "AAH/");
	member(fixture, '0', "encoded", "");
	end(fixture);
	accept(fixture);
	node = get(fixture, "file");
	assert_int_equal(node->xattr_count, 1);
	assert_string_equal(node->xattrs[0].name, "system.posix_acl_access");
	assert_int_equal(node->xattrs[0].value_len, sizeof(acl));
	assert_memory_equal(node->xattrs[0].value, acl, sizeof(acl));
	assert_int_equal(node->mode, 0650);
	assert_int_equal(get(fixture, "old")->mtime_sec, -2);
	assert_int_equal(get(fixture, "old")->mtime_nsec, 750000000);
	assert_int_equal(get(fixture, "half")->mtime_sec, -1);
	assert_int_equal(get(fixture, "half")->mtime_nsec, 750000000);
	assert_int_equal(get(fixture, "young")->mtime_sec, 0);
	assert_int_equal(get(fixture, "young")->mtime_nsec, 250000000);
	assert_true(get(fixture, "first")->mtime_sec == INT64_MIN);
	assert_true(get(fixture, "second")->mtime_sec == INT64_MIN);
	assert_int_equal(get(fixture, "second")->mtime_nsec, 250000000);
	node = get(fixture, "encoded");
	assert_string_equal(node->xattrs[0].name, "user.n%");
	assert_int_equal(node->xattrs[0].value_len, 3);
	assert_memory_equal(node->xattrs[0].value, "\0\1\xff", 3);
}

static void holes_are_kept(void **state)
{
	struct fixture *fixture = *state;
	const struct kataimg_node *node;
	char text[256], content[8];

	record(record(text, "GNU.sparse.map", "8192,4,20480,0"), "GNU.sparse.size", "20480");
	member(fixture, 'x', "pax", text);
	member(fixture, '0', "file", "data");
	end(fixture);
	accept(fixture);
	node = get(fixture, "file");
	assert_int_equal(node->size, 20480);
	assert_int_equal(node->segment_count, 1);
	assert_int_equal(node->segments[0].file_off, 8192);
	assert_int_equal(node->segments[0].len, 4096);
	assert_int_equal(tree_read(fixture->tree, node, 8190, content, 8, &fixture->error), 0);
	assert_memory_equal(content, "\0\0data\0\0", 8);
}

static void a_map_that_does_not_fit_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char text[256];

	record(record(text, "GNU.sparse.map", "0,4096"), "GNU.sparse.size", "4096");
	member(fixture, 'x', "pax", text);
	member(fixture, '0', "file", "data");
	member(fixture, '0', "next", "");
	for (int i = 0; i < 4; i++)
		end(fixture);
	refuse(fixture, "file: at byte 1024: the map of its holes does not fit its data: the "
			"archive is damaged");
}

static void an_archive_that_changes_is_noticed(void **state)
{
	struct fixture *fixture = *state;
	char byte;

	member(fixture, '0', "file", "data");
	end(fixture);
	accept(fixture);
	expect_content(fixture, "file", "data");
	end(fixture);
	assert_int_equal(
		tree_read(fixture->tree, get(fixture, "file"), 0, &byte, 1, &fixture->error),
		-ESTALE);
	assert_string_equal(fixture->error.message,
			    "the source's archive with file grew while it was read: do it "
			    "again with a source at rest");
}

#define REFUSES(name, message, ...)               \
	static void name(void **state)            \
	{                                         \
		struct fixture *fixture = *state; \
                                                  \
		__VA_ARGS__;                      \
		refuse(fixture, message);         \
	}

REFUSES(dots_lead_out, "a/../../x: its path has a \"..\"", member(fixture, '0', "a/../../x", "1");
	end(fixture))

REFUSES(a_way_through_a_link, "link/x: link on its way is a symbolic link",
	header(fixture, '2', "link", "/etc", 0);
	member(fixture, '0', "link/x", "1"); end(fixture))

REFUSES(a_way_through_a_file, "file/x: file on its way is not a directory",
	member(fixture, '0', "file", "1");
	member(fixture, '0', "file/x", "1"); end(fixture))

REFUSES(a_file_over_a_directory, "d: it would replace a directory that is not empty",
	member(fixture, '0', "d/x", "1");
	member(fixture, '0', "d", "1"); end(fixture))

REFUSES(a_root_that_is_a_file, "./: the root can only be a directory",
	header(fixture, '2', "./", "x", 0);
	end(fixture))

REFUSES(a_hard_link_to_nothing, "a: a hard link to b, which is not there",
	header(fixture, '1', "a", "b", 0);
	end(fixture))

REFUSES(a_hard_link_without_a_target, "a: a hard link to an empty name",
	header(fixture, '1', "a", "", 0);
	end(fixture))

REFUSES(a_hard_link_below_nothing, "a: hard link to b/c: there is no directory b",
	header(fixture, '1', "a", "b/c", 0);
	end(fixture))

REFUSES(a_hard_link_to_a_directory, "a: a hard link to d, which is a directory",
	header(fixture, '5', "d", "", 0);
	header(fixture, '1', "a", "d", 0); end(fixture))

REFUSES(a_hard_link_out, "a: hard link to ../x: its path has a \"..\"",
	header(fixture, '1', "a", "../x", 0);
	end(fixture))

REFUSES(a_link_without_a_target, "l: a symbolic link without a target",
	header(fixture, '2', "l", "", 0);
	end(fixture))

REFUSES(an_acl_of_names,
	"f: its ACL names fritz, and names are not looked up: make the archive with "
	"--numeric-owner",
	pax(fixture, "SCHILY.acl.access",
	    "user::rw-,user:fritz:rwx,group::---,mask::r-x,other::---");
	member(fixture, '0', "f", ""); end(fixture))

REFUSES(an_id_that_means_none, "f: its gid is 4294967295: ids are 0 to 4294967294",
	pax(fixture, "gid", "4294967295");
	member(fixture, '0', "f", "1"); end(fixture))

REFUSES(a_large_id, "f: its uid is 4294967296: ids are 0 to 4294967294",
	pax(fixture, "uid", "4294967296");
	member(fixture, '0', "f", ""); end(fixture))

REFUSES(a_large_device, "f: the device 4294967296:0 is beyond 32 bits",
	pax(fixture, "SCHILY.devmajor", "4294967296");
	header(fixture, '3', "f", "", 0); end(fixture))

REFUSES(data_that_is_cut_off,
	"f: at byte 0: the archive ends before the file's data: it is cut off or damaged",
	header(fixture, '0', "f", "", 5000);
	append(fixture, "short", 5))

REFUSES(an_absurd_size,
	"f: at byte 1024: the archive ends before the file's data: it is cut off or damaged",
	pax(fixture, "size", "4611686018427387904");
	header(fixture, '0', "f", "", 0); end(fixture))

REFUSES(a_last_block_that_is_cut_off,
	"f: at byte 515: the archive ends within a block of 512 bytes: it is cut off",
	header(fixture, '0', "f", "", 3);
	append(fixture, "all", 3))

REFUSES(an_extended_header_that_is_cut_off,
	"behind f: at byte 1540: the archive ends within a block of 512 bytes: it is cut off",
	member(fixture, '0', "f", "1");
	header(fixture, 'L', "l", "", 4); append(fixture, "name", 4))

REFUSES(a_header_that_is_cut_off,
	"behind f: at byte 1024: the archive ends here: it is cut off or damaged",
	member(fixture, '0', "f", "1");
	append(fixture, "half a header", 13))

REFUSES(a_damaged_header,
	"behind f: at byte 1024: no member begins where one should: the archive is damaged",
	member(fixture, '0', "f", "1");
	for (int i = 0; i < 64; i++) append(fixture, "rubbish!", 8))

REFUSES(malformed_records,
	"at byte 512: a record of its pax header cannot be read: the archive is damaged",
	member(fixture, 'x', "pax", "xx path=y\n");
	member(fixture, '0', "f", "1"); end(fixture))

REFUSES(a_file_that_is_no_archive,
	"neither tar nor cpio, plain or compressed by gzip, bzip2, xz or zstd",
	append(fixture, "just some text, and no archive at all\n", 38))

REFUSES(an_empty_file, "an empty file is no archive", (void)fixture)

static void a_name_of_its_own_is_no_harm(void **state)
{
	struct fixture *fixture = *state;

	member(fixture, '0', "x", "1");
	header(fixture, '1', "./x", "x", 0);
	end(fixture);
	accept(fixture);
	assert_int_equal(get(fixture, "x")->nlink, 1);
}

#define ENTRIES 200000

static void many_entries_take_linear_time(void **state)
{
	struct fixture *fixture = *state;
	char name[32];

	for (int i = 0; i < ENTRIES; i++) {
		snprintf(name, sizeof(name), "d/%d", i);
		header(fixture, '0', name, "", 0);
	}
	end(fixture);
	accept(fixture);
	assert_int_equal(get(fixture, "d")->entry_count, ENTRIES);
}

#define LEVELS 10000

/* Each hundredth level has an entry: a path of 20,000 bytes in every one would be slow to write. */
static void ten_thousand_levels(void **state)
{
	struct fixture *fixture = *state;
	char *path = calloc(1, 2 * LEVELS + 512);

	for (size_t level = 100; level <= LEVELS; level += 100) {
		for (size_t i = level - 100; i < level; i++)
			memcpy(path + 2 * i, "a/", 2);
		header(fixture, 'L', "././@LongLink", "", 2 * level);
		append(fixture, path, (2 * level + 511) / 512 * 512);
		header(fixture, '5', "a/", "", 0);
	}
	free(path);
	end(fixture);
	accept(fixture);
	assert_int_equal(tree_public(fixture->tree)->node_count, LEVELS + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_not_described_is_implied),
		TEST(a_cpio_has_times_until_2106),
		TEST(a_later_entry_replaces_an_earlier_one),
		TEST(absolute_names_lose_their_slash),
		TEST(a_name_of_any_bytes_is_kept),
		TEST(attributes_come_from_pax),
		TEST(holes_are_kept),
		TEST(a_map_that_does_not_fit_is_refused),
		TEST(a_name_of_its_own_is_no_harm),
		TEST(an_archive_that_changes_is_noticed),
		TEST(dots_lead_out),
		TEST(a_way_through_a_link),
		TEST(a_way_through_a_file),
		TEST(a_file_over_a_directory),
		TEST(a_root_that_is_a_file),
		TEST(a_hard_link_to_nothing),
		TEST(a_hard_link_without_a_target),
		TEST(a_hard_link_below_nothing),
		TEST(a_hard_link_to_a_directory),
		TEST(a_hard_link_out),
		TEST(a_link_without_a_target),
		TEST(an_acl_of_names),
		TEST(an_id_that_means_none),
		TEST(a_large_id),
		TEST(a_large_device),
		TEST(data_that_is_cut_off),
		TEST(an_absurd_size),
		TEST(a_last_block_that_is_cut_off),
		TEST(an_extended_header_that_is_cut_off),
		TEST(a_header_that_is_cut_off),
		TEST(a_damaged_header),
		TEST(malformed_records),
		TEST(a_file_that_is_no_archive),
		TEST(an_empty_file),
		TEST(many_entries_take_linear_time),
		TEST(ten_thousand_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
