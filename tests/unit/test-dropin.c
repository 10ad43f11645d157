/* SPDX-License-Identifier: Apache-2.0 */
#include "core/guest/dropin.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/log.h"
#include "core/cli/cli.h"

struct fixture {
	struct cli cli;
	struct config_set set;
	struct error error;
};

static int set_up(void **state)
{
	log_set_level(LOG_ERROR);
	for (size_t i = 0; i < dropin_variable_count; i++)
		unsetenv(dropin_variables[i].name);
	unsetenv("SOURCE_DATE_EPOCH");
	*state = calloc(1, sizeof(struct fixture));
	return 0;
}

static void clear(struct fixture *fixture)
{
	cli_free(&fixture->cli);
	config_set_free(&fixture->set);
	error_clear(&fixture->error);
}

static int tear_down(void **state)
{
	clear(*state);
	free(*state);
	return 0;
}

static int configure(struct fixture *fixture, const char *option, const char *value)
{
	char *argv[] = { "kataimg", (char *)option, (char *)value, "rootfs", NULL };
	int ret = cli_parse(4, argv, &fixture->cli, &fixture->error);

	if (ret == 0)
		ret = cli_find_images(&fixture->cli, &fixture->set, &fixture->error);
	if (ret == 0)
		ret = cli_configure(&fixture->cli, &fixture->set, 0, &fixture->error);
	return ret < 0 ? ret : config_set_report(&fixture->set, &fixture->error);
}

static void the_environment_counts_without_a_file(void **state)
{
	struct fixture *fixture = *state;
	const struct config *config;

	setenv("IMAGE", "env.img", 1);
	setenv("FS_TYPE", "xfs", 1);
	setenv("ROOT_FREE_SPACE", "7", 1);
	setenv("IMAGE_SIZE_ALIGNMENT_MB", "2", 1);
	setenv("SKIP_DAX_HEADER", "yes", 1);
	setenv("SKIP_ROOTFS_CHECK", "yes", 1);
	setenv("AGENT_INIT", "yes", 1);
	setenv("AGENT_BIN", "agent", 1);
	setenv("MEASURED_ROOTFS", "yes", 1);
	setenv("BUILD_VARIANT", "x", 1);
	setenv("BLOCK_SIZE", "4096", 1);
	setenv("USE_DOCKER", "anything", 1);
	assert_int_equal(configure(fixture, "--threads", "1"), 0);
	config = fixture->set.items;
	assert_string_equal(config->image.output, "env.img");
	assert_string_equal(config->image.filesystem, "xfs");
	assert_int_equal(config->image.free_space_bytes, 7 << 20);
	assert_int_equal(config->image.align_bytes, 2 << 20);
	assert_int_equal(config->image.dax_wanted, CONFIG_NO);
	assert_false(config->rootfs.check);
	assert_true(config->rootfs.agent_init);
	assert_string_equal(config->rootfs.agent, "agent");
	assert_true(config->verity.enabled);
	assert_string_equal(config->verity.variant, "x");
}

static void empty_variables_are_the_defaults(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < dropin_variable_count; i++)
		setenv(dropin_variables[i].name, "", 1);
	assert_int_equal(configure(fixture, "--threads", "1"), 0);
	assert_int_equal(fixture->set.items[0].image.align_bytes, 128 << 20);
	assert_int_equal(fixture->set.items[0].image.dax_wanted, CONFIG_AUTO);
}

static void options_override_the_environment(void **state)
{
	struct fixture *fixture = *state;

	setenv("IMAGE", "env.img", 1);
	assert_int_equal(configure(fixture, "-o", "option.img"), 0);
	assert_string_equal(fixture->set.items[0].image.output, "option.img");
}

static void a_file_shuts_the_environment_out(void **state)
{
	struct fixture *fixture = *state;

	setenv("IMAGE", "env.img", 1);
	setenv("BLOCK_SIZE", "nonsense", 1);
	assert_int_equal(configure(fixture, "-c", "/dev/null"), 0);
	assert_string_equal(fixture->set.items[0].image.output, "kata-containers.img");
}

static void refuses(struct fixture *fixture, const char *name, const char *value,
		    const char *message)
{
	setenv(name, value, 1);
	assert_int_equal(configure(fixture, "--threads", "1"), -EINVAL);
	assert_string_equal(fixture->error.message, message);
	assert_int_equal(fixture->error.kind, ERROR_USAGE);
	unsetenv(name);
	clear(fixture);
}

static void bad_values_name_the_variable(void **state)
{
	struct fixture *fixture = *state;

	refuses(fixture, "AGENT_INIT", "true",
		"AGENT_INIT: [rootfs] agent-init = true: neither yes nor no");
	refuses(fixture, "SKIP_DAX_HEADER", "1", "SKIP_DAX_HEADER = 1: neither yes nor no");
	refuses(fixture, "ROOT_FREE_SPACE", "64M", "ROOT_FREE_SPACE = 64M: not a number");
	refuses(fixture, "IMAGE_SIZE_ALIGNMENT_MB", "0",
		"IMAGE_SIZE_ALIGNMENT_MB: [image] align = 0M: not between 4K and 1T");
	refuses(fixture, "BLOCK_SIZE", "1024", "BLOCK_SIZE = 1024: blocks have 4096 bytes");
}

static void expect_quoted(const char *text, const char *name)
{
	char quoted[64];

	snprintf(quoted, sizeof(quoted), "`%s`", name);
	if (!strstr(text, quoted))
		fail_msg("docs/migrating.md lacks %s", quoted);
}

static void the_page_for_migrants_has_every_variable(void **state)
{
	static char text[65536];
	FILE *file = fopen(KATAIMG_DOCS "/migrating.md", "re");

	(void)state;
	assert_non_null(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	for (size_t i = 0; i < dropin_variable_count; i++)
		expect_quoted(text, dropin_variables[i].name);
	for (size_t i = 0; i < dropin_initrd_variable_count; i++)
		expect_quoted(text, dropin_initrd_variables[i].name);
}

static void the_name_is_that_of_the_file(void **state)
{
	(void)state;
	assert_int_equal(dropin_find_script("image_builder.sh"), DROPIN_IMAGE);
	assert_int_equal(dropin_find_script("/usr/bin/image_builder.sh"), DROPIN_IMAGE);
	assert_int_equal(dropin_find_script("./initrd_builder.sh"), DROPIN_INITRD);
	assert_int_equal(dropin_find_script("/image_builder.sh/kataimg"), DROPIN_NONE);
	assert_int_equal(dropin_find_script("kataimg"), DROPIN_NONE);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_environment_counts_without_a_file),
		TEST(empty_variables_are_the_defaults),
		TEST(options_override_the_environment),
		TEST(a_file_shuts_the_environment_out),
		TEST(bad_values_name_the_variable),
		TEST(the_page_for_migrants_has_every_variable),
		TEST(the_name_is_that_of_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
