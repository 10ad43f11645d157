/* SPDX-License-Identifier: Apache-2.0 */
#include "core/mtree/mtree.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "core/base/cancel.h"
#include "core/mtree/text.h"
#include "tests/support/smalltree.h"
#include "tests/support/tempdir.h"

/* A tree to be changed, in a directory of the test's own with x.mtree and the file content. */
struct fixture {
	struct tempdir dir;
	struct smalltree small;
	struct kataimg_xattr xattr;
	struct error error;
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct tree_node *file;

	tempdir_enter(&fixture->dir);
	write_file("content", "hello");
	smalltree_init(&fixture->small);
	file = smalltree_add(&fixture->small, "etc/na me\n#=\\\xff", S_IFREG | 0640);
	smalltree_xattr(file, &fixture->xattr, "user.x=", "\0\1\xff", 3);
	smalltree_name(&fixture->small, "etc/other", file);
	file->pub.mtime_sec = -7;
	file->pub.mtime_nsec = 5;
	smalltree_link(&fixture->small, "link", "a b");
	file = smalltree_add(&fixture->small, "dev", S_IFCHR | 0600);
	file->pub.rdev_major = 1;
	file->pub.rdev_minor = 300;
	smalltree_finish(&fixture->small);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	smalltree_free(&fixture->small);
	error_clear(&fixture->error);
	tempdir_leave(&fixture->dir);
	free(fixture);
	return 0;
}

static char *print(const struct tree *tree)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	struct error error = ERROR_INIT;

	assert_int_equal(mtree_print(tree, NULL, out, &error), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static int apply(struct fixture *fixture, const char *text)
{
	const struct tree_options options = { .build_time = 99 };
	uint64_t changes;

	write_file("x.mtree", text);
	return mtree_apply(fixture->small.tree, "x.mtree", &options, &changes, &fixture->error);
}

static void accepts(struct fixture *fixture, const char *text)
{
	if (apply(fixture, text) < 0)
		fail_msg("%s", fixture->error.message);
}

static const char printed[] =
	"#mtree\n"
	". type=dir uid=0 gid=0 mode=0755 time=0.000000000\n"
	"./dev type=char uid=0 gid=0 mode=0600 time=0.000000000 device=linux,1,300\n"
	"./etc type=dir uid=0 gid=0 mode=0755 time=0.000000000\n"
	"./link type=link uid=0 gid=0 mode=0777 time=0.000000000 link=a\\040b\n"
	"./etc/na\\040me\\012\\043\\075\\134\\377 type=file uid=0 gid=0 mode=0640 "
	"time=-7.000000005 size=0 nlink=2 inode=3 xattr.user.x\\075=AAH/\n"
	"./etc/other type=file uid=0 gid=0 mode=0640 time=-7.000000005 size=0 nlink=2 inode=3 "
	"xattr.user.x\\075=AAH/\n";

static void what_is_printed_reads_back(void **state)
{
	struct fixture *fixture = *state;
	const struct tree_options options = { .build_time = 99 };
	struct tree *tree;
	char *before = print(fixture->small.tree), *after;

	assert_string_equal(before, printed);
	accepts(fixture, printed);
	after = print(fixture->small.tree);
	assert_string_equal(after, printed);
	free(after);
	assert_true(mtree_is("x.mtree"));
	assert_false(mtree_is("content"));
	assert_int_equal(mtree_read_tree("x.mtree", &options, &tree, &fixture->error), 0);
	after = print(tree);
	assert_string_equal(after, printed);
	free(after);
	free(before);
	tree_free(tree);
}

static void entries_are_changed_and_added(void **state)
{
	struct fixture *fixture = *state;
	const struct kataimg_node *node;
	char content[5];

	accepts(fixture, "# a comment\n"
			 "/set uid=1 mode=0700\n"
			 "etc type=dir\n"
			 "  other mode=0111\n"
			 "  sub type=dir\n"
			 "    new type=file contents=content \\\n"
			 "      time=5.000000006 xattr.user.y=\n"
			 "  ..\n"
			 "..\n"
			 "/unset mode\n"
			 "gone optional gid=5\n"
			 "./deep/er/fifo type=fifo gid=9\n"
			 "link type=block device=native,8,17\n");
	node = smalltree_get(&fixture->small, "etc/other");
	assert_int_equal(node->uid, 1);
	assert_int_equal(node->mode, 0111);
	assert_int_equal(node->mtime_sec, -7);
	assert_int_equal(node->xattr_count, 1);
	node = smalltree_get(&fixture->small, "etc/sub/new");
	assert_int_equal(node->size, 5);
	assert_int_equal(node->mode, 0700);
	assert_int_equal(node->mtime_sec, 5);
	assert_int_equal(node->mtime_nsec, 6);
	assert_string_equal(node->xattrs[0].name, "user.y");
	assert_int_equal(node->xattrs[0].value_len, 0);
	assert_int_equal(tree_read(fixture->small.tree, node, 0, content, 5, &fixture->error), 0);
	assert_memory_equal(content, "hello", 5);
	node = smalltree_get(&fixture->small, "deep/er/fifo");
	assert_int_equal(node->type, KATAIMG_FIFO);
	assert_int_equal(node->gid, 9);
	assert_int_equal(node->mtime_sec, 99);
	assert_int_equal(smalltree_get(&fixture->small, "deep")->mtime_sec, 99);
	node = smalltree_get(&fixture->small, "link");
	assert_int_equal(node->type, KATAIMG_BLK);
	assert_int_equal(node->rdev_major, 8);
	assert_int_equal(node->rdev_minor, 17);
	assert_null(smalltree_get(&fixture->small, "gone"));
}

static void contents_that_change_are_noticed(void **state)
{
	struct fixture *fixture = *state;
	const struct kataimg_node *node;
	char content[5];

	accepts(fixture, "new type=file contents=content\n");
	node = smalltree_get(&fixture->small, "new");
	write_file("content", "other bytes");
	assert_int_equal(tree_read(fixture->small.tree, node, 0, content, 5, &fixture->error),
			 -ESTALE);
}

static const struct {
	const char *text, *message;
} failures[] = {
	{ "x foo=1", "foo: an unknown keyword" },
	{ "/set foo=1", "foo: an unknown keyword" },
	{ "/unset foo", "foo: an unknown keyword" },
	{ "x mode=rwx", "mode: not octal digits, 7777 at most" },
	{ "x mode=10000", "mode: not octal digits, 7777 at most" },
	{ "x type=door", "type: not file, dir, link, char, block, fifo or socket" },
	{ "x uid=-1", "uid: not a number up to 4294967294" },
	{ "x uid=4294967295", "uid: not a number up to 4294967294" },
	{ "x gid=root", "gid: not a number up to 4294967294" },
	{ "x time=1.1234567890", "time: not SECONDS.NANOSECONDS" },
	{ "x time=-9223372036854775809", "time: not SECONDS.NANOSECONDS" },
	{ "x time=9223372036854775808", "time: not SECONDS.NANOSECONDS" },
	{ "x time=now", "time: not SECONDS.NANOSECONDS" },
	{ "x size", "size: not a number of bytes" },
	{ "x device=linux,1", "device: not FORMAT,MAJOR,MINOR" },
	{ "x xattr.=AA==", "xattr.: not a name with a value in base64" },
	{ "x xattr.user.x=A", "xattr.user.x: not a name with a value in base64" },
	{ "x xattr.user.x", "xattr.user.x: not a name with a value in base64" },
	{ "x\\9 type=file", "x\\9: not a name" },
	{ "x\\000 type=file", "x\\000: not a name" },
	{ "x mode=1", "x: it is not in the tree, and no type= says what to make" },
	{ "x type=link", "x: a symbolic link needs link=" },
	{ "x type=char", "x: a device needs device=" },
	{ "x type=link link=", "link: not a target" },
	{ "x type=link link=\\9", "link: not a target" },
	{ "x type=file contents=", "contents: not a path" },
	{ "x device=1,2,x", "device: not FORMAT,MAJOR,MINOR" },
	{ "x device=", "device: not FORMAT,MAJOR,MINOR" },
	{ "x xattr.user.\\9=AA==", "xattr.user.\\9: not a name with a value in base64" },
	{ "\\056\\056 type=file", "..: its path has a \"..\"" },
	{ "x type=file size=7",
	  "x: size=7, but nothing says where the bytes are: a printed tree alone "
	  "is no source, contents= gives a file its own" },
	{ "x type=file contents=none", "x: contents=none: No such file or directory" },
	{ "x type=file contents=/", "x: contents=/: not a regular file" },
	{ "x type=file contents=/dev/zero", "x: contents=/dev/zero: not a regular file" },
	{ "x type=file uname=root", "x: uname=root: names are not looked up: give uid" },
	{ "x type=file gname=root", "x: gname=root: names are not looked up: give gid" },
	{ "../x type=file", "../x: its path has a \"..\"" },
	{ "link/x type=file", "link/x: link on its way is a symbolic link" },
	{ "etc type=file", "etc: it would replace a directory that is not empty" },
	{ ". type=file", ".: the root can only be a directory" },
};

static void bad_lines_are_errors_with_their_number(void **state)
{
	struct fixture *fixture = *state;
	char text[128], message[256];

	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		snprintf(text, sizeof(text), "#mtree\n\n%s\nlink\n", failures[i].text);
		snprintf(message, sizeof(message), "x.mtree:3: %s", failures[i].message);
		assert_true(apply(fixture, text) < 0);
		assert_string_equal(fixture->error.message, message);
		error_clear(&fixture->error);
	}
}

/* Lines of another system end in CR LF; numbers of users go before their names; a device may be one
 * number; all defaults go at once; a file with one name has no hard links, whatever its inode. */
static void other_tools_ways_are_understood(void **state)
{
	struct fixture *fixture = *state;
	const struct kataimg_node *node;

	accepts(fixture, "#mtree\r\nx type=file uid=7 gid=8 \\\r\n uname=a gname=b mode=0600\r\n");
	node = smalltree_get(&fixture->small, "x");
	assert_true(node->uid == 7 && node->gid == 8 && node->mode == 0600);
	accepts(fixture, "/set type=char uid=9\n/unset all\nd type=block device=0x812\n");
	node = smalltree_get(&fixture->small, "d");
	assert_int_equal(node->type, KATAIMG_BLK);
	assert_int_equal(node->uid, 0);
	assert_true(node->rdev_major == 8 && node->rdev_minor == 18);
	accepts(fixture, "one type=file nlink=1 inode=5\ntwo type=file nlink=1 inode=5\n"
			 "dir type=dir nlink=2 inode=5\n..\nother type=dir nlink=2 inode=5\n");
	assert_ptr_not_equal(smalltree_get(&fixture->small, "one"),
			     smalltree_get(&fixture->small, "two"));
	assert_ptr_not_equal(smalltree_get(&fixture->small, "dir"),
			     smalltree_get(&fixture->small, "other"));
	assert_int_equal(mtree_apply(fixture->small.tree, ".", &(struct tree_options){ 0 },
				     &(uint64_t){ 0 }, &fixture->error),
			 -EISDIR);
	assert_string_equal(fixture->error.message, ".:1: cannot read: Is a directory");
}

static void a_line_has_a_bound(void **state)
{
	struct fixture *fixture = *state;
	FILE *file = fopen("x.mtree", "w");
	const struct tree_options options = { 0 };
	uint64_t changes;

	assert_non_null(file);
	fputs("etc\n#", file);
	for (size_t i = 0; i < MTREE_LINE_BYTES; i++)
		putc('x', file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(
		mtree_apply(fixture->small.tree, "x.mtree", &options, &changes, &fixture->error),
		-EMSGSIZE);
	assert_string_equal(fixture->error.message, "x.mtree:2: a line of more than 16 MiB");
}

/* Names are looked up where their directory's path leads, not in what was there before. */
static void a_directory_that_is_replaced_takes_no_names(void **state)
{
	struct fixture *fixture = *state;

	assert_true(apply(fixture, "d type=dir\n./d type=file\nx type=file\n") < 0);
	assert_string_equal(fixture->error.message, "x.mtree:3: d/x: d is no directory any more");
	error_clear(&fixture->error);
	/* and where one leaves it, the one above is looked up */
	accepts(fixture, "g type=dir\ns type=dir\n./g/s type=file\n..\nx type=file\n");
	assert_int_equal(smalltree_get(&fixture->small, "g/x")->type, KATAIMG_REG);
	accepts(fixture, "e type=dir\n./e type=file\n./e type=dir\nx type=file\n");
	assert_int_equal(smalltree_get(&fixture->small, "e/x")->type, KATAIMG_REG);
}

static void times_reach_as_far_as_they_are_printed(void **state)
{
	struct fixture *fixture = *state;
	char *text;

	accepts(fixture, "first type=file time=-9223372036854775808.000033792\n"
			 "last type=file time=9223372036854775807.999999999\n");
	assert_true(smalltree_get(&fixture->small, "first")->mtime_sec == INT64_MIN);
	assert_true(smalltree_get(&fixture->small, "last")->mtime_sec == INT64_MAX);
	text = print(fixture->small.tree);
	accepts(fixture, text);
	free(text);
}

#define DEPTH (MTREE_PATH_DEPTH + 2)

/* Paths would have the square of the depth in bytes. */
static void deep_trees_are_printed_by_name(void **state)
{
	struct fixture *fixture = *state;
	char path[2 * DEPTH + 16] = "", *before, *after;

	for (size_t i = 0; i < DEPTH; i++)
		strcat(path, "d/");
	strcat(path, "f type=file\n");
	accepts(fixture, path);
	before = print(fixture->small.tree);
	assert_non_null(strstr(before, "\ndev type=char"));
	assert_non_null(strstr(before, "\nd type=dir uid=0 gid=0 mode=0755 time=99.000000000\n"
				       "f type=file uid=0 gid=0 mode=0644 time=99.000000000 "
				       "size=0\n..\n"));
	assert_null(strstr(before, "./"));
	accepts(fixture, before);
	after = print(fixture->small.tree);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void a_wish_to_stop_is_heard(void **state)
{
	struct fixture *fixture = *state;
	FILE *out = fopen("/dev/null", "w");

	assert_non_null(out);
	cancel_request();
	assert_int_equal(mtree_print(fixture->small.tree, NULL, out, &fixture->error), -ECANCELED);
	assert_string_equal(fixture->error.message, "interrupted");
	error_clear(&fixture->error);
	assert_int_equal(apply(fixture, "etc\n"), -ECANCELED);
	cancel_reset();
	fclose(out);
}

static void any_bytes_go_through_base64(void **state)
{
	char *text = NULL;
	char bytes[6];
	size_t size, len;

	(void)state;
	for (size_t count = 0; count <= sizeof(bytes); count++) {
		FILE *out = open_memstream(&text, &size);

		memcpy(bytes, "\xff\0\x80\x7f\x01\xfe", sizeof(bytes));
		mtree_put_base64(out, bytes, count);
		fclose(out);
		assert_int_equal(mtree_decode_base64(text, &len), 0);
		assert_int_equal(len, count);
		assert_memory_equal(text, bytes, count);
		free(text);
	}
}

static void base64_that_is_cut_is_refused(void **state)
{
	static const char *const texts[] = {
		"A", "AA=", "AAA==", "AAAA=", "AA===", "AA=A", "A*=="
	};
	char text[8];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		strcpy(text, texts[i]);
		assert_int_equal(mtree_decode_base64(text, &len), -EINVAL);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_printed_reads_back),
		TEST(entries_are_changed_and_added),
		TEST(contents_that_change_are_noticed),
		TEST(bad_lines_are_errors_with_their_number),
		TEST(other_tools_ways_are_understood),
		TEST(a_line_has_a_bound),
		TEST(a_directory_that_is_replaced_takes_no_names),
		TEST(times_reach_as_far_as_they_are_printed),
		TEST(deep_trees_are_printed_by_name),
		TEST(a_wish_to_stop_is_heard),
		cmocka_unit_test(any_bytes_go_through_base64),
		cmocka_unit_test(base64_that_is_cut_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
