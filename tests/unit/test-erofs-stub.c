/* SPDX-License-Identifier: Apache-2.0 */
/* The example backend in trials: what it can store, and what fails as it should. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check/support/trial.h"

/* What the backend says it can store, some of each. */
static struct memtree *new_tree(void)
{
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);
	struct kataimg_node *many = memtree_add_dir(root, "many");
	char name[64];

	memtree_add_file(root, "!", "before the dots", 15);
	memtree_add_file(root, "empty", "", 0);
	memtree_add_pattern(root, "large", (3 << 20) + 1, 1)->uid = UINT32_MAX - 1;
	memtree_add_symlink(root, "link", "many/name-7");
	memtree_add_device(root, "null", KATAIMG_CHR, 1, 300)->mode = 0666;
	memtree_add_special(root, "fifo", KATAIMG_FIFO)->mtime_nsec = 999999999;
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "name-%d", i);
		memtree_add_pattern(many, name, (uint64_t)i * 41, (uint64_t)i);
	}
	return tree;
}

static struct trial *run(const struct trial_setup *setup)
{
	struct trial *trial = trial_new(setup);
	int err = trial_run(trial);

	if (err)
		fail_msg("%s: %d: %s%s", trial_stage(trial), err, trial_error(trial),
			 trial_violation(trial));
	return trial;
}

static void whole_run(void **state)
{
	static const char *const options[] = { "label=first", NULL };
	struct memtree *tree = new_tree();
	struct trial *trial = run(&(struct trial_setup){
		.backend = trial_load_backend(), .tree = tree, .options = options });

	(void)state;
	assert_int_equal(trial_limits(trial)->id, UINT32_MAX - 1); /* -1 is no user */
	assert_string_equal(trial_probed(trial)->label, "first");
	assert_int_equal(trial_probed(trial)->size_bytes, trial_plan(trial)->bytes);
	trial_free(trial);
	memtree_free(tree);
}

/* Data of 2 MiB and more begins at such a multiple, counted from the start of the image. */
static void huge_pages(void **state)
{
	struct memtree *tree = new_tree();
	struct kataimg_job job = trial_default_job();
	struct trial *trial = run(&(struct trial_setup){
		.backend = trial_load_backend(), .tree = tree, .job = &job });
	uint64_t seen = 0;

	(void)state;
	for (uint64_t i = 0; i < trial_place_count(trial); i++) {
		const struct trial_place *place = trial_place_at(trial, i);

		if (place->len < job.hugepage_bytes)
			continue;
		assert_int_equal((job.window_offset + place->off) % job.hugepage_bytes, 0);
		seen++;
	}
	assert_int_equal(seen, 1);
	trial_free(trial);
	memtree_free(tree);
}

static void failing_services(void **state)
{
	struct memtree *tree = new_tree();
	struct trial_setup setup = { .backend = trial_load_backend(), .tree = tree };

	(void)state;
	trial_sweep(&setup, TRIAL_WRITE, EIO, 100);
	trial_sweep(&setup, TRIAL_WRITE, ENOSPC, 100);
	trial_sweep(&setup, TRIAL_PLACE, ENOMEM, 100);
	trial_sweep(&setup, TRIAL_WINDOW_READ, EIO, 100);
	trial_sweep(&setup, TRIAL_DERIVE, EIO, 1);
	memtree_free(tree);
}

static void other_bytes(void **state)
{
	const struct kataimg_backend *backend = trial_load_backend();
	struct kataimg_fs_info info = { .struct_size = sizeof(info) };
	static const uint8_t zeros[8192];

	(void)state;
	assert_int_equal(trial_probe_bytes(backend, zeros, sizeof(zeros), &info), -ENODATA);
	assert_int_equal(trial_probe_bytes(backend, zeros, 100, &info), -ENODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_run),
		cmocka_unit_test(huge_pages),
		cmocka_unit_test(failing_services),
		cmocka_unit_test(other_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
