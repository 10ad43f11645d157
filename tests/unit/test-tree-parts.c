/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of single nodes: paths, places of bytes, what can be dropped; and choosing some. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/cancel.h"
#include "core/tree/exclude.h"
#include "core/tree/holes.h"
#include "core/tree/owner.h"
#include "core/tree/segments.h"
#include "core/tree/select.h"
#include "lib/acl.h"
#include "tests/support/smalltree.h"

/* What does not fit loses its beginning. */
static void paths_are_cut_at_their_front(void **state)
{
	static const char *const cut[] = { "",         "e",        "me",      "ame",
					   "name",     "/name",    "c/name",  "tc/name",
					   "etc/name", "etc/name", "etc/name" };
	struct smalltree *small = *state;
	const struct kataimg_node *node;
	char buf[16] = "kept";

	smalltree_add(small, "etc/name", S_IFREG | 0644);
	smalltree_finish(small);
	node = smalltree_get(small, "etc/name");
	assert_ptr_equal(tree_path(node, buf, 0), buf);
	assert_string_equal(buf, "kept");
	for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++)
		assert_string_equal(tree_path(node, buf, i + 1), cut[i]);
	node = tree_public(small->tree)->nodes[0];
	assert_string_equal(tree_path(node, buf, 1), "");
	assert_string_equal(tree_path(node, buf, sizeof(buf)), ".");
}

static const struct {
	enum kataimg_type type;
	uint16_t mode;
	uint32_t uid, gid;
	bool owner, mode_drops;
} dropped[] = {
	{ KATAIMG_REG, 0644, 0, 0, false, false },  { KATAIMG_REG, 0755, 0, 7, true, false },
	{ KATAIMG_REG, 0600, 7, 0, true, true },    { KATAIMG_REG, 0700, 7, 7, true, true },
	{ KATAIMG_REG, 04755, 0, 0, false, true },  { KATAIMG_DIR, 0755, 0, 0, false, false },
	{ KATAIMG_DIR, 01777, 0, 0, false, true },  { KATAIMG_DIR, 0700, 0, 0, false, true },
	{ KATAIMG_LNK, 0777, 0, 0, false, false },  { KATAIMG_LNK, 0755, 0, 0, false, true },
	{ KATAIMG_FIFO, 0644, 0, 0, false, false },
};

static void what_dropping_changes_is_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++) {
		struct kataimg_node node = { .type = dropped[i].type,
					     .mode = dropped[i].mode,
					     .uid = dropped[i].uid,
					     .gid = dropped[i].gid };

		assert_int_equal(tree_can_drop(&node, TREE_DROP_OWNER), dropped[i].owner);
		assert_int_equal(tree_can_drop(&node, TREE_DROP_MODE), dropped[i].mode_drops);
		assert_false(tree_can_drop(&node, TREE_DROP_XATTRS));
		node.xattr_count = 1;
		assert_true(tree_can_drop(&node, TREE_DROP_XATTRS));
		assert_true(tree_can_drop(&node, TREE_DROP_NODE));
	}
}

/* ---- Where bytes are ---- */

static int new_source(struct smalltree *small, size_t len)
{
	int fd = memfd_create("source", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	return tree_add_shared(small->tree, fd, TREE_SOURCE_ARCHIVE);
}

static void places_in_a_source_are_known(void **state)
{
	/* the second range lies in front of the first, and they do not touch */
	static const struct tree_range ranges[] = { { 0, 4096, 20480 }, { 8192, 4096, 4096 } };
	struct smalltree *small = *state;
	struct tree_node *stretch = smalltree_add(small, "stretch", S_IFREG | 0644);
	struct tree_node *parts = smalltree_add(small, "parts", S_IFREG | 0644);
	struct tree_node *hole = smalltree_add(small, "hole", S_IFREG | 0644);
	struct tree_node *none = smalltree_add(small, "none", S_IFREG | 0644);
	int source = new_source(small, 65536);
	struct tree_range range;
	uint64_t off;
	bool scratch;

	assert_int_equal(tree_set_stretch(small->tree, stretch, source, 5000, 8192), 0);
	assert_int_equal(tree_set_ranges(small->tree, parts, source, 12288, ranges, 2, 4096), 0);
	assert_int_equal(tree_set_ranges(small->tree, hole, source, 4096, ranges, 0, 0), 0);
	smalltree_finish(small);
	range = tree_source_range(&stretch->pub);
	assert_true(range.source_off == 8192 && range.len == 5000);
	range = tree_source_range(&parts->pub);
	assert_true(range.source_off == 8192 && range.len == 20480);
	range = tree_source_range(&hole->pub);
	assert_true(range.source_off == 0 && range.len == 0);
	range = tree_source_range(&none->pub);
	assert_true(range.source_off == 0 && range.len == 0);
	assert_int_equal(tree_source_off(&parts->pub), 24576);
	assert_int_equal(tree_source_off(&hole->pub), 0);
	assert_int_equal(tree_source_off(&none->pub), 0);
	assert_true(tree_find_stretch(small->tree, &stretch->pub, &off, &scratch));
	assert_false(scratch);
	assert_int_equal(off, 8192);
	assert_false(tree_find_stretch(small->tree, &parts->pub, &off, &scratch));
	assert_false(tree_find_stretch(small->tree, &hole->pub, &off, &scratch));
	assert_true(tree_find_stretch(small->tree, &none->pub, &off, &scratch));
	assert_false(tree_is_scanned(none));
	assert_false(tree_is_scanned(tree_root(small->tree)));
}

/* Files of two sources are looked at one source after the other, all for their own zeros. */
static void holes_are_found_in_every_source(void **state)
{
	struct smalltree *small = *state;
	struct tree_node *nodes[4];
	int sources[] = { new_source(small, 65536), new_source(small, 65536) };
	autoerror struct error error = ERROR_INIT;

	for (int i = 0; i < 4; i++) {
		char name[8];

		snprintf(name, sizeof(name), "f%d", i);
		nodes[i] = smalltree_add(small, name, S_IFREG | 0644);
		assert_int_equal(tree_set_stretch(small->tree, nodes[i], sources[i % 2], 8192,
						  8192 * (uint64_t)(i / 2)),
				 0);
	}
	smalltree_add(small, "empty", S_IFREG | 0644);
	smalltree_finish(small);
	assert_int_equal(tree_set_holes(small->tree, TREE_HOLES_BLOCKS, &error), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(nodes[i]->pub.segment_count, 0);
	assert_int_equal(tree_set_holes(small->tree, TREE_HOLES_FILL, &error), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(nodes[i]->pub.segment_count, 1);
}

static void segments_are_found_as_asked(void **state)
{
	struct segments list = { 0 };
	int fd = memfd_create("file", MFD_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 20000), 0);
	assert_int_equal(pwrite(fd, "x", 1, 8192), 1);
	assert_int_equal(segments_of_file(&list, fd, 20000, TREE_HOLES_FILL), 0);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.items[0].len, 20000);
	segments_free(&list);
	list = (struct segments){ 0 };
	assert_int_equal(segments_of_file(&list, fd, 20000, TREE_HOLES_SOURCE), 0);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.items[0].file_off, 8192);
	segments_free(&list);
	/* It is shorter than was said. */
	list = (struct segments){ 0 };
	assert_int_equal(segments_of_file(&list, fd, 30000, TREE_HOLES_BLOCKS), -ESTALE);
	segments_free(&list);
	close(fd);
}

/* ---- Choosing ---- */

static void choose(struct smalltree *small, const char *const *paths, size_t count)
{
	autoerror struct error error = ERROR_INIT;

	smalltree_free(small);
	smalltree_init(small);
	smalltree_add(small, "a/b/c/d", S_IFREG | 0644);
	smalltree_add(small, "a/b/e", S_IFREG | 0644);
	smalltree_add(small, "a/f", S_IFREG | 0644);
	smalltree_add(small, "g", S_IFREG | 0644);
	smalltree_finish(small);
	assert_int_equal(tree_select(small->tree, paths, count, &error), 0);
}

static void paths_are_chosen_with_all_below(void **state)
{
	static const char *const deep[] = { ".//a/./b", "g" }, *const all[] = { "." };
	struct smalltree *small = *state;

	choose(small, deep, 2);
	assert_non_null(smalltree_get(small, "a/b/c/d"));
	assert_non_null(smalltree_get(small, "a/b/e"));
	assert_non_null(smalltree_get(small, "g"));
	assert_null(smalltree_get(small, "a/f"));
	choose(small, deep + 1, 1);
	assert_null(smalltree_get(small, "a"));
	assert_non_null(smalltree_get(small, "g"));
	choose(small, all, 1);
	assert_int_equal(tree_public(small->tree)->node_count, 8);
	choose(small, all, 0);
	assert_int_equal(tree_public(small->tree)->node_count, 8);
}

static void paths_that_lead_nowhere_are_not_chosen(void **state)
{
	static const struct {
		const char *path, *message;
		int code;
	} cases[] = {
		{ "no", "no: No such file or directory", ENOENT },
		{ "dir/no", "dir/no: No such file or directory", ENOENT },
		{ "file/x", "file/x: Not a directory", ENOTDIR },
		{ "link/x", "link/x: link is a symbolic link to dir: name what it leads to",
		  ELOOP },
	};
	struct smalltree *small = *state;

	smalltree_add(small, "dir/x", S_IFREG | 0644);
	smalltree_add(small, "file", S_IFREG | 0644);
	smalltree_link(small, "link", "dir");
	smalltree_finish(small);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		autoerror struct error error = ERROR_INIT;

		assert_int_equal(tree_select(small->tree, &cases[i].path, 1, &error),
				 -cases[i].code);
		assert_string_equal(error.message, cases[i].message);
	}
}

/* ---- A wish to stop ---- */

static void a_wish_to_stop_is_heard_by_all_rules(void **state)
{
	char *patterns[] = { (char *)"nothing" };
	struct smalltree *small = *state;
	autoerror struct error error = ERROR_INIT;
	struct tree_id_map ids = { 0 };
	struct tree_excluder *excluder;

	smalltree_add(small, "a/b", S_IFREG | 0644);
	smalltree_finish(small);
	assert_int_equal(tree_id_map_add(&ids, "0:0:1", &error), 0);
	assert_int_equal(tree_excluder_new(patterns, 1, &excluder, &error), 0);
	cancel_request();
	assert_int_equal(tree_map_ids(small->tree, &ids, &ids, &error), -ECANCELED);
	assert_string_equal(error.message, "interrupted");
	error_clear(&error);
	assert_int_equal(tree_exclude(small->tree, excluder, &error), -ECANCELED);
	error_clear(&error);
	assert_int_equal(tree_drop_marked(small->tree, &error), -ECANCELED);
	error_clear(&error);
	cancel_reset();
	assert_int_equal(tree_drop_marked(small->tree, &error), 0);
	tree_excluder_free(excluder);
	tree_id_map_free(&ids);
}

/* ---- Owners ---- */

static const uint8_t acl[] = {
	2,    0, 0, 0,                         /**/
	1,    0, 7, 0, 0xff, 0xff, 0xff, 0xff, /**/
	2,    0, 6, 0, 9,    0,    0,    0,    /* user 9 */
	4,    0, 5, 0, 0xff, 0xff, 0xff, 0xff, /**/
	8,    0, 4, 0, 8,    0,    0,    0,    /* group 8 */
	0x10, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, /**/
	0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, /**/
};

static void ids_that_no_range_has_are_named(void **state)
{
	static const struct {
		const char *uids, *gids, *message;
	} cases[] = {
		{ "0:0:9", "0:0:9", "file has the uid 9, which [tree] uid-map leaves out" },
		{ "0:0:10", "0:0:8", "file has the gid 8, which [tree] gid-map leaves out" },
		{ "0:0:10", "1:1:8", ". has the gid 0, which [tree] gid-map leaves out" },
	};
	struct smalltree *small = *state;
	struct tree_node *file = smalltree_add(small, "file", S_IFREG | 0644);
	struct kataimg_xattr xattr;

	smalltree_xattr(file, &xattr, ACL_ACCESS_NAME, acl, sizeof(acl));
	smalltree_finish(small);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		autoerror struct error error = ERROR_INIT;
		struct tree_id_map uids = { 0 }, gids = { 0 };

		assert_int_equal(tree_id_map_add(&uids, cases[i].uids, &error), 0);
		assert_int_equal(tree_id_map_add(&gids, cases[i].gids, &error), 0);
		assert_int_equal(tree_map_ids(small->tree, &uids, &gids, &error), -EINVAL);
		assert_string_equal(error.message, cases[i].message);
		tree_id_map_free(&uids);
		tree_id_map_free(&gids);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SMALLTREE_TEST(paths_are_cut_at_their_front),
		cmocka_unit_test(what_dropping_changes_is_known),
		SMALLTREE_TEST(places_in_a_source_are_known),
		SMALLTREE_TEST(holes_are_found_in_every_source),
		cmocka_unit_test(segments_are_found_as_asked),
		SMALLTREE_TEST(paths_are_chosen_with_all_below),
		SMALLTREE_TEST(paths_that_lead_nowhere_are_not_chosen),
		SMALLTREE_TEST(a_wish_to_stop_is_heard_by_all_rules),
		SMALLTREE_TEST(ids_that_no_range_has_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
