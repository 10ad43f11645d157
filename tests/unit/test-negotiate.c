/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend cannot store is refused by name, before anything is written. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/negotiation.h"

static void everything_fits(void **state)
{
	uint64_t dropped = 99;

	assert_int_equal(negotiation_run(*state, false, &dropped), 0);
	assert_int_equal(dropped, 0);
}

/* No filesystem of Linux has longer ones, whatever a backend forgets to say. */
static void names_have_an_end_without_limits(void **state)
{
	struct negotiation *fixture = *state;
	char name[257];

	memset(name, 'n', 256);
	name[256] = '\0';
	negotiation_add(fixture, fixture->tree->root, name + 1, KATAIMG_FIFO);
	assert_int_equal(tree_finish(fixture->tree, &fixture->error), 0);
	everything_fits(state);
	negotiation_add(fixture, fixture->tree->root, name, KATAIMG_FIFO);
	assert_int_equal(tree_finish(fixture->tree, &fixture->error), 0);
	negotiation_assert_refused(fixture, "test cannot store names above 255: nnn");
	negotiation_assert_dropped(fixture, 1);
}

static void each_missing_capability_is_named(void **state)
{
	static const struct {
		uint64_t capability;
		const char *why;
		uint64_t dropped;
	} cases[] = {
		{ KATAIMG_CAP_SYMLINKS, "test cannot store symbolic links: etc/link is one", 1 },
		{ KATAIMG_CAP_HARDLINKS, "test cannot store hard links: etc/file has 2 names", 1 },
		{ KATAIMG_CAP_DEVICES, "test cannot store device nodes: etc/null is one", 1 },
		{ KATAIMG_CAP_FIFOS, "test cannot store fifos: etc/fifo is one", 1 },
		{ KATAIMG_CAP_SOCKETS, "test cannot store sockets: etc/socket is one", 1 },
		{ KATAIMG_CAP_XATTRS,
		  "test cannot store extended attributes: etc/file has security.capability", 1 },
		{ KATAIMG_CAP_NANOSECONDS,
		  "test cannot store nanoseconds: etc/file is one of 1 that have them "
		  "(whole-seconds",
		  1 },
		{ KATAIMG_CAP_SPARSE, "test cannot store holes: etc/file is sparse", 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct negotiation *fixture = *state;

		fixture->backend.table.capabilities = ALL_CAPABILITIES & ~cases[i].capability;
		negotiation_assert_refused(fixture, cases[i].why);
		negotiation_assert_dropped(fixture, cases[i].dropped);
	}
}

static void each_limit_is_named(void **state)
{
	struct negotiation *fixture = *state;

#define CASE(member, value, why)                           \
	do {                                               \
		fixture->limits = negotiation_no_limits(); \
		fixture->limits.member = value;            \
		negotiation_assert_refused(fixture, why);  \
	} while (0)
	CASE(name_bytes, 5, "names above 5: etc/socket has 6 bytes in its name");
	CASE(symlink_bytes, 2, "symbolic link targets above 2: etc/link has 3 bytes");
	CASE(xattr_name_bytes, 18,
	     "attributes with names above 18 bytes: etc/file has security.capability with 19");
	CASE(xattr_value_bytes, 16,
	     "attributes with values above 16 bytes: etc/file has security.capability with 17");
	CASE(xattr_total_bytes, 35, "more than 35 bytes of extended attributes: etc/file has 36");
	CASE(mtime_min, -6, "etc/file has -7 seconds since 1970");
	CASE(device_major, 299, "device majors above 299: etc/null has 300");
	CASE(id, 69999, "user ids above 69999: etc/null has 70000");
	CASE(links, 1, "link counts above 1: etc/file has 2 names");
	CASE(subdirectories, 0, "subdirectories of one directory above 0: . has 1");
	CASE(entries, 4, "entries of one directory above 4: etc has 5");
	CASE(path_bytes, 9, "paths above 9: etc/socket has 10 bytes in a path");
	CASE(mtime_granularity_nsec, 100,
	     "times finer than 100 nanoseconds: etc/file is one of 1 that have them (whole-sec");
	CASE(mtime_granularity_nsec, 2000000000,
	     "times finer than 2000000000 nanoseconds: etc/file is one of 1 that have them (unsu");
	CASE(file_bytes, 8191, "files above 8191: etc/file has 8192 bytes");
#undef CASE
}

static void too_many_nodes_are_an_error(void **state)
{
	struct negotiation *fixture = *state;
	uint64_t dropped;

	fixture->limits = negotiation_no_limits();
	fixture->limits.nodes = 6;
	assert_int_equal(negotiation_run(fixture, true, &dropped), -EFBIG);
}

static void a_granularity_that_is_none_is_the_backends_fault(void **state)
{
	static const uint64_t wrong[] = { 0, 3, 1500000000 };
	struct negotiation *fixture = *state;
	uint64_t dropped;

	fixture->limits = negotiation_no_limits();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		fixture->limits.mtime_granularity_nsec = wrong[i];
		assert_int_equal(negotiation_run(fixture, true, &dropped), -EPROTO);
		assert_non_null(strstr(fixture->error.message, "a divisor of 10^9"));
		error_clear(&fixture->error);
	}
}

static void answers_that_nobody_knows_are_an_error(void **state)
{
	struct negotiation *fixture = *state;
	uint64_t dropped;

	fixture->check = KATAIMG_CHECK_MODE + 1;
	assert_int_equal(negotiation_run(fixture, true, &dropped), -EIO);
	assert_non_null(strstr(fixture->error.message, "the backend test returned 5 from check"));
}

static void the_root_cannot_be_dropped(void **state)
{
	struct negotiation *fixture = *state;
	uint64_t dropped;

	fixture->limits = negotiation_no_limits();
	fixture->limits.entries = 1;
	assert_int_equal(negotiation_run(fixture, true, &dropped), -EOPNOTSUPP);
}

static void twenty_offenders_are_listed_and_the_rest_counted(void **state)
{
	struct negotiation *fixture = *state;
	struct tree_node *root;

	tree_free(fixture->tree);
	fixture->tree = tree_new();
	root = tree_add_node(fixture->tree, KATAIMG_DIR);
	for (int i = 0; i < 25; i++) {
		char name[16];

		snprintf(name, sizeof(name), "fifo%02d", i);
		negotiation_add(fixture, root, name, KATAIMG_FIFO);
	}
	assert_int_equal(tree_finish(fixture->tree, &fixture->error), 0);
	fixture->backend.table.capabilities &= ~KATAIMG_CAP_FIFOS;
	negotiation_assert_refused(fixture, "fifo19 is one\nand 5 more");
}

static void jobs_that_the_backend_cannot_do_are_refused(void **state)
{
	struct negotiation *fixture = *state;
	static const struct {
		uint64_t bit;
		const char *why;
	} cases[] = {
		{ KATAIMG_JOB_DAX, "test cannot be mounted with dax: set dax = no" },
		{ KATAIMG_JOB_FREE_SPACE, "test is read-only and has no free space" },
		{ UINT64_C(1) << 63, "does not know what this job requires" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct kataimg_job job = { .required = cases[i].bit };

		assert_int_equal(negotiate_job(&fixture->backend, &job, &fixture->error), -EINVAL);
		assert_int_equal(fixture->error.kind, ERROR_USAGE);
		assert_non_null(strstr(fixture->error.message, cases[i].why));
		error_clear(&fixture->error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NEGOTIATION_TEST(everything_fits),
		NEGOTIATION_TEST(names_have_an_end_without_limits),
		NEGOTIATION_TEST(each_missing_capability_is_named),
		NEGOTIATION_TEST(each_limit_is_named),
		NEGOTIATION_TEST(too_many_nodes_are_an_error),
		NEGOTIATION_TEST(a_granularity_that_is_none_is_the_backends_fault),
		NEGOTIATION_TEST(answers_that_nobody_knows_are_an_error),
		NEGOTIATION_TEST(the_root_cannot_be_dropped),
		NEGOTIATION_TEST(twenty_offenders_are_listed_and_the_rest_counted),
		NEGOTIATION_TEST(jobs_that_the_backend_cannot_do_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
