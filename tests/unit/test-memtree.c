/* SPDX-License-Identifier: Apache-2.0 */
#include "check/support/memtree.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void numbers_depth_first_in_sorted_order(void **state)
{
	static const char *const expected[] = { ".", "B", "B/z", "a", "a/c", "b" };
	struct memtree *memtree = memtree_new();
	struct kataimg_node *root = memtree_root(memtree);
	const struct kataimg_tree *tree;
	char path[64];

	(void)state;
	memtree_add_file(root, "b", "", 0);
	memtree_add_file(memtree_add_dir(root, "a"), "c", "", 0);
	memtree_add_file(memtree_add_dir(root, "B"), "z", "", 0);
	tree = memtree_finish(memtree);
	assert_int_equal(tree->node_count, 6);
	for (uint32_t i = 0; i < 6; i++) {
		assert_int_equal(tree->nodes[i]->index, i);
		assert_string_equal(tree_path(tree->nodes[i], path, sizeof(path)), expected[i]);
	}
	assert_int_equal(tree->nodes[0]->nlink, 4);
	memtree_free(memtree);
}

static void a_hard_link_is_one_node_named_by_its_first_name(void **state)
{
	struct memtree *memtree = memtree_new();
	struct kataimg_node *root = memtree_root(memtree);
	struct kataimg_node *file = memtree_add_file(root, "z", "data", 4);

	(void)state;
	memtree_add_link(memtree_add_dir(root, "d"), "y", file);
	assert_int_equal(memtree_finish(memtree)->node_count, 3);
	assert_int_equal(file->nlink, 2);
	assert_string_equal(file->name, "y");
	assert_ptr_equal(memtree_find(memtree, "d/y"), file);
	assert_ptr_equal(memtree_find(memtree, "z"), file);
	memtree_free(memtree);
}

static void holes_split_segments_and_read_as_zeros(void **state)
{
	struct memtree *memtree = memtree_new();
	struct kataimg_node *file = memtree_add_pattern(memtree_root(memtree), "f", 20000, 9);
	uint8_t whole[20000], part[100];

	(void)state;
	memtree_punch_hole(file, 4096, 8192);
	memtree_finish(memtree);
	assert_int_equal(file->segment_count, 2);
	assert_int_equal(file->segments[0].len, 4096);
	assert_int_equal(file->segments[1].file_off, 12288);
	assert_int_equal(file->segments[1].len, 20000 - 12288);
	assert_int_equal(memtree_read(file, 0, whole, sizeof(whole)), 0);
	assert_int_equal(memtree_read(file, 4050, part, sizeof(part)), 0);
	assert_memory_equal(part, whole + 4050, sizeof(part));
	for (size_t i = 4096; i < 12288; i++)
		assert_int_equal(whole[i], 0);
	assert_int_not_equal(memcmp(whole, whole + 12288, 4096), 0);
	assert_int_equal(memtree_read(file, 19999, part, 2), -ERANGE);
	memtree_free(memtree);
}

static void xattrs_are_sorted(void **state)
{
	struct memtree *memtree = memtree_new();
	struct kataimg_node *root = memtree_root(memtree);

	(void)state;
	memtree_set_xattr(root, "user.b", "1", 1);
	memtree_set_xattr(root, "security.x", "22", 2);
	memtree_set_xattr(root, "user.a", "", 0);
	memtree_finish(memtree);
	assert_int_equal(root->xattr_count, 3);
	assert_string_equal(root->xattrs[0].name, "security.x");
	assert_string_equal(root->xattrs[1].name, "user.a");
	assert_int_equal(root->xattrs[2].value_len, 1);
	memtree_free(memtree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_depth_first_in_sorted_order),
		cmocka_unit_test(a_hard_link_is_one_node_named_by_its_first_name),
		cmocka_unit_test(holes_split_segments_and_read_as_zeros),
		cmocka_unit_test(xattrs_are_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
