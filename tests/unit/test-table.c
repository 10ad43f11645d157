/* SPDX-License-Identifier: Apache-2.0 */
/* A backend's table, as it must be, and with one member after the other missing or wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/backend/loader.h"
#include "lib/cleanup.h"

static int open_it(const struct kataimg_host *host, const struct kataimg_job *job,
		   const struct kataimg_value *values, void **state)
{
	(void)host, (void)job, (void)values, (void)state;
	return -ENOSYS;
}

static int plan_it(void *state, const struct kataimg_tree *tree, struct kataimg_plan *plan)
{
	(void)state, (void)tree, (void)plan;
	return -ENOSYS;
}

static int describe_it(void *state, uint64_t window_bytes, struct kataimg_fs_info *info)
{
	(void)state, (void)window_bytes, (void)info;
	return -ENOSYS;
}

static int write_it(void *state, const struct kataimg_tree *tree, uint64_t window_bytes)
{
	(void)state, (void)tree, (void)window_bytes;
	return -ENOSYS;
}

static int verify_it(void *state, uint64_t window_bytes)
{
	(void)state, (void)window_bytes;
	return -ENOSYS;
}

static void close_it(void *state)
{
	(void)state;
}

static int probe_it(const struct kataimg_host *host, uint64_t window_bytes,
		    struct kataimg_fs_info *info)
{
	(void)host, (void)window_bytes, (void)info;
	return -ENODATA;
}

static const char *const choices[] = { "one", NULL };
static const char *const no_choices[] = { NULL };

static const struct kataimg_option good_option = {
	.name = "which", .help = "one", .type = KATAIMG_OPT_ENUM, .choices = choices
};

static const struct kataimg_backend good = {
	.abi_version = KATAIMG_ABI_VERSION,
	.struct_size = sizeof(good),
	.name = "good",
	.version = "1",
	.summary = "nothing is wrong with it",
	.options = &good_option,
	.option_count = 1,
	.option_size = sizeof(good_option),
	.open = open_it,
	.plan = plan_it,
	.describe = describe_it,
	.write = write_it,
	.verify = verify_it,
	.close = close_it,
	.probe = probe_it,
};

static void expect_refused(const struct kataimg_backend *table, const char *words)
{
	autoerror struct error error = ERROR_INIT;
	struct kataimg_backend copy;

	assert_int_equal(backend_check_table(table, "file", "good", &copy, &error), -EINVAL);
	assert_int_equal(error.kind, ERROR_USAGE);
	if (strcmp(error.message, words) != 0)
		fail_msg("'%s' is not '%s'", error.message, words);
}

static void a_good_table_is_copied(void **state)
{
	autoerror struct error error = ERROR_INIT;
	struct kataimg_option helpless = good_option;
	struct kataimg_backend table = good, copy;

	(void)state;
	helpless.help = NULL;
	table.options = &helpless;
	assert_int_equal(backend_check_table(&table, "file", "good", &copy, &error), 0);
	assert_ptr_equal(copy.probe, probe_it);
	assert_string_equal(copy.options[0].name, "which");
	assert_string_equal(copy.options[0].help, "");
	free((void *)copy.options);
	table.option_count = 0;
	assert_int_equal(backend_check_table(&table, "file", "good", &copy, &error), 0);
}

static void what_is_missing_is_named(void **state)
{
#define MEMBER(name) offsetof(struct kataimg_backend, name)
	static const struct {
		size_t member;
		const char *words;
	} cases[] = {
		{ MEMBER(open), "file: the required callback 'open' is missing" },
		{ MEMBER(plan), "file: the required callback 'plan' is missing" },
		{ MEMBER(describe), "file: the required callback 'describe' is missing" },
		{ MEMBER(write), "file: the required callback 'write' is missing" },
		{ MEMBER(verify), "file: the required callback 'verify' is missing" },
		{ MEMBER(close), "file: the required callback 'close' is missing" },
		{ MEMBER(probe), "file: the required callback 'probe' is missing" },
		{ MEMBER(name), "file: its table has a bad name: names are "
				"[a-z0-9][a-z0-9-]{0,31}" },
		{ MEMBER(version), "file: its table lacks a version or a summary" },
		{ MEMBER(summary), "file: its table lacks a version or a summary" },
		{ MEMBER(options), "file: its option table is missing or truncated" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kataimg_backend table = good;

		memset((char *)&table + cases[i].member, 0, sizeof(void *));
		expect_refused(&table, cases[i].words);
	}
}

static void what_is_wrong_of_an_option_is_said(void **state)
{
	static const struct {
		struct kataimg_option option;
		const char *words;
	} cases[] = {
		{ { .type = KATAIMG_OPT_BOOL }, "file: an option has a bad name" },
		{ { .name = "Upper", .type = KATAIMG_OPT_BOOL }, "file: an option has a bad name" },
		{ { .name = "a", .type = 0 }, "file: option a has the unknown type 0" },
		{ { .name = "a", .type = 99 }, "file: option a has the unknown type 99" },
		{ { .name = "a", .type = KATAIMG_OPT_ENUM }, "file: option a has no choices" },
		{ { .name = "a", .type = KATAIMG_OPT_ENUM, .choices = no_choices },
		  "file: option a has no choices" },
	};
	struct kataimg_backend table = good;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		table.options = &cases[i].option;
		expect_refused(&table, cases[i].words);
	}
	table.options = &good_option;
	table.option_size = 8;
	expect_refused(&table, "file: its option table is missing or truncated");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_table_is_copied),
		cmocka_unit_test(what_is_missing_is_named),
		cmocka_unit_test(what_is_wrong_of_an_option_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
