/* SPDX-License-Identifier: Apache-2.0 */
/* The model that the scanner makes: its order, its digest, and what is left of it after some is
 * left out. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/scanned.h"

/* ---- Order ---- */

static void test_order_is_bytewise(void **state)
{
	static const char *const sorted[] = { "\x01", " ",  "-",    ".hidden",  "A",
					      "B",    "_",  "a",    "a.b",      "a0",
					      "aa",   "ab", "\x7f", "\xc3\xa4", "\xff" };
	static const unsigned int made[] = { 7, 14, 3, 0, 12, 5, 9, 1, 13, 2, 8, 4, 10, 6, 11 };
	struct scanned *f = *state;
	const struct kataimg_node *root;

	for (size_t i = 0; i < 15; i++)
		tempdir_write(&f->dir, sorted[made[i]], "", 0);
	root = scanned_run(f, "")->nodes[0];
	assert_int_equal(root->entry_count, 15);
	for (size_t i = 0; i < 15; i++) {
		assert_string_equal(root->entries[i].name, sorted[i]);
		assert_int_equal(root->entries[i].name_len, strlen(sorted[i]));
		assert_int_equal(root->entries[i].node->index, 1 + i);
	}
}

/* Depth first: all below a directory comes before its next sibling. */
static void test_numbering(void **state)
{
	static const char *const order[] = { "", "a", "b", "c", "d", "e", "f" };
	struct scanned *f = *state;
	const struct kataimg_tree *tree;

	tempdir_mkdir(&f->dir, "a");
	tempdir_mkdir(&f->dir, "a/b");
	tempdir_write(&f->dir, "a/b/c", "", 0);
	tempdir_write(&f->dir, "a/d", "", 0);
	tempdir_mkdir(&f->dir, "e");
	tempdir_write(&f->dir, "e/f", "", 0);
	tree = scanned_run(f, "");
	assert_int_equal(tree->node_count, 7);
	for (uint32_t i = 0; i < 7; i++) {
		assert_string_equal(tree->nodes[i]->name, order[i]);
		assert_int_equal(tree->nodes[i]->index, i);
		assert_true(tree->nodes[i]->parent->index <= i);
	}
}

static void test_same_tree_same_digest(void **state)
{
	uint8_t first[DIGEST_BYTES], again[DIGEST_BYTES];
	struct scanned *f = *state;

	scanned_make_sample(f, 0);
	scanned_run(f, "");
	scanned_digest(f, first);
	scanned_teardown(state);
	assert_int_equal(scanned_setup(state), 0);
	f = *state;
	scanned_make_sample(f, 1);
	for (unsigned int threads = 1; threads <= 8; threads *= 2) {
		f->options.threads = threads;
		scanned_run(f, "");
		scanned_digest(f, again);
		assert_memory_equal(first, again, DIGEST_BYTES);
	}
}

static void change_mode(const struct scanned *f)
{
	assert_int_equal(fchmodat(f->dir.fd, "d3/file3", 0600, 0), 0);
}

static void change_mtime(const struct scanned *f)
{
	tempdir_set_mtime(&f->dir, "d3/file3", 1003, 4);
}

static void change_size(const struct scanned *f)
{
	tempdir_fill(&f->dir, "d3/file3", 3, 31);
	tempdir_set_mtime(&f->dir, "d3/file3", 1003, 3);
}

static void change_name(const struct scanned *f)
{
	assert_int_equal(renameat(f->dir.fd, "d3/file3", f->dir.fd, "d3/fild3"), 0);
	tempdir_set_mtime(&f->dir, "d3", 77, 7);
}

static void change_place(const struct scanned *f)
{
	assert_int_equal(renameat(f->dir.fd, "d3/fild3", f->dir.fd, "d4/fild3"), 0);
	tempdir_set_mtime(&f->dir, "d3", 77, 7);
	tempdir_set_mtime(&f->dir, "d4", 77, 7);
}

static void change_links(const struct scanned *f)
{
	assert_int_equal(unlinkat(f->dir.fd, "d9/link", 0), 0);
	tempdir_fill(&f->dir, "d9/link", 1, 10);
	tempdir_set_mtime(&f->dir, "d9/link", 1001, 1);
	tempdir_set_mtime(&f->dir, "d9", 77, 7);
}

static void test_each_change_shows(void **state)
{
	void (*const changes[])(const struct scanned *f) = {
		change_mode, change_mtime, change_size, change_name, change_place, change_links
	};
	uint8_t digests[1 + sizeof(changes) / sizeof(changes[0])][DIGEST_BYTES];
	struct scanned *f = *state;
	size_t count = 1;

	scanned_make_sample(f, 0);
	scanned_run(f, "");
	scanned_digest(f, digests[0]);
	for (; count <= sizeof(changes) / sizeof(changes[0]); count++) {
		changes[count - 1](f);
		scanned_run(f, "");
		scanned_digest(f, digests[count]);
		for (size_t i = 0; i < count; i++)
			assert_memory_not_equal(digests[i], digests[count], DIGEST_BYTES);
	}
}

static void test_xattr_shows(void **state)
{
	uint8_t before[DIGEST_BYTES], after[DIGEST_BYTES];
	struct scanned *f = *state;

	scanned_run(f, "");
	scanned_digest(f, before);
	if (fsetxattr(f->dir.fd, "user.x", "y", 1, 0) < 0)
		skip(); /* the filesystem of TMPDIR cannot */
	scanned_run(f, "");
	scanned_digest(f, after);
	assert_memory_not_equal(before, after, DIGEST_BYTES);
}

static void test_path_is_cut(void **state)
{
	struct scanned *f = *state;
	char path[32];

	tempdir_mkdir(&f->dir, "one");
	tempdir_mkdir(&f->dir, "one/two");
	scanned_run(f, "");
	assert_string_equal(tree_path(tree_public(f->tree)->nodes[0], path, sizeof(path)), ".");
	assert_string_equal(tree_path(scanned_find(f, "one"), path, sizeof(path)), "one");
	assert_string_equal(tree_path(scanned_find(f, "one/two"), path, sizeof(path)), "one/two");
	tree_path(scanned_find(f, "one/two"), path, 5);
	assert_int_equal(strlen(path), 4);
}

/* ---- Leaving out ---- */

static void test_drop(void **state)
{
	struct scanned *f = *state;

	scanned_make_sample(f, 0);
	tempdir_write_at(&f->dir, "sparse", 1 << 20, "x", 1);
	scanned_run(f, "");
	assert_int_equal(tree_mark(f->tree, scanned_find(f, "d2"), TREE_DROP_NODE, 0), 0);
	assert_int_equal(tree_mark(f->tree, scanned_find(f, "d1/file1"), TREE_DROP_LINKS, 0), 0);
	assert_int_equal(
		tree_mark(f->tree, scanned_find(f, "d3/file3"), TREE_DROP_FINE_TIME, 1000000000),
		0);
	assert_int_equal(tree_mark(f->tree, scanned_find(f, "sparse"), TREE_DROP_HOLES, 0), 0);
	assert_int_equal(tree_drop_marked(f->tree, &f->error), 0);
	assert_int_equal(tree_public(f->tree)->node_count, 1 + 9 + 270 + 1);
	assert_int_equal(tree_public(f->tree)->nodes[0]->nlink, 2 + 9);
	assert_null(scanned_look(f, "d2"));
	assert_null(scanned_look(f, "d9/link"));
	assert_int_equal(scanned_find(f, "d1/file1")->nlink, 1);
	assert_int_equal(scanned_find(f, "d3/file3")->mtime_nsec, 0);
	assert_int_equal(scanned_find(f, "sparse")->segment_count, 1);
	for (uint32_t i = 0; i < 281; i++)
		assert_int_equal(tree_public(f->tree)->nodes[i]->index, i);
}

/* Its first name goes with its directory; another one stays. */
static void test_drop_keeps_other_names(void **state)
{
	struct scanned *f = *state;
	const struct kataimg_node *link;
	char got[10], expected[10];

	scanned_make_sample(f, 0);
	scanned_run(f, "");
	assert_int_equal(tree_mark(f->tree, scanned_find(f, "d1"), TREE_DROP_NODE, 0), 0);
	assert_int_equal(tree_drop_marked(f->tree, &f->error), 0);
	link = scanned_find(f, "d9/link");
	assert_int_equal(link->nlink, 1);
	assert_string_equal(link->name, "link");
	assert_ptr_equal(link->parent, scanned_find(f, "d9"));
	assert_int_equal(tree_read(f->tree, link, 0, got, 10, &f->error), 0);
	tempdir_pattern(1, 0, expected, 10);
	assert_memory_equal(got, expected, 10);
}

static void test_drop_xattrs(void **state)
{
	struct scanned *f = *state;
	const struct kataimg_node *root;

	if (fsetxattr(f->dir.fd, "user.a", "1", 1, 0) < 0)
		skip(); /* the filesystem of TMPDIR cannot */
	assert_int_equal(fsetxattr(f->dir.fd, "user.b", "2", 1, 0), 0);
	assert_int_equal(fsetxattr(f->dir.fd, "user.c", "3", 1, 0), 0);
	root = scanned_run(f, "")->nodes[0];
	assert_int_equal(root->xattr_count, 3);
	assert_int_equal(tree_mark(f->tree, root, TREE_DROP_XATTR, 1), 0);
	assert_int_equal(root->xattr_count, 3);
	assert_int_equal(tree_drop_marked(f->tree, &f->error), 0);
	assert_int_equal(root->xattr_count, 2);
	assert_string_equal(root->xattrs[0].name, "user.a");
	assert_string_equal(root->xattrs[1].name, "user.c");
	assert_int_equal(tree_mark(f->tree, root, TREE_DROP_XATTRS, 0), 0);
	assert_int_equal(tree_drop_marked(f->tree, &f->error), 0);
	assert_int_equal(root->xattr_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCANNED_TEST(test_order_is_bytewise),
		SCANNED_TEST(test_numbering),
		SCANNED_TEST(test_same_tree_same_digest),
		SCANNED_TEST(test_each_change_shows),
		SCANNED_TEST(test_xattr_shows),
		SCANNED_TEST(test_path_is_cut),
		SCANNED_TEST(test_drop),
		SCANNED_TEST(test_drop_keeps_other_names),
		SCANNED_TEST(test_drop_xattrs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
