/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/edit.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/support/smalltree.h"

static void begin(struct smalltree *small)
{
	small->edit = tree_edit_new(small->tree);
	assert_non_null(small->edit);
}

static void entries_are_sorted_and_parents_implied(void **state)
{
	struct smalltree *small = *state;
	const struct kataimg_node *root, *a;

	smalltree_add(small, "b", S_IFREG | 0644);
	smalltree_add(small, "/./a//y", S_IFREG | 0644);
	smalltree_add(small, "a/x/", S_IFDIR | 0700);
	smalltree_finish(small);
	root = tree_public(small->tree)->nodes[0];
	assert_int_equal(tree_public(small->tree)->node_count, 5);
	assert_int_equal(root->entry_count, 2);
	assert_string_equal(root->entries[0].name, "a");
	assert_string_equal(root->entries[1].name, "b");
	a = root->entries[0].node;
	assert_int_equal(a->mode, 0755);
	assert_int_equal(a->nlink, 3);
	assert_string_equal(a->entries[0].name, "x");
	assert_string_equal(a->entries[1].name, "y");
	assert_true(tree_node(a)->implied);
	assert_false(tree_node(a->entries[0].node)->implied);
}

/* The name at the end of a path that the last one began with. */
static void a_directory_is_found_after_what_is_in_it(void **state)
{
	struct smalltree *small = *state;
	struct error error = ERROR_INIT;
	struct tree_place place;

	assert_int_equal(tree_edit_locate(small->edit, "a/b", TREE_PARENTS_IMPLIED, &place, &error),
			 0);
	assert_int_equal(tree_edit_locate(small->edit, "a/", TREE_PARENTS_IMPLIED, &place, &error),
			 0);
	assert_ptr_equal(place.dir, tree_root(small->tree));
	assert_int_equal(place.len, 1);
	assert_non_null(place.node);
}

static void finished_trees_can_be_edited(void **state)
{
	struct smalltree *small = *state;
	struct tree_node *old, *shared;
	const struct kataimg_node *root;

	smalltree_add(small, "a", S_IFREG | 0644);
	old = smalltree_add(small, "b", S_IFREG | 0644);
	smalltree_add(small, "d/e", S_IFREG | 0644);
	smalltree_finish(small);
	root = tree_public(small->tree)->nodes[0];

	begin(small);
	assert_ptr_equal(tree_edit_find(small->edit, tree_node(root), "b", 1), old);
	tree_edit_remove(small->edit, tree_node(root), "a", 1);
	assert_null(tree_edit_find(small->edit, tree_node(root), "a", 1));
	tree_edit_remove(small->edit, tree_node(root), "nothing", 7);
	shared = smalltree_add(small, "b", S_IFREG | 0600);
	smalltree_name(small, "aa", shared);
	smalltree_add(small, "c", S_IFREG);
	tree_edit_remove(small->edit, tree_node(root), "c", 1);
	smalltree_finish(small);

	assert_int_equal(root->entry_count, 3);
	assert_string_equal(root->entries[0].name, "aa");
	assert_string_equal(root->entries[1].name, "b");
	assert_ptr_equal(root->entries[0].node, root->entries[1].node);
	assert_int_equal(root->entries[0].node->nlink, 2);
	assert_string_equal(root->entries[2].name, "d");
	assert_int_equal(tree_public(small->tree)->node_count, 4);
}

static void the_last_entry_can_go(void **state)
{
	struct smalltree *small = *state;
	struct tree_node *dir = smalltree_add(small, "d", S_IFDIR | 0755);

	smalltree_add(small, "d/x", S_IFREG);
	assert_false(tree_edit_is_empty(dir));
	smalltree_finish(small);
	begin(small);
	assert_false(tree_edit_is_empty(dir));
	tree_edit_remove(small->edit, dir, "x", 1);
	assert_true(tree_edit_is_empty(dir));
	smalltree_finish(small);
	assert_int_equal(dir->pub.entry_count, 0);
	assert_null(dir->pub.entries);
}

static void refuses(struct smalltree *small, const char *path, enum tree_parents parents, int code,
		    const char *message)
{
	autoerror struct error error = ERROR_INIT;
	struct tree_place place;

	assert_int_equal(tree_edit_locate(small->edit, path, parents, &place, &error), -code);
	assert_string_equal(error.message, message);
}

static void ways_that_lead_nowhere_are_refused(void **state)
{
	struct smalltree *small = *state;

	smalltree_add(small, "file", S_IFREG | 0644);
	smalltree_link(small, "link", "/");
	refuses(small, "../x", TREE_PARENTS_IMPLIED, EINVAL, "its path has a \"..\"");
	refuses(small, "a/..", TREE_PARENTS_IMPLIED, EINVAL, "its path has a \"..\"");
	refuses(small, "file/x", TREE_PARENTS_IMPLIED, ENOTDIR,
		"file on its way is not a directory");
	refuses(small, "link/x", TREE_PARENTS_IMPLIED, ENOTDIR,
		"link on its way is a symbolic link");
	refuses(small, "no/x", TREE_PARENTS_NEEDED, ENOENT, "there is no directory no");
}

static void a_remembered_way_is_forgotten_when_it_changes(void **state)
{
	struct smalltree *small = *state;
	struct tree_place place;
	struct error error = ERROR_INIT;

	smalltree_add(small, "a/b/x", S_IFREG);
	smalltree_add(small, "a/b/y", S_IFREG);
	smalltree_link(small, "a/b", "elsewhere");
	refuses(small, "a/b/z", TREE_PARENTS_IMPLIED, ENOTDIR, "b on its way is a symbolic link");
	smalltree_add(small, "ab/x", S_IFREG);
	assert_int_equal(tree_edit_locate(small->edit, "abc", TREE_PARENTS_NEEDED, &place, &error),
			 0);
	assert_null(place.node);
	assert_ptr_equal(place.dir, tree_root(small->tree));
}

/* 200,000 names and a way of 10,000 steps: minutes, were they searched one by one. */
static void size_and_depth_are_no_matter(void **state)
{
	struct smalltree *small = *state;
	char name[16], *path = calloc(1, 30001);

	for (int i = 0; i < 200000; i++) {
		snprintf(name, sizeof(name), "d/%d", i ^ 0x155);
		smalltree_add(small, name, S_IFREG | 0644);
	}
	for (int i = 0; i < 10000; i++) {
		memcpy(path + 3 * i, "/xy", 3);
		smalltree_add(small, path, S_IFDIR | 0755);
	}
	free(path);
	smalltree_finish(small);
	assert_int_equal(tree_public(small->tree)->node_count, 210002);
	assert_non_null(smalltree_get(small, "d/199999"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SMALLTREE_TEST(entries_are_sorted_and_parents_implied),
		SMALLTREE_TEST(a_directory_is_found_after_what_is_in_it),
		SMALLTREE_TEST(finished_trees_can_be_edited),
		SMALLTREE_TEST(the_last_entry_can_go),
		SMALLTREE_TEST(ways_that_lead_nowhere_are_refused),
		SMALLTREE_TEST(a_remembered_way_is_forgotten_when_it_changes),
		SMALLTREE_TEST(size_and_depth_are_no_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
