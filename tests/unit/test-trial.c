/* SPDX-License-Identifier: Apache-2.0 */
/* The judge of backends is itself judged: by a backend that behaves, and by its sins one by one. */
#include "check/support/trial.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "check/support/must.h"

enum sin {
	SIN_NONE,
	SIN_SILENT_ERROR,
	SIN_WRITE_IN_VERIFY,
	SIN_WRITE_OVER_PLACED,
	SIN_READ_PLACED,
	SIN_BEYOND_WINDOW,
	SIN_BEYOND_FILE,
	SIN_BEHIND_PLAN,
	SIN_WRONG_DESCRIPTION,
	SIN_NESTED_PARALLEL,
	SIN_ODD_GRANULARITY,
	SIN_OTHER_ERROR
};

/* The "filesystem": a block with the tree's first regular file's size, then the file. */
struct toyfs {
	const struct kataimg_host *host;
	enum sin sin;
	uint64_t size;
};

static const struct kataimg_option toyfs_options[] = {
	{ .name = "sin",
	  .type = KATAIMG_OPT_U64,
	  .default_value = "0",
	  .help = "what to do wrong" },
};

static int toyfs_open(const struct kataimg_host *host, const struct kataimg_job *job,
		      const struct kataimg_value *values, void **state)
{
	struct toyfs *toyfs = calloc(1, sizeof(*toyfs));

	assert_non_null(toyfs);
	assert_int_equal(job->window_offset, 3 << 20);
	toyfs->host = host;
	toyfs->sin = (enum sin)values[0].number;
	*state = toyfs;
	return 0;
}

static int toyfs_plan(void *state, const struct kataimg_tree *tree, struct kataimg_plan *plan)
{
	struct toyfs *toyfs = state;

	toyfs->size = tree->nodes[1]->size;
	plan->granularity = toyfs->sin == SIN_ODD_GRANULARITY ? 1000 : 4096;
	plan->bytes = 4096 + (toyfs->size + 4095) / 4096 * 4096;
	if (toyfs->sin == SIN_BEHIND_PLAN)
		memset(plan + 1, 0, 1);
	if (toyfs->sin == SIN_SILENT_ERROR)
		return -EIO;
	return 0;
}

static int toyfs_describe(void *state, uint64_t window_bytes, struct kataimg_fs_info *info)
{
	const struct toyfs *toyfs = state;

	info->size_bytes = window_bytes;
	info->block_bytes = 4096;
	info->inodes = toyfs->sin == SIN_WRONG_DESCRIPTION ? 2 : 1;
	strcpy(info->type, "toyfs");
	return 0;
}

static int nothing(void *arg, uint64_t index)
{
	(void)arg;
	(void)index;
	return 0;
}

static int nested(void *arg, uint64_t index)
{
	const struct kataimg_host *host = arg;

	return host->parallel(host->ctx, index + 1, nothing, NULL);
}

static int toyfs_write(void *state, const struct kataimg_tree *tree, uint64_t window_bytes)
{
	const struct toyfs *toyfs = state;
	const struct kataimg_host *host = toyfs->host;
	const struct kataimg_node *file = tree->nodes[1];
	uint8_t byte = 0;
	int ret = host->write(host->ctx, 0, &toyfs->size, sizeof(toyfs->size));

	if (ret < 0 && toyfs->sin == SIN_OTHER_ERROR)
		return -ENOSPC;
	if (ret == 0)
		ret = host->place(host->ctx, 4096, file, 0,
				  file->size + (toyfs->sin == SIN_BEYOND_FILE));
	if (ret == 0 && toyfs->sin == SIN_WRITE_OVER_PLACED)
		ret = host->write(host->ctx, 4095, &ret, 2);
	if (ret == 0 && toyfs->sin == SIN_READ_PLACED)
		ret = host->window_read(host->ctx, 4096, &byte, 1);
	if (ret == 0 && toyfs->sin == SIN_BEYOND_WINDOW)
		ret = host->write(host->ctx, window_bytes, &byte, 1);
	if (ret == 0 && toyfs->sin == SIN_NESTED_PARALLEL)
		ret = host->parallel(host->ctx, 1, nested, (void *)(uintptr_t)host);
	return ret;
}

static int toyfs_verify(void *state, uint64_t window_bytes)
{
	const struct toyfs *toyfs = state;
	const struct kataimg_host *host = toyfs->host;
	uint64_t size = 0;
	int ret = host->window_read(host->ctx, 0, &size, sizeof(size));

	(void)window_bytes;
	if (ret == 0 && size != toyfs->size) {
		host->error(host->ctx, "the size is wrong");
		ret = -EILSEQ;
	}
	if (ret == 0 && toyfs->sin == SIN_WRITE_IN_VERIFY)
		ret = host->write(host->ctx, 0, &size, sizeof(size));
	return ret;
}

static void toyfs_close(void *state)
{
	free(state);
}

static int toyfs_probe(const struct kataimg_host *host, uint64_t window_bytes,
		       struct kataimg_fs_info *info)
{
	uint64_t size;
	int ret = host->window_read(host->ctx, 0, &size, sizeof(size));

	if (ret == 0)
		ret = toyfs_describe(&(struct toyfs){ .host = host }, window_bytes, info);
	return ret;
}

static const struct kataimg_backend toyfs = {
	.struct_size = sizeof(toyfs),
	.name = "toyfs",
	.options = toyfs_options,
	.option_count = 1,
	.open = toyfs_open,
	.plan = toyfs_plan,
	.describe = toyfs_describe,
	.write = toyfs_write,
	.verify = toyfs_verify,
	.close = toyfs_close,
	.probe = toyfs_probe,
};

#define FILE_BYTES 10000

static struct trial_setup new_setup(void)
{
	struct trial_setup setup = { .backend = &toyfs, .tree = memtree_new() };

	memtree_add_pattern(memtree_root(setup.tree), "file", FILE_BYTES, 1);
	return setup;
}

static void a_good_backend_leaves_its_window(void **state)
{
	struct trial_setup setup = new_setup();
	struct trial *trial = trial_new(&setup);
	uint8_t placed[FILE_BYTES], expected[FILE_BYTES];

	(void)state;
	assert_int_equal(trial_run(trial), 0);
	assert_int_equal(trial_window_bytes(trial), 4096 + 12288);
	assert_int_equal(trial_place_count(trial), 1);
	trial_read(trial, 4096, placed, sizeof(placed));
	memtree_read(memtree_find(setup.tree, "file"), 0, expected, sizeof(expected));
	assert_memory_equal(placed, expected, sizeof(placed));
	assert_string_equal(trial_probed(trial)->type, "toyfs");
	trial_free(trial);
	trial_sweep(&setup, TRIAL_WRITE, EIO, 9);
	trial_sweep(&setup, TRIAL_PLACE, ENOSPC, 9);
	trial_sweep(&setup, TRIAL_WINDOW_READ, EIO, 9);
	memtree_free(setup.tree);
}

static void every_sin_is_found(void **state)
{
	static const struct {
		enum sin sin;
		int ret;
		const char *stage, *words;
	} sins[] = {
		{ SIN_SILENT_ERROR, -EPROTO, "plan", "without a message" },
		{ SIN_WRITE_IN_VERIFY, -EPROTO, "verify", "write was called during verify" },
		{ SIN_WRITE_OVER_PLACED, -EEXIST, "write", "overlaps what is there" },
		{ SIN_READ_PLACED, -EBUSY, "write", "not copied yet" },
		{ SIN_BEYOND_WINDOW, -ERANGE, "write", "leaves the window" },
		{ SIN_BEYOND_FILE, -EPROTO, "write", "a file of 10000 bytes" },
		{ SIN_BEHIND_PLAN, -EPROTO, "plan", "wrote behind what it was given" },
		{ SIN_WRONG_DESCRIPTION, -EPROTO, "probe", "has inodes 1, planned were 2" },
		{ SIN_NESTED_PARALLEL, -EPROTO, "write", "parallel inside parallel" },
		{ SIN_ODD_GRANULARITY, -EPROTO, "plan", "granularity 1000" },
	};
	struct trial_setup setup = new_setup();

	(void)state;
	for (size_t i = 0; i < sizeof(sins) / sizeof(sins[0]); i++) {
		char text[32];
		struct trial *trial;

		snprintf(text, sizeof(text), "sin=%d", sins[i].sin);
		setup.options = (const char *const[]){ text, NULL };
		trial = trial_new(&setup);
		assert_int_equal(trial_run(trial), sins[i].ret);
		assert_string_equal(trial_stage(trial), sins[i].stage);
		assert_non_null(strstr(trial_error(trial), sins[i].words));
		trial_free(trial);
	}
	memtree_free(setup.tree);
}

static void verify_sees_a_corrupted_window(void **state)
{
	struct trial_setup setup = new_setup();
	struct trial *trial;

	(void)state;
	setup.corrupt = "x";
	setup.corrupt_len = 1;
	trial = trial_new(&setup);
	assert_int_equal(trial_run(trial), -EILSEQ);
	assert_string_equal(trial_error(trial), "toyfs: the size is wrong");
	trial_free(trial);
	memtree_free(setup.tree);
}

static void cancelled_builds_return_ecanceled(void **state)
{
	struct trial_setup setup = new_setup();
	struct trial *trial = trial_new(&setup);

	(void)state;
	trial_cancel_after(trial, 1);
	assert_int_equal(trial_run(trial), -ECANCELED);
	assert_string_equal(trial_stage(trial), "write");
	trial_free(trial);
	memtree_free(setup.tree);
}

/* ---- Wrong uses end the test, and say where ---- */

static void load_nothing(void)
{
	unsetenv("KATAIMG_TEST_BACKEND");
	trial_load_backend();
}

static void load_what_is_no_module(void)
{
	setenv("KATAIMG_TEST_BACKEND", "/dev/null", 1);
	trial_load_backend();
}

static void give_an_option_that_is_none(void)
{
	struct trial_setup setup = new_setup();

	setup.options = (const char *const[]){ "virtue=1", NULL };
	trial_run(trial_new(&setup));
}

static void ask_for_a_place_too_many(void)
{
	struct trial_setup setup = new_setup();
	struct trial *trial = trial_new(&setup);

	trial_run(trial);
	trial_place_at(trial, 1);
}

static void sweep_what_makes_another_error_of_it(void)
{
	struct trial_setup setup = new_setup();
	char text[32];

	snprintf(text, sizeof(text), "sin=%d", SIN_OTHER_ERROR);
	setup.options = (const char *const[]){ text, NULL };
	trial_sweep(&setup, TRIAL_WRITE, EIO, 1);
}

/* The process ends with this status, or by the signal (128 and more), after these words. */
static void expect_end(void (*use)(void), int expected, const char *words)
{
	int fd = memfd_create("said", MFD_CLOEXEC), status;
	char said[500] = "";
	pid_t child = fork();

	if (child == 0) {
		signal(SIGABRT, SIG_DFL); /* cmocka catches it */
		dup2(fd, STDERR_FILENO);
		use();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
			 expected);
	assert_true(pread(fd, said, sizeof(said) - 1, 0) >= 0);
	if (!strstr(said, words))
		fail_msg("'%s' lacks '%s'", said, words);
	close(fd);
}

static void wrong_uses_end_the_test(void **state)
{
	(void)state;
	expect_end(load_nothing, 128 + SIGABRT, "KATAIMG_TEST_BACKEND: not set");
	expect_end(load_what_is_no_module, 128 + SIGABRT, "/dev/null: ");
	expect_end(give_an_option_that_is_none, MUST_STATUS, "the backend has no such key");
	expect_end(give_an_option_that_is_none, MUST_STATUS, "trial->values does not hold");
	expect_end(ask_for_a_place_too_many, MUST_STATUS, "does not hold");
	expect_end(sweep_what_makes_another_error_of_it, 128 + SIGABRT,
		   "call 1 of service 1 failed with -5 in write, the run returned -28");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_backend_leaves_its_window),
		cmocka_unit_test(every_sin_is_found),
		cmocka_unit_test(verify_sees_a_corrupted_window),
		cmocka_unit_test(cancelled_builds_return_ecanceled),
		cmocka_unit_test(wrong_uses_end_the_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
