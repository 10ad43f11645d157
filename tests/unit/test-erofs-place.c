/* SPDX-License-Identifier: Apache-2.0 */
/* Where the EROFS backend puts what files have: huge pages, holes, and what is stored once. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/byteorder.h"
#include "tests/support/erofsread.h"
#include "tests/support/runs.h"
#include "tests/support/trees.h"

static const char *const lz4[] = { "compress=lz4", "data=packed", NULL };
static const char *const all_fragments[] = { "compress=lz4hc", "level=1",     "cluster-size=1M",
					     "fragments=all",  "tail=inline", NULL };

static struct memtree *new_huge_tree(void)
{
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);
	char name[32];

	for (uint32_t i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "small-%u", i);
		memtree_add_pattern(root, name, 1 + i * 97, i);
	}
	for (uint32_t i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "huge-%u", i);
		memtree_add_pattern(root, name, ((3 + i) << 20) + 1, i);
	}
	return tree;
}

/* Data of 2 MiB and more begins where a guest maps huge pages, and the gaps do not stay empty. */
static void huge_pages(void **state)
{
	struct memtree *tree = new_huge_tree();
	struct kataimg_job job = trial_default_job();
	struct trial *aligned = run_tree(tree, NULL, &job), *loose;
	uint64_t huge = 0;

	(void)state;
	for (uint64_t i = 0; i < trial_place_count(aligned); i++) {
		const struct trial_place *place = trial_place_at(aligned, i);

		if (place->node->size < job.hugepage_bytes)
			continue;
		assert_int_equal((job.window_offset + place->off) % job.hugepage_bytes, 0);
		huge++;
	}
	assert_int_equal(huge, 3);
	job.hugepage_bytes = 0;
	loose = run_tree(tree, NULL, &job);
	assert_in_range(trial_plan(aligned)->bytes, trial_plan(loose)->bytes,
			trial_plan(loose)->bytes * 1005 / 1000);
	trial_free(aligned);
	trial_free(loose);
	memtree_free(tree);
}

/* Holes are neither written nor counted. */
static void holes(void **state)
{
	struct memtree *tree = memtree_new();
	struct kataimg_node *file =
		memtree_add_pattern(memtree_root(tree), "sparse", UINT64_C(5) << 30, 1);
	struct trial *trial;
	struct erofsread_inode inode;

	(void)state;
	memtree_punch_hole(file, 4096, (UINT64_C(5) << 30) - 8192);
	trial = run_tree(tree, NULL, NULL);
	inode = erofsread_find(trial, "sparse");
	assert_int_equal(inode.layout, 4);
	assert_int_equal(inode.size, UINT64_C(5) << 30);
	assert_in_range(trial_plan(trial)->bytes, 8192, 1 << 20);
	assert_string_equal(trial_probed(trial)->min_kernel, "5.15");
	trial_free(trial);
	memtree_free(tree);
}

static void equal_files_share(void **state)
{
	static const char *const dedupe[] = { "dedupe=yes", NULL };
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);
	struct trial *trial;

	(void)state;
	memtree_add_pattern(root, "a", 100000, 7);
	memtree_add_pattern(root, "b", 100000, 7);
	memtree_add_pattern(root, "c", 100000, 8);
	trial = run_tree(tree, dedupe, NULL);
	assert_string_equal(trial_fact(trial, "deduplicated_files"), "1");
	assert_string_equal(trial_fact(trial, "deduplicated_bytes"), "102400");
	assert_int_equal(erofsread_find(trial, "a").u, erofsread_find(trial, "b").u);
	assert_int_not_equal(erofsread_find(trial, "a").u, erofsread_find(trial, "c").u);
	erofsread_compare(trial, memtree_finish(tree));
	trial_free(trial);
	memtree_free(tree);
}

/* Of two files that only differ in their holes one is stored; and a terabyte of hole is not read.
 */
static void equal_sparse_files_share(void **state)
{
	static const char *const dedupe[] = { "dedupe=yes", NULL };
	static const uint64_t tib = UINT64_C(1) << 40;
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);
	uint8_t *content = calloc(1, 300000);
	struct trial *trial;

	(void)state;
	assert_non_null(content);
	content[0] = content[280000] = 'x';
	memtree_add_file(root, "filled", content, 300000);
	memtree_punch_hole(memtree_add_file(root, "holed", content, 300000), 8192, 266240);
	content[280000] = 'y';
	memtree_punch_hole(memtree_add_file(root, "other", content, 300000), 8192, 266240);
	memtree_punch_hole(memtree_add_pattern(root, "tib", tib, 1), 4096, tib - 8192);
	memtree_punch_hole(memtree_add_pattern(root, "tib-equal", tib, 1), 4096, tib - 8192);
	memtree_punch_hole(memtree_add_pattern(root, "tib-hole", tib, 1), 0, tib);
	memtree_punch_hole(memtree_add_pattern(root, "tib-more", tib, 1), 8192, tib - 12288);
	trial = run_tree(tree, dedupe, NULL);
	assert_string_equal(trial_fact(trial, "deduplicated_files"), "2");
	assert_int_equal(erofsread_find(trial, "filled").u, erofsread_find(trial, "holed").u);
	assert_int_not_equal(erofsread_find(trial, "filled").u, erofsread_find(trial, "other").u);
	trial_free(trial);
	memtree_free(tree);
	free(content);
}

/* Its index would not fit: nothing of it is read, and there is room for all of it. */
static void vast_files_stay_as_they_are(void **state)
{
	struct memtree *tree = memtree_new();
	struct trial *trial;
	uint64_t size = UINT64_C(9) << 40;

	(void)state;
	memtree_add_pattern(memtree_root(tree), "vast", size, 1);
	trial = trial_new(&(struct trial_setup){
		.backend = trial_load_backend(), .tree = tree, .options = lz4 });
	trial_fail(trial, TRIAL_WRITE, 1, EIO); /* the plan is enough */
	assert_int_equal(trial_run(trial), -EIO);
	assert_string_equal(trial_stage(trial), "write");
	assert_int_equal(trial_calls(trial, TRIAL_SOURCE_READ), 0);
	assert_in_range(trial_plan(trial)->bytes, size, size + (1 << 20));
	trial_free(trial);
	memtree_free(tree);
}

/* Equal fragments are in the packed inode once; files that are alike lie together, whatever
 * directory they are in. */
static void fragments_lie_by_name(void **state)
{
	static const struct {
		const char *dir, *name;
		size_t len;
		uint32_t seed;
		uint64_t off;
	} files[] = { { "a", "one.txt", 500, 1, 1900 }, { "a", "z", 800, 2, 0 },
		      { "b", "one.txt", 500, 3, 2400 }, { "b", "x.c", 700, 4, 1200 },
		      { "b", "z", 400, 5, 800 },        { "c", "other", 700, 4, 1200 } };
	struct memtree *tree = memtree_new();
	struct kataimg_node *dir = NULL;
	struct trial *trial;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!i || strcmp(files[i].dir, files[i - 1].dir) != 0)
			dir = memtree_add_dir(memtree_root(tree), files[i].dir);
		trees_add_mixed(dir, files[i].name, files[i].len, files[i].seed);
	}
	trial = run_tree(tree, all_fragments, NULL);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct erofsread_inode inode;
		char path[32];
		le64 header;

		snprintf(path, sizeof(path), "%s/%s", files[i].dir, files[i].name);
		inode = erofsread_find(trial, path);
		trial_read(trial, inode.inode_off + inode.inode_bytes, &header, sizeof(header));
		assert_int_equal(from_le64(header), files[i].off | UINT64_C(1) << 63);
		assert_int_equal(inode.u, 1);
	}
	assert_string_equal(trial_fact(trial, "fragments"), "5");
	erofsread_compare(trial, memtree_finish(tree));
	trial_free(trial);
	memtree_free(tree);
}

/* What a guest maps begins at huge pages and is plain, whatever else is done to the rest; of equal
 * files all are what one is. */
static void mapped_files_are_plain(void **state)
{
	static const char *const options[] = { "data=auto",     "map=*.so usr/**", "compress=lz4",
					       "fragments=all", "dedupe=yes",      NULL };
	static const struct {
		const char *path;
		uint8_t layout;
	} files[] = {
		{ "other", 3 }, { "x.so", 0 }, { "x.sox", 3 }, { "usr/tool", 0 }, { "again", 0 }
	};
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);
	struct trial *trial;

	(void)state;
	trees_add_mixed(root, "other", 3 << 20, 1);
	trees_add_mixed(root, "x.so", 3 << 20, 2);
	trees_add_mixed(root, "x.sox", 5000, 3);
	trees_add_mixed(root, "again", 5001, 4);
	trees_add_mixed(memtree_add_dir(root, "usr"), "tool", 5001, 4);
	trial = run_tree(tree, options, NULL);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		assert_int_equal(erofsread_find(trial, files[i].path).layout, files[i].layout);
	/* The window begins at 3 MiB of the image. */
	assert_int_equal(erofsread_find(trial, "x.so").u % 512, 256);
	erofsread_compare(trial, memtree_finish(tree));
	trial_free(trial);
	memtree_free(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fragments_lie_by_name),
		cmocka_unit_test(mapped_files_are_plain),
		cmocka_unit_test(huge_pages),
		cmocka_unit_test(holes),
		cmocka_unit_test(equal_files_share),
		cmocka_unit_test(equal_sparse_files_share),
		cmocka_unit_test(vast_files_stay_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
