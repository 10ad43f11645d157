/* SPDX-License-Identifier: Apache-2.0 */
/* The XFS backend in trials: how large it is, in which windows it fits, and where data lies. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/runs.h"
#include "tests/support/trees.h"

#define BLOCK 4096u
#define HUGE (2u << 20)
#define WINDOW_OFFSET (3u << 20)
#define MIB (UINT64_C(1) << 20)
#define TIB (UINT64_C(1) << 40)

/* ---- Sizes ---- */

static uint64_t plan_of(struct memtree *tree, const char *const *options)
{
	struct trial_setup setup = { .tree = tree, .options = options, .plan_only = true };
	struct trial *trial = run_ok(&setup);
	uint64_t bytes = trial_plan(trial)->bytes;

	trial_free(trial);
	return bytes;
}

/* The smallest that kernel and xfs_repair accept. */
static void test_smallest(void **state)
{
	struct memtree *tree = memtree_new();

	(void)state;
	assert_int_equal(plan_of(tree, NULL), 16 * MIB + 256 * 1024);
	memtree_free(tree);
}

/* A full filesystem has nothing left, and less is refused. */
static void test_exact(void **state)
{
	struct trial_setup setup = { .tree = trees_new_large(3, 5 * MIB, 3000) };
	struct trial *trial = run_ok(&setup);

	(void)state;
	assert_int_equal(trial_described(trial)->free_bytes, 0);
	setup.window_bytes = trial_window_bytes(trial) - BLOCK;
	trial_free(trial);
	run_refused(&setup, "describe", -ENOSPC, "too small");
	memtree_free(setup.tree);
}

/* Planned for an amount of free space, it has just that. */
static void test_free_space(void **state)
{
	struct kataimg_job job = trial_default_job();
	struct trial_setup setup = { .tree = memtree_new_sample(), .job = &job };
	struct trial *trial;

	(void)state;
	job.free_bytes = 100 * MIB;
	job.required = KATAIMG_JOB_FREE_SPACE;
	trial = run_ok(&setup);
	assert_int_equal(trial_described(trial)->free_bytes, 100 * MIB);
	trial_free(trial);
	job.free_bytes = 0;
	job.free_inodes = 100000;
	trial = run_ok(&setup);
	assert_true(trial_described(trial)->free_inodes >= 100000);
	assert_true(trial_described(trial)->free_inodes < 100008);
	trial_free(trial);
	memtree_free(setup.tree);
}

static void try_windows(struct memtree *tree, const char *const *options, uint64_t first,
			uint64_t count, uint64_t step)
{
	struct trial_setup setup = { .tree = tree, .options = options, .plan_only = true };

	for (uint64_t i = first; i < first + count; i++) {
		struct trial *trial;

		setup.extra_bytes = i * step * BLOCK;
		trial = run_ok(&setup);
		assert_true(trial_described(trial)->size_bytes <= trial_window_bytes(trial));
		trial_free(trial);
	}
}

/* Every window from the smallest on has a layout. */
static void test_every_window(void **state)
{
	static const char *const seven[] = { "agcount=7", NULL };
	struct memtree *tree = trees_new_large(30, HUGE + 5000, 300);

	(void)state;
	try_windows(tree, NULL, 0, 150, 1);
	try_windows(tree, NULL, 1, 40, 811);
	try_windows(tree, seven, 0, 60, 1);
	/* The kernel's reservation grows by two blocks where the AG grows by one. */
	try_windows(tree, NULL, 254016 - plan_of(tree, NULL) / BLOCK, 80, 1);
	memtree_free(tree);
}

/* Across the largest AG, and at 16 TiB. */
static void test_huge_windows(void **state)
{
	static const uint64_t windows[] = {
		TIB,
		TIB - HUGE,
		TIB - HUGE + BLOCK,
		TIB - HUGE + 63 * BLOCK,
		TIB + BLOCK,
		2 * TIB - 2 * HUGE,
		3 * TIB,
		16 * TIB,
	};
	struct trial_setup setup = { .tree = memtree_new_sample(), .plan_only = true };

	(void)state;
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		struct trial *trial;

		setup.window_bytes = windows[i];
		trial = run_ok(&setup);
		assert_true(windows[i] - trial_described(trial)->size_bytes < 64 * BLOCK);
		trial_free(trial);
	}
	memtree_free(setup.tree);
}

/* Sizes that no 1024 AGs of equal size have are passed over, and cost no more than an eighth of
 * their number beyond it. */
static void test_many_ags(void **state)
{
	static const char *const many[] = { "agcount=1024", NULL };
	static const uint64_t last_size = UINT64_C(1024) * 6144, missing = 2103;
	struct trial_setup setup = {
		.tree = memtree_new(),
		.options = many,
		.plan_only = true,
		.window_bytes = (last_size + missing) * BLOCK,
	};
	struct trial *trial = run_ok(&setup);
	uint64_t size = trial_described(trial)->size_bytes;

	(void)state;
	assert_true(size <= last_size * BLOCK);
	assert_true(size >= (last_size - missing / 8) * BLOCK);
	trial_free(trial);
	setup.window_bytes += BLOCK;
	trial = run_ok(&setup);
	assert_int_equal(trial_described(trial)->size_bytes, setup.window_bytes);
	trial_free(trial);
	memtree_free(setup.tree);
}

static void test_file_beyond_an_ag(void **state)
{
	struct trial_setup setup = { .tree = memtree_new(), .plan_only = true };
	struct trial *trial;

	(void)state;
	memtree_add_pattern(memtree_root(setup.tree), "file", 3 * TIB, 1);
	trial = run_ok(&setup);
	assert_true(trial_plan(trial)->bytes > 3 * TIB);
	assert_true(trial_plan(trial)->bytes < 3 * TIB + 4096 * MIB);
	trial_free(trial);
	memtree_free(setup.tree);
}

/* ---- Placement ---- */

static void check_alignment(const struct trial *trial)
{
	for (uint64_t i = 0; i < trial_place_count(trial); i++) {
		const struct trial_place *place = trial_place_at(trial, i);

		if (place->node->size >= HUGE && place->len >= HUGE)
			assert_int_equal((WINDOW_OFFSET + place->off) % HUGE,
					 place->file_off % HUGE);
	}
}

static uint64_t places_of_large(const struct trial *trial)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i < trial_place_count(trial); i++)
		count += trial_place_at(trial, i)->node->size >= HUGE;
	return count;
}

/* In one piece where there is room; with none, tails go into gaps and save 2 MiB each. */
static void test_huge_pages(void **state)
{
	struct trial_setup setup = { .tree = trees_new_large(8, HUGE + 5000, 0) };
	struct trial *trial = run_ok(&setup);

	(void)state;
	check_alignment(trial);
	assert_int_equal(places_of_large(trial), 16);
	assert_true(trial_plan(trial)->bytes < 10 * HUGE + 10 * MIB);
	trial_free(trial);
	setup.extra_bytes = 100 * MIB;
	trial = run_ok(&setup);
	check_alignment(trial);
	assert_int_equal(places_of_large(trial), 8);
	trial_free(trial);
	memtree_free(setup.tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smallest),     cmocka_unit_test(test_exact),
		cmocka_unit_test(test_free_space),   cmocka_unit_test(test_every_window),
		cmocka_unit_test(test_huge_windows), cmocka_unit_test(test_file_beyond_an_ag),
		cmocka_unit_test(test_many_ags),     cmocka_unit_test(test_huge_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
