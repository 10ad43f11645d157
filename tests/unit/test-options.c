/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/options.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const journal_choices[] = { "auto", "yes", "no", NULL };

enum { RESERVED, INODES, JOURNAL, LABEL, SIZE, LAZY, OPTION_COUNT };

static const struct kataimg_option options[] = {
	[RESERVED] = { .name = "reserved-percent",
		       .default_value = "3",
		       .type = KATAIMG_OPT_U64,
		       .min = 0,
		       .max = 50 },
	[INODES] = { .name = "inodes", .type = KATAIMG_OPT_U64 },
	[JOURNAL] = { .name = "journal",
		      .default_value = "auto",
		      .type = KATAIMG_OPT_ENUM,
		      .choices = journal_choices },
	[LABEL] = { .name = "label", .type = KATAIMG_OPT_STRING, .max = 16 },
	[SIZE] = { .name = "extent-size", .default_value = "64K", .type = KATAIMG_OPT_SIZE },
	[LAZY] = { .name = "lazy", .default_value = "no", .type = KATAIMG_OPT_BOOL },
};

static const struct kataimg_backend backend = {
	.name = "ext4",
	.options = options,
	.option_count = OPTION_COUNT,
};

struct fixture {
	struct config config;
	struct error error;
	struct kataimg_value *values;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	return config_init(&fixture->config, &fixture->error);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	config_free(&fixture->config);
	error_clear(&fixture->error);
	free(fixture->values);
	free(fixture);
	return 0;
}

static void give(struct fixture *fixture, const char *assignment)
{
	assert_int_equal(
		config_set_assignment(&fixture->config, assignment, "--set", &fixture->error), 0);
}

static void parse(struct fixture *fixture)
{
	if (options_parse(&fixture->config, &backend, &fixture->values, &fixture->error) < 0)
		fail_msg("%s", fixture->error.message);
}

static void refuses(struct fixture *fixture, const char *assignment, const char *message)
{
	give(fixture, assignment);
	assert_int_equal(
		options_parse(&fixture->config, &backend, &fixture->values, &fixture->error),
		-EINVAL);
	assert_null(fixture->values);
	assert_string_equal(fixture->error.message, message);
	assert_int_equal(fixture->error.kind, ERROR_USAGE);
	error_clear(&fixture->error);
	config_free(&fixture->config);
	config_init(&fixture->config, &fixture->error);
}

static void defaults_are_set_but_not_given(void **state)
{
	struct fixture *fixture = *state;
	const struct kataimg_value *values;

	parse(fixture);
	values = fixture->values;
	assert_int_equal(values[RESERVED].number, 3);
	assert_true(values[RESERVED].is_set);
	assert_false(values[RESERVED].is_given);
	assert_int_equal(values[JOURNAL].number, 0);
	assert_string_equal(values[JOURNAL].string, "auto");
	assert_int_equal(values[SIZE].number, 65536);
	assert_int_equal(values[LAZY].number, 0);
	assert_false(values[LABEL].is_set);
	assert_null(values[LABEL].string);
	assert_false(values[INODES].is_set);
}

static void given_values_are_typed(void **state)
{
	struct fixture *fixture = *state;
	const struct kataimg_value *values;

	give(fixture, "ext4.reserved-percent=0");
	give(fixture, "ext4.inodes=18446744073709551615");
	give(fixture, "ext4.journal=no");
	give(fixture, "ext4.label=");
	give(fixture, "ext4.extent-size=1G");
	give(fixture, "ext4.lazy=yes");
	give(fixture, "xfs.lazy=perhaps");
	parse(fixture);
	values = fixture->values;
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		assert_true(values[i].is_set);
		assert_true(values[i].is_given);
	}
	assert_int_equal(values[RESERVED].number, 0);
	assert_true(values[INODES].number == UINT64_MAX);
	assert_int_equal(values[JOURNAL].number, 2);
	assert_string_equal(values[JOURNAL].string, "no");
	assert_string_equal(values[LABEL].string, "");
	assert_int_equal(values[SIZE].number, 1 << 30);
	assert_int_equal(values[LAZY].number, 1);
}

static void bad_values_say_what_was_expected(void **state)
{
	struct fixture *fixture = *state;

	refuses(fixture, "ext4.reserved-percent=51",
		"--set: [ext4] reserved-percent = 51: not between 0 and 50");
	refuses(fixture,
		"ext4.reserved-percent=", "--set: [ext4] reserved-percent = : not a number");
	refuses(fixture, "ext4.reserved-percent=-1",
		"--set: [ext4] reserved-percent = -1: not a number");
	refuses(fixture, "ext4.inodes=18446744073709551616",
		"--set: [ext4] inodes = 18446744073709551616: too large a number");
	refuses(fixture, "ext4.journal=maybe",
		"--set: [ext4] journal = maybe: not one of auto, yes, no");
	refuses(fixture, "ext4.journal=yess",
		"--set: [ext4] journal = yess: not one of auto, yes, no; did you mean yes?");
	refuses(fixture, "ext4.label=12345678901234567",
		"--set: [ext4] label = 12345678901234567: longer than 16 bytes");
	refuses(fixture, "ext4.lazy=true", "--set: [ext4] lazy = true: neither yes nor no");
	refuses(fixture, "ext4.extent-size=1X",
		"--set: [ext4] extent-size = 1X: not a size (a whole number, with K, M, G or T "
		"behind it for multiples of 1024)");
}

static void unknown_keys_come_with_a_guess(void **state)
{
	struct fixture *fixture = *state;

	refuses(fixture, "ext4.jurnal=no",
		"--set: [ext4] jurnal = no: the backend has no such key; did you mean journal?");
	refuses(fixture, "ext4.quux=no", "--set: [ext4] quux = no: the backend has no such key");
}

static void a_bad_default_is_the_backends_fault(void **state)
{
	struct fixture *fixture = *state;
	static const struct kataimg_option bad[] = {
		{ .name = "lazy", .default_value = "maybe", .type = KATAIMG_OPT_BOOL }
	};
	static const struct kataimg_backend broken = { .name = "broken",
						       .options = bad,
						       .option_count = 1 };

	assert_int_equal(
		options_parse(&fixture->config, &broken, &fixture->values, &fixture->error),
		-EINVAL);
	assert_string_equal(fixture->error.message,
			    "backend broken: default of lazy = maybe: neither yes nor no");
}

static void types_of_a_later_interface_are_refused(void **state)
{
	struct fixture *fixture = *state;
	static const struct kataimg_option later[] = {
		{ .name = "a", .type = 99 }, { .name = "b", .type = KATAIMG_OPT_STRING }
	};
	static const struct kataimg_backend table = { .name = "ext4",
						      .options = later,
						      .option_count = 2 };

	give(fixture, "ext4.b=any length, as nothing bounds it");
	assert_int_equal(options_parse(&fixture->config, &table, &fixture->values, &fixture->error),
			 0);
	give(fixture, "ext4.a=1");
	free(fixture->values);
	fixture->values = NULL;
	assert_int_equal(options_parse(&fixture->config, &table, &fixture->values, &fixture->error),
			 -EINVAL);
	assert_string_equal(fixture->error.message,
			    "--set: [ext4] a = 1: the backend declares an option type that is "
			    "unknown here");
	assert_int_equal(fixture->error.kind, ERROR_FAILED);
}

/* What a backend says of one of its options is about whoever gave it; of none, about itself. */
static void what_a_backend_refuses_is_placed(void **state)
{
	static const struct {
		uint64_t index;
		const char *message;
	} cases[] = {
		{ JOURNAL, "--set: [ext4] journal = no: no room for it" },
		{ RESERVED, "[ext4] reserved-percent, by default: no room for it" },
		{ OPTION_COUNT, "ext4: no room for it" },
		{ UINT64_MAX, "ext4: no room for it" },
	};
	struct fixture *fixture = *state;

	give(fixture, "ext4.journal=no");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		options_refuse(&fixture->config, &backend, cases[i].index, "no room for it",
			       &fixture->error);
		assert_string_equal(fixture->error.message, cases[i].message);
		assert_int_equal(fixture->error.kind, ERROR_USAGE);
		error_clear(&fixture->error);
	}
}

static bool set_is_default(struct fixture *fixture, const char *assignment, uint64_t index)
{
	free(fixture->values);
	assert_int_equal(
		config_set_assignment(&fixture->config, assignment, "test", &fixture->error), 0);
	assert_int_equal(
		options_parse(&fixture->config, &backend, &fixture->values, &fixture->error), 0);
	return options_is_default(&backend, index, &fixture->values[index]);
}

/* It is the value that counts, not who gave it, nor how it is written. */
static void defaults_are_known(void **state)
{
	struct fixture *fixture = *state;

	assert_true(set_is_default(fixture, "ext4.journal=auto", JOURNAL));
	assert_true(set_is_default(fixture, "ext4.extent-size=65536", SIZE));
	for (uint64_t i = 0; i < OPTION_COUNT; i++)
		assert_true(options_is_default(&backend, i, &fixture->values[i]));
	assert_false(set_is_default(fixture, "ext4.journal=no", JOURNAL));
	assert_false(set_is_default(fixture, "ext4.lazy=yes", LAZY));
	assert_false(set_is_default(fixture, "ext4.inodes=0", INODES));
	assert_false(set_is_default(fixture, "ext4.label=", LABEL));
}

static void types_are_described(void **state)
{
	char text[64];

	(void)state;
	assert_string_equal(option_describe_type(&options[JOURNAL], text, sizeof(text)),
			    "auto|yes|no");
	assert_string_equal(option_describe_type(&options[JOURNAL], text, 7), "auto|y");
	assert_string_equal(option_describe_type(&options[SIZE], text, sizeof(text)), "SIZE");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(defaults_are_set_but_not_given),
		TEST(given_values_are_typed),
		TEST(bad_values_say_what_was_expected),
		TEST(unknown_keys_come_with_a_guess),
		TEST(a_bad_default_is_the_backends_fault),
		TEST(defaults_are_known),
		TEST(types_of_a_later_interface_are_refused),
		TEST(what_a_backend_refuses_is_placed),
		cmocka_unit_test(types_are_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
