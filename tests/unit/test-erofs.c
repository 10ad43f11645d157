/* SPDX-License-Identifier: Apache-2.0 */
/* The EROFS backend through a fake host: whole runs, failing services, and what it must refuse. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ondisk/byteorder.h"
#include "tests/support/fakehost.h"

static const char *const packed[] = { "data=packed", NULL };

static struct fakehost *run_ok(struct memtree *tree, const char *const *options,
			       const struct kataimg_job *job)
{
	struct fakehost *host = fakehost_new(&(struct fakehost_setup){
		.backend = fakehost_load_backend(), .tree = tree, .options = options, .job = job });
	int err = fakehost_run(host);

	if (err)
		fail_msg("%s: %d: %s%s", fakehost_stage(host), err, fakehost_error(host),
			 fakehost_violation(host));
	return host;
}

static void sample_runs(void **state)
{
	static const char *const *const variants[] = { NULL, packed };

	(void)state;
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		struct memtree *tree = memtree_new_sample();
		struct fakehost *host = run_ok(tree, variants[i], NULL);

		assert_string_equal(fakehost_probed(host)->type, "erofs");
		assert_int_equal(fakehost_probed(host)->size_bytes, fakehost_plan(host)->bytes);
		assert_int_equal(fakehost_probed(host)->inodes, memtree_finish(tree)->node_count);
		fakehost_free(host);
		memtree_free(tree);
	}
}

/* A read-only filesystem is as large as planned, whatever the window. */
static void larger_window(void **state)
{
	struct memtree *tree = memtree_new_sample();
	struct fakehost *host = fakehost_new(&(struct fakehost_setup){
		.backend = fakehost_load_backend(), .tree = tree, .extra_bytes = 1 << 20 });

	(void)state;
	assert_int_equal(fakehost_run(host), 0);
	assert_int_equal(fakehost_probed(host)->size_bytes, fakehost_plan(host)->bytes);
	fakehost_free(host);
	memtree_free(tree);
}

static void failing_services(void **state)
{
	struct memtree *tree = memtree_new_sample();
	struct fakehost_setup setup = { .backend = fakehost_load_backend(),
					.tree = tree,
					.options = packed };

	(void)state;
	fakehost_sweep(&setup, FAKEHOST_WRITE, EIO, 50);
	fakehost_sweep(&setup, FAKEHOST_WRITE, ENOSPC, 50);
	fakehost_sweep(&setup, FAKEHOST_PLACE, ENOMEM, 50);
	fakehost_sweep(&setup, FAKEHOST_SOURCE_READ, EIO, 50);
	fakehost_sweep(&setup, FAKEHOST_WINDOW_READ, EIO, 50);
	fakehost_sweep(&setup, FAKEHOST_DERIVE, EIO, 50);
	memtree_free(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sample_runs),
		cmocka_unit_test(larger_window),
		cmocka_unit_test(failing_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
