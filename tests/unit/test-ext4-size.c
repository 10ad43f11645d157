/* SPDX-License-Identifier: Apache-2.0 */
/* From a tree to a census, and from that to sizes: step by step, without a window. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check/support/memtree.h"
#include "plugins/ext4/size.h"

static char message[512];

static void keep_error(struct kataimg_host_ctx *ctx, const char *fmt, ...)
{
	va_list args;

	(void)ctx;
	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
}

static unsigned int asked; /* once a layout of a small tree, and once for its census */

static int never_cancelled(struct kataimg_host_ctx *ctx)
{
	(void)ctx;
	asked++;
	return 0;
}

static const char *name_as_path(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
				char *buf, size_t size)
{
	(void)ctx;
	snprintf(buf, size, "%s", node->name);
	return buf;
}

static const struct kataimg_host host = {
	.error = keep_error,
	.cancelled = never_cancelled,
	.path = name_as_path,
};
static const struct kataimg_job job = { .hugepage_bytes = 2 << 20, .window_offset = 3 << 20 };

static struct ext4_source source_of(struct memtree *tree)
{
	message[0] = '\0';
	return (struct ext4_source){ .host = &host, .job = &job, .tree = memtree_finish(tree) };
}

/* A plan that promised too little ends in an error, not in a layout that lacks blocks. */
static void test_layout_that_does_not_fit(void **state)
{
	struct memtree *tree = memtree_new_sample();
	const struct ext4_source source = source_of(tree);
	struct ext4_layout layout = { 0 };
	struct ext4_census census;
	struct ext4_size size;

	(void)state;
	assert_int_equal(ext4_census_make(&census, &source), 0);
	assert_int_equal(ext4_size_plan(&size, &census), 0);
	assert_int_equal(ext4_size_layout(&size, &census, size.blocks * EXT4_BLOCK_BYTES, &layout),
			 0);
	assert_int_equal(layout.placer.missing, 0);
	size.blocks--;
	assert_int_equal(ext4_size_layout(&size, &census, size.blocks * EXT4_BLOCK_BYTES, &layout),
			 -ENOSPC);
	assert_non_null(strstr(message, "is too small for the tree"));
	ext4_layout_clear(&layout);
	ext4_census_clear(&census);
	memtree_free(tree);
}

static void test_tree_that_no_filesystem_holds(void **state)
{
	struct memtree *tree = memtree_new();
	const struct ext4_source source = source_of(tree);
	struct ext4_census census;
	struct ext4_size size;

	(void)state;
	assert_int_equal(ext4_census_make(&census, &source), 0);
	census.content_blocks = UINT64_C(1) << 34;
	assert_int_equal(ext4_size_plan(&size, &census), -EFBIG);
	assert_string_equal(message, "the tree needs more than the largest filesystem holds");
	ext4_census_clear(&census);
	memtree_free(tree);
}

/* What arithmetic excludes is not laid out: a layout takes long. */
static void test_much_free_space(void **state)
{
	const struct kataimg_job roomy = { .hugepage_bytes = 2 << 20,
					   .free_bytes = UINT64_C(1) << 40 };
	struct memtree *tree = memtree_new_sample();
	struct ext4_source source = source_of(tree);
	struct ext4_census census;
	struct ext4_size size;

	(void)state;
	source.job = &roomy;
	asked = 0;
	assert_int_equal(ext4_census_make(&census, &source), 0);
	assert_int_equal(ext4_size_plan(&size, &census), 0);
	assert_in_range(asked, 2, 10);
	ext4_census_clear(&census);
	memtree_free(tree);
}

static void test_attributes_are_kept(void **state)
{
	static const char large[200];
	struct memtree *tree = memtree_new();
	struct kataimg_node *plain = memtree_add_file(memtree_root(tree), "plain", "", 0);
	struct kataimg_node *both = memtree_add_file(memtree_root(tree), "split", "", 0);
	struct ext4_source source;
	struct ext4_census census;
	struct ext4_xattr_set set;

	(void)state;
	memtree_set_xattr(plain, "user.a", "1", 1);
	memtree_set_xattr(both, "user.b", "2", 1);
	memtree_set_xattr(both, "user.large", large, sizeof(large));
	source = source_of(tree);
	assert_int_equal(ext4_census_make(&census, &source), 0);
	set = ext4_census_xattrs(&census, plain);
	assert_int_equal(set.count, 1);
	assert_int_equal(set.in_inode, 1);
	assert_memory_equal(set.attrs[0].name, "a", 1);
	assert_int_equal(census.demands[plain->index].xattr_block, 0);
	set = ext4_census_xattrs(&census, both);
	assert_int_equal(set.count, 2);
	assert_int_equal(set.in_inode, 1);
	assert_memory_equal(set.attrs[0].name, "b", 1);
	assert_memory_equal(set.attrs[1].name, "large", 5);
	assert_int_equal(census.demands[both->index].xattr_block, 1);
	assert_int_equal(census.xattr_blocks.count, 1);
	ext4_census_clear(&census);
	memtree_free(tree);
}

/* Whatever the core let through: none are dropped. */
static void test_attributes_that_cannot_be_stored(void **state)
{
	struct memtree *tree = memtree_new();
	struct ext4_source source;
	struct ext4_census census;

	(void)state;
	memtree_set_xattr(memtree_add_file(memtree_root(tree), "file", "", 0), "btrfs.a", "1", 1);
	source = source_of(tree);
	assert_int_equal(ext4_census_make(&census, &source), -EFBIG);
	assert_string_equal(message,
			    "file: ext4 has no namespace for the extended attribute btrfs.a");
	ext4_census_clear(&census);
	memtree_free(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout_that_does_not_fit),
		cmocka_unit_test(test_tree_that_no_filesystem_holds),
		cmocka_unit_test(test_much_free_space),
		cmocka_unit_test(test_attributes_are_kept),
		cmocka_unit_test(test_attributes_that_cannot_be_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
