/* SPDX-License-Identifier: Apache-2.0 */
/* exclude, owners, times: what [tree] does to a tree. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "core/base/log.h"
#include "core/tree/exclude.h"
#include "core/tree/owner.h"
#include "lib/acl.h"
#include "tests/support/smalltree.h"

static uint64_t exclude(struct smalltree *small, const char *pattern)
{
	char *patterns[] = { (char *)pattern };
	struct error error = ERROR_INIT;
	struct tree_excluder *excluder;
	uint64_t excluded;

	assert_int_equal(tree_excluder_new(patterns, 1, &excluder, &error), 0);
	assert_int_equal(tree_exclude(small->tree, excluder, &error), 0);
	tree_excluder_warn(excluder);
	excluded = tree_excluder_count(excluder);
	tree_excluder_free(excluder);
	return excluded;
}

static void excluded_entries_go_with_all_below(void **state)
{
	struct smalltree *small = *state;
	struct tree_node *file = smalltree_add(small, "usr/share/doc/a/copyright", S_IFREG | 0644);

	smalltree_name(small, "keep/same", file);
	smalltree_add(small, "usr/share/doc/doc", S_IFDIR | 0755);
	smalltree_add(small, "doc", S_IFREG | 0644);
	smalltree_add(small, "usr/x.pyc", S_IFREG | 0644);
	smalltree_add(small, "x.pyc", S_IFREG | 0644);
	smalltree_finish(small);

	assert_int_equal(exclude(small, "/usr/share/doc/*"), 2);
	assert_null(smalltree_get(small, "usr/share/doc/a"));
	assert_non_null(smalltree_get(small, "usr/share/doc"));
	assert_int_equal(smalltree_get(small, "keep/same")->nlink, 1);
	assert_string_equal(file->pub.name, "same");
	assert_int_equal(exclude(small, "doc/"), 1);
	assert_non_null(smalltree_get(small, "doc"));
	assert_int_equal(exclude(small, "/x.pyc"), 1);
	assert_non_null(smalltree_get(small, "usr/x.pyc"));
	assert_int_equal(exclude(small, "*.pyc"), 1);
	assert_int_equal(exclude(small, "usr/**"), 1);
	assert_non_null(smalltree_get(small, "usr"));
	log_set_level(LOG_ERROR);
	assert_int_equal(exclude(small, "nothing"), 0);
}

static void an_empty_pattern_is_refused(void **state)
{
	char *patterns[] = { (char *)"x", (char *)"/" };
	autoerror struct error error = ERROR_INIT;
	struct tree_excluder *excluder;

	(void)state;
	assert_int_equal(tree_excluder_new(patterns, 2, &excluder, &error), -EINVAL);
	assert_string_equal(error.message, "an empty pattern");
	assert_int_equal(error.kind, ERROR_USAGE);
}

static void refuses_range(const char *text, const char *message)
{
	autoerror struct error error = ERROR_INIT;
	struct tree_id_map map = { 0 };

	assert_int_equal(tree_id_map_add(&map, "5:0:10", &error), 0);
	assert_int_equal(tree_id_map_add(&map, text, &error), -EINVAL);
	assert_string_equal(error.message, message);
	assert_int_equal(error.kind, ERROR_USAGE);
	assert_int_equal(map.count, 1);
	tree_id_map_free(&map);
}

static void ranges_are_checked(void **state)
{
	(void)state;
	refuses_range("1:2", "not FROM:TO:COUNT");
	refuses_range("1:2:3:4", "not FROM:TO:COUNT");
	refuses_range("-1:2:3", "not FROM:TO:COUNT");
	refuses_range("", "not FROM:TO:COUNT");
	refuses_range("20:0:0", "ids end at 4294967294");
	refuses_range("20:4294967290:10", "ids end at 4294967294");
	refuses_range("99999999999999999999:0:1", "not FROM:TO:COUNT");
	refuses_range("14:100:1", "two ranges have the id 14");
	refuses_range("0:100:6", "two ranges have the id 5");
	refuses_range("5:100:1", "two ranges have the id 5");
}

static struct tree_id_map map_of(const char *first, const char *second)
{
	autoerror struct error error = ERROR_INIT;
	struct tree_id_map map = { 0 };

	assert_int_equal(tree_id_map_add(&map, first, &error), 0);
	if (second)
		assert_int_equal(tree_id_map_add(&map, second, &error), 0);
	return map;
}

/* user 1000 and group 50 beside the owner's three */
static const uint8_t acl[] = {
	2,    0, 0, 0,                         /**/
	1,    0, 7, 0, 0xff, 0xff, 0xff, 0xff, /**/
	2,    0, 6, 0, 0xe8, 0x03, 0,    0,    /**/
	4,    0, 5, 0, 0xff, 0xff, 0xff, 0xff, /**/
	8,    0, 4, 0, 50,   0,    0,    0,    /**/
	0x10, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, /**/
	0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, /**/
};

static void ids_are_mapped_in_acls_too(void **state)
{
	struct smalltree *small = *state;
	struct tree_node *file = smalltree_add(small, "file", S_IFREG | 0644);
	struct tree_id_map uids = map_of("1000:0:2", "0:100000:1000");
	struct tree_id_map gids = map_of("0:7000:100", NULL);
	autoerror struct error error = ERROR_INIT;
	struct kataimg_xattr xattr;
	uint8_t expected[sizeof(acl)];

	file->pub.uid = 1001;
	file->pub.gid = 5;
	smalltree_xattr(file, &xattr, ACL_ACCESS_NAME, acl, sizeof(acl));
	smalltree_finish(small);
	assert_int_equal(tree_map_ids(small->tree, &uids, &gids, &error), 0);
	assert_int_equal(file->pub.uid, 1);
	assert_int_equal(file->pub.gid, 7005);
	assert_int_equal(tree_root(small->tree)->pub.uid, 100000);
	memcpy(expected, acl, sizeof(acl));
	memcpy(expected + 16, "\0\0\0\0", 4);
	memcpy(expected + 32, "\x8a\x1b\0\0", 4);
	assert_memory_equal(file->pub.xattrs[0].value, expected, sizeof(expected));

	assert_int_equal(tree_map_ids(small->tree, &uids, &gids, &error), -EINVAL);
	assert_string_equal(error.message, ". has the uid 100000, which [tree] uid-map leaves out");
	tree_id_map_free(&uids);
	tree_id_map_free(&gids);
}

static void all_root_and_clamped_times(void **state)
{
	struct smalltree *small = *state;
	struct tree_node *late = smalltree_add(small, "late", S_IFREG | 0644);
	struct tree_node *early = smalltree_add(small, "early", S_IFREG | 0644);

	late->pub.uid = 5;
	late->pub.gid = 6;
	late->pub.mtime_sec = 1000;
	late->pub.mtime_nsec = 1;
	early->pub.mtime_sec = 999;
	early->pub.mtime_nsec = 999999999;
	smalltree_finish(small);
	tree_set_all_root(small->tree);
	assert_int_equal(late->pub.uid, 0);
	assert_int_equal(late->pub.gid, 0);
	assert_int_equal(tree_clamp_mtime(small->tree, 1000), 1);
	assert_int_equal(late->pub.mtime_sec, 1000);
	assert_int_equal(late->pub.mtime_nsec, 0);
	assert_int_equal(early->pub.mtime_nsec, 999999999);
	tree_cut_nanoseconds(small->tree);
	assert_int_equal(early->pub.mtime_sec, 999);
	assert_int_equal(early->pub.mtime_nsec, 0);
}

static void a_duplicate_is_changed_alone(void **state)
{
	static const uint8_t value[] = "v";
	struct kataimg_xattr attribute = { 0 };
	struct smalltree *small = *state;
	struct smalltree twin = { 0 };
	struct tree_node *file = smalltree_add(small, "d/file", S_IFREG | 0644);
	const struct kataimg_node *root;

	smalltree_xattr(file, &attribute, "user.a", value, 1);
	smalltree_name(small, "other", file);
	smalltree_link(small, "link", "d/file");
	smalltree_finish(small);
	twin.tree = tree_duplicate(small->tree);
	assert_non_null(twin.tree);
	root = tree_public(twin.tree)->nodes[0];
	assert_ptr_equal(root->parent, root);
	assert_int_equal(tree_public(twin.tree)->node_count, tree_public(small->tree)->node_count);

	exclude(&twin, "d");
	assert_int_equal(tree_mark(twin.tree, smalltree_get(&twin, "other"), TREE_DROP_XATTRS, 0),
			 0);
	tree_set_all_root(twin.tree);
	twin.edit = tree_edit_new(twin.tree);
	smalltree_add(&twin, "new", S_IFREG | 0600);
	smalltree_finish(&twin);
	assert_int_equal(tree_drop_marked(twin.tree, &ERROR_INIT), 0);
	assert_null(smalltree_get(&twin, "d"));
	assert_int_equal(smalltree_get(&twin, "other")->nlink, 1);
	assert_int_equal(smalltree_get(&twin, "other")->xattr_count, 0);

	assert_null(smalltree_get(small, "new"));
	assert_int_equal(smalltree_get(small, "other")->nlink, 2);
	assert_string_equal(smalltree_get(small, "other")->xattrs[0].name, "user.a");
	/* What is common lives as long as either of both. */
	smalltree_free(small);
	smalltree_init(small);
	assert_string_equal(smalltree_get(&twin, "other")->name, "other");
	smalltree_free(&twin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SMALLTREE_TEST(excluded_entries_go_with_all_below),
		cmocka_unit_test(an_empty_pattern_is_refused),
		cmocka_unit_test(ranges_are_checked),
		SMALLTREE_TEST(ids_are_mapped_in_acls_too),
		SMALLTREE_TEST(all_root_and_clamped_times),
		SMALLTREE_TEST(a_duplicate_is_changed_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
