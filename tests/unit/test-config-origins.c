/* SPDX-License-Identifier: Apache-2.0 */
/* Who gave a value, and which of several givers wins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/configtest.h"

static void later_settings_override(void **state)
{
	struct config_test *fixture = *state;
	struct config *config = &fixture->config;
	char text[64];

	accepts(fixture, "[image]\nsource = x\nsize = 2M\n[ext4]\nlabel = a\n");
	assert_int_equal(config_set_assignment(config, "image.size=4M", "--set", &fixture->error),
			 0);
	assert_int_equal(config_set_assignment(config, "image.size=6M", "--set", &fixture->error),
			 0);
	assert_int_equal(config_set_assignment(config, "ext4.label=b=c", "--set", &fixture->error),
			 0);
	assert_int_equal(config->image.size_bytes, 6 << 20);
	assert_int_equal(config->pair_count, 1);
	assert_string_equal(config->pairs[0].value, "b=c");
	assert_string_equal(config_origin_text(&config->pairs[0].origin, text, sizeof(text)),
			    "--set");
}

static void what_is_no_assignment_says_so(void **state)
{
	static const char *const texts[] = { "",           "=",      ".=",      "a",
					     "image.size", "size=1", ".size=1", "image.=1" };
	struct config_test *fixture = *state;
	char message[64];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(message, sizeof(message), "--set: %s: not SECTION.KEY=VALUE", texts[i]);
		config_init(&fixture->config, &fixture->error);
		expect_failure(
			fixture,
			config_set_assignment(&fixture->config, texts[i], "--set", &fixture->error),
			message);
	}
}

static void bad_settings_name_the_option(void **state)
{
	struct config_test *fixture = *state;
	struct config *config = &fixture->config;

	config_init(config, &fixture->error);
	expect_failure(fixture,
		       config_set_assignment(config, "image.siz=1", "--set", &fixture->error),
		       "--set: [image] siz: unknown key; did you mean size?");
	config_init(config, &fixture->error);
	expect_failure(fixture, config_set(config, "image", "dax", "1", "--dax", &fixture->error),
		       "--dax: [image] dax = 1: not one of yes, no, auto");
	config_init(config, &fixture->error);
	config_set_assignment(config, "foo.bar=1", "--set", &fixture->error);
	config_set(config, "image", "source", "x", "SOURCE", &fixture->error);
	expect_failure(fixture, finish(fixture), "--set: unknown section [foo]");
}

static const struct config_origin *origin_of(const struct config *config, const char *name)
{
	return &config->origins[config_find_key("image", name) - config_keys];
}

static void every_value_knows_its_origin(void **state)
{
	struct config_test *fixture = *state;
	const struct config *config = &fixture->config;
	char text[64];

	setenv("SOURCE_DATE_EPOCH", "12345", 1);
	accepts(fixture, "[image]\nsource = x\n");
	config_set(&fixture->config, "image", "output", "y", "--output", &fixture->error);
	assert_int_equal(config->image.build_time, 12345);
	assert_string_equal(config_origin_text(origin_of(config, "align"), text, sizeof(text)),
			    "default");
	assert_string_equal(config_origin_text(origin_of(config, "source"), text, sizeof(text)),
			    "build.ini:2");
	assert_string_equal(config_origin_text(origin_of(config, "output"), text, sizeof(text)),
			    "--output");
	assert_string_equal(config_origin_text(origin_of(config, "build-time"), text, sizeof(text)),
			    "SOURCE_DATE_EPOCH");
}

static void the_file_overrides_the_environment(void **state)
{
	struct config_test *fixture = *state;

	setenv("SOURCE_DATE_EPOCH", "12345", 1);
	setenv("IMAGE", "elsewhere.img", 1);
	accepts(fixture, "[image]\nsource = x\nbuild-time = 6\n");
	assert_int_equal(fixture->config.image.build_time, 6);
	assert_string_equal(fixture->config.image.output, "kata-containers.img");
	config_free(&fixture->config);
	setenv("SOURCE_DATE_EPOCH", "yesterday", 1);
	refuses(fixture, "[image]\nsource = x\n",
		"SOURCE_DATE_EPOCH: [image] build-time = yesterday: not a number");
}

/* A 0 of the environment is a time, which the key's 0 is not. */
static void the_environments_zero_is_a_time(void **state)
{
	struct config_test *fixture = *state;

	setenv("SOURCE_DATE_EPOCH", "0", 1);
	accepts(fixture, "[image]\nsource = x\n");
	assert_int_equal(fixture->config.image.build_time, 1);
	assert_true(fixture->config.tree.clamp_mtime);
	config_free(&fixture->config);
	accepts(fixture, "[image]\nsource = x\n[tree]\nclamp-mtime = no\n");
	assert_int_equal(fixture->config.image.build_time, 1);
	assert_false(fixture->config.tree.clamp_mtime);
	config_free(&fixture->config);
	accepts(fixture, "[image]\nsource = x\nbuild-time = 0\n");
	assert_int_equal(fixture->config.image.build_time, 0);
	assert_false(fixture->config.tree.clamp_mtime);
}

/* The environment alone makes two copies of one tree one image; a key that is given wins. */
static void the_environments_time_clamps(void **state)
{
	struct config_test *fixture = *state;
	char text[64];

	setenv("SOURCE_DATE_EPOCH", "12345", 1);
	accepts(fixture, "[image]\nsource = x\n");
	assert_true(fixture->config.tree.clamp_mtime);
	assert_string_equal(
		config_origin_text(config_origin_of(&fixture->config, "tree", "clamp-mtime"), text,
				   sizeof(text)),
		"SOURCE_DATE_EPOCH");
	config_free(&fixture->config);
	accepts(fixture, "[image]\nsource = x\n[tree]\nclamp-mtime = no\n");
	assert_false(fixture->config.tree.clamp_mtime);
	config_free(&fixture->config);
	accepts(fixture, "[image]\nsource = x\nbuild-time = 6\n");
	assert_false(fixture->config.tree.clamp_mtime);
	unsetenv("SOURCE_DATE_EPOCH");
	config_free(&fixture->config);
	accepts(fixture, "[image]\nsource = x\n");
	assert_false(fixture->config.tree.clamp_mtime);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(later_settings_override),
		CONFIG_TEST(what_is_no_assignment_says_so),
		CONFIG_TEST(bad_settings_name_the_option),
		CONFIG_TEST(every_value_knows_its_origin),
		CONFIG_TEST(the_file_overrides_the_environment),
		CONFIG_TEST(the_environments_zero_is_a_time),
		CONFIG_TEST(the_environments_time_clamps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
