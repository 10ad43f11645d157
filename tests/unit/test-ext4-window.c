/* SPDX-License-Identifier: Apache-2.0 */
/* The ext4 backend in trials: how large it is, in which windows it fits, and where data lies. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/runs.h"

#define BLOCK 4096u
#define GROUP_BLOCKS 32768u
#define HUGE (2u << 20)
#define WINDOW_OFFSET (3u << 20)

static const char *const no_journal[] = { "journal=no", NULL };

/* ---- The judge: e2fsck has nothing to say ---- */

static void judge(const struct trial *trial)
{
	char path[] = "/tmp/test-ext4-XXXXXX";
	char command[128];
	int fd = mkstemp(path);
	int status;

	assert_true(fd >= 0);
	close(fd);
	trial_save(trial, path);
	/* Five passes and two lines of greeting and result. */
	snprintf(command, sizeof(command),
		 "out=$(e2fsck -fn %s 2>&1) && [ $(echo \"$out\" | wc -l) = 7 ]", path);
	status = system(command);
	unlink(path);
	if (status)
		fail_msg("e2fsck complains of a window of %llu bytes",
			 (unsigned long long)trial_window_bytes(trial));
}

static void judge_window(struct memtree *tree, const char *const *options, uint64_t blocks)
{
	struct trial *trial = run_ok(&(struct trial_setup){
		.tree = tree, .options = options, .window_bytes = blocks * BLOCK });

	judge(trial);
	trial_free(trial);
}

static void test_windows(void **state)
{
	static const uint64_t windows[] = {
		0,
		GROUP_BLOCKS - 1,
		GROUP_BLOCKS,
		GROUP_BLOCKS + 1,
		GROUP_BLOCKS + 89,
		GROUP_BLOCKS + 90,
		2 * GROUP_BLOCKS + 88,
		3 * GROUP_BLOCKS + 1000,
		70 * GROUP_BLOCKS,
	};
	struct memtree *tree = memtree_new_sample();

	(void)state;
	if (!have_program("e2fsck"))
		skip();
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++)
		judge_window(tree, NULL, windows[i]);
	judge_window(tree, no_journal, 0);
	memtree_free(tree);
}

static void test_empty_tree(void **state)
{
	struct memtree *tree = memtree_new();

	(void)state;
	if (!have_program("e2fsck"))
		skip();
	judge_window(tree, NULL, 0);
	judge_window(tree, no_journal, 0);
	memtree_free(tree);
}

/* ---- Sizes ---- */

static void test_plan_is_smallest(void **state)
{
	struct memtree *tree = memtree_new_sample();
	struct trial *trial = run_ok(&(struct trial_setup){ .tree = tree });
	uint64_t bytes = trial_plan(trial)->bytes;

	(void)state;
	assert_int_equal(trial_plan(trial)->granularity, BLOCK);
	assert_int_equal(trial_described(trial)->size_bytes, bytes);
	/* No block is left of the superblock's count. */
	assert_int_equal(run_word(trial, 1024 + 12), 0);
	trial_free(trial);
	run_refused(&(struct trial_setup){ .tree = tree, .window_bytes = bytes - BLOCK },
		    "describe", -ENOSPC, "too small");
	memtree_free(tree);
}

static void test_window_is_filled(void **state)
{
	struct memtree *tree = memtree_new_sample();
	struct trial *trial = run_ok(
		&(struct trial_setup){ .tree = tree, .window_bytes = (GROUP_BLOCKS + 10) * BLOCK });

	(void)state;
	assert_int_equal(trial_described(trial)->size_bytes, GROUP_BLOCKS * BLOCK);
	assert_non_null(strstr(trial_log(trial), "40960 bytes"));
	trial_free(trial);
	trial = run_ok(&(struct trial_setup){ .tree = tree,
					      .window_bytes = (GROUP_BLOCKS + 500) * BLOCK });
	assert_int_equal(trial_described(trial)->size_bytes, (GROUP_BLOCKS + 500) * BLOCK);
	assert_string_equal(trial_log(trial), "");
	trial_free(trial);
	memtree_free(tree);
}

static void test_free_space(void **state)
{
	struct memtree *tree = memtree_new_sample();
	struct kataimg_job job = trial_default_job();
	struct trial *trial;

	(void)state;
	job.required |= KATAIMG_JOB_FREE_SPACE;
	job.free_bytes = 10 << 20;
	job.free_inodes = 1000;
	trial = run_ok(&(struct trial_setup){ .tree = tree, .job = &job });
	assert_in_range(trial_described(trial)->free_bytes, job.free_bytes,
			job.free_bytes + 2 * BLOCK);
	assert_in_range(trial_described(trial)->free_inodes, job.free_inodes, job.free_inodes + 15);
	if (have_program("e2fsck"))
		judge(trial);
	trial_free(trial);
	memtree_free(tree);
}

static void test_many_inodes(void **state)
{
	static const char *const options[] = { "inodes=200000", NULL };
	struct memtree *tree = memtree_new_sample();
	struct trial *trial = run_ok(&(struct trial_setup){ .tree = tree, .options = options });

	(void)state;
	assert_in_range(trial_described(trial)->inodes, 200000, 200200);
	/* Its tables and the tree; full groups would take seven times 128 MiB. */
	assert_in_range(trial_plan(trial)->bytes, 200000 * 256, 80 << 20);
	if (have_program("e2fsck"))
		judge(trial);
	trial_free(trial);
	memtree_free(tree);
}

/* In the smallest size many inodes need small groups, in a window with room for full ones not: a
 * multitude of small ones would leave no room for their descriptors. */
static void test_many_inodes_in_large_windows(void **state)
{
	static const char *const options[] = { "inodes=4000000", NULL };
	static const uint64_t windows[] = { UINT64_C(20) << 30, UINT64_C(2) << 40 };
	struct memtree *tree = memtree_new();

	(void)state;
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		struct trial *trial = run_ok(&(struct trial_setup){
			.tree = tree, .options = options, .window_bytes = windows[i] });

		assert_int_equal(trial_described(trial)->size_bytes, windows[i]);
		assert_in_range(trial_described(trial)->inodes, 4000000, 4300000);
		assert_int_equal(run_word(trial, 1024 + 32), GROUP_BLOCKS);
		if (i == 0 && have_program("e2fsck"))
			judge(trial);
		trial_free(trial);
	}
	memtree_free(tree);
}

static void test_most_inodes(void **state)
{
	static const char *const options[] = { "inodes=1000000000", NULL };
	struct memtree *tree = memtree_new();
	struct trial *trial = run_ok(&(struct trial_setup){ .tree = tree, .options = options });

	(void)state;
	assert_in_range(trial_described(trial)->inodes, 1000000000, 1000500000);
	trial_free(trial);
	memtree_free(tree);
}

/* ---- Placement ---- */

static struct memtree *new_large_files(void)
{
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);
	struct kataimg_node *sparse = memtree_add_pattern(root, "sparse", 20 << 20, 9);
	char name[16];

	memtree_punch_hole(sparse, 1 << 20, 5 << 20);
	memtree_add_pattern(root, "wide", 200 << 20, 10);
	for (uint32_t i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "large%u", i);
		memtree_add_pattern(root, name, HUGE + i * 7000, i);
	}
	for (uint32_t i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "small%u", i);
		memtree_add_pattern(root, name, i * 100, i);
	}
	return tree;
}

/* Every whole huge page of data in a large file lies on one of the image. */
static void check_places(const struct trial *trial, uint64_t *places_of_large)
{
	*places_of_large = 0;
	for (uint64_t i = 0; i < trial_place_count(trial); i++) {
		const struct trial_place *place = trial_place_at(trial, i);
		uint64_t first_page = (place->file_off + HUGE - 1) / HUGE * HUGE;
		uint64_t image_off = WINDOW_OFFSET + place->off + first_page - place->file_off;

		if (place->node->size < HUGE)
			continue;
		++*places_of_large;
		if (first_page + HUGE <= place->file_off + place->len)
			assert_int_equal(image_off % HUGE, 0);
	}
}

static void test_large_files_are_aligned(void **state)
{
	struct memtree *tree = new_large_files();
	struct trial *trial = run_ok(&(struct trial_setup){ .tree = tree });
	uint64_t places;

	(void)state;
	check_places(trial, &places);
	/* In the smallest size they are cut, but never within a huge page. */
	assert_in_range(places, 4 + 2 + 2, 2 * 4 + 3 + 4);
	assert_int_equal(run_word(trial, 1024 + 12), 0);
	if (have_program("e2fsck"))
		judge(trial);
	trial_free(trial);
	trial = run_ok(&(struct trial_setup){ .tree = tree, .window_bytes = 640 << 20 });
	check_places(trial, &places);
	/* Four whole, the sparse one in its two segments, the wide one by extents of 128 MiB. */
	assert_int_equal(places, 4 + 2 + 2);
	trial_free(trial);
	memtree_free(tree);
}

/* ---- Extended attributes ---- */

static void test_shared_blocks(void **state)
{
	struct memtree *tree = memtree_new();
	struct memtree *plain = memtree_new();
	struct trial *trial, *plain_host;
	char name[16], value[200];

	(void)state;
	memset(value, 'v', sizeof(value));
	for (uint32_t i = 0; i < 1100; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		memtree_set_xattr(memtree_add_file(memtree_root(tree), name, "", 0), "user.a",
				  value, sizeof(value));
		memtree_add_file(memtree_root(plain), name, "", 0);
	}
	trial = run_ok(&(struct trial_setup){ .tree = tree });
	plain_host = run_ok(&(struct trial_setup){ .tree = plain });
	/* A block has 1024 users at most. */
	assert_int_equal(trial_plan(trial)->bytes, trial_plan(plain_host)->bytes + 2 * BLOCK);
	if (have_program("e2fsck"))
		judge(trial);
	trial_free(trial);
	trial_free(plain_host);
	memtree_free(tree);
	memtree_free(plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_empty_tree),
		cmocka_unit_test(test_plan_is_smallest),
		cmocka_unit_test(test_window_is_filled),
		cmocka_unit_test(test_free_space),
		cmocka_unit_test(test_many_inodes),
		cmocka_unit_test(test_many_inodes_in_large_windows),
		cmocka_unit_test(test_most_inodes),
		cmocka_unit_test(test_large_files_are_aligned),
		cmocka_unit_test(test_shared_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
