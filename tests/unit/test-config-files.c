/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are read and named, and the paths to them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/config/inifile.h"
#include "tests/support/configtest.h"

static int check_files(struct config_test *fixture)
{
	int ret = config_check_inputs(&fixture->config, &fixture->error);

	return ret < 0 ? ret : config_check_outputs(&fixture->config, &fixture->error);
}

/* The directory is the fixture's own. */
static void refuses_file(struct config_test *fixture, const char *text, const char *fmt)
{
	char message[1024];
	int ret;

	accepts(fixture, text);
	ret = check_files(fixture);
	snprintf(message, sizeof(message), fmt, fixture->dir.path);
	expect_failure(fixture,
		       ret < 0 ? ret
			       : mistakes_report(&fixture->config.mistakes, 1, &fixture->error),
		       message);
}

static void files_that_are_not_there_are_named_in_full(void **state)
{
	struct config_test *fixture = *state;

	refuses_file(fixture, "[image]\nsource = ./x\n",
		     "build.ini:2: [image] source = ./x: there is no %s/x");
	refuses_file(fixture, "[image]\nsource = /nowhere/x\n",
		     "build.ini:2: [image] source = /nowhere/x: there is no /nowhere/x");
	refuses_file(fixture, "[image]\nsource = \"./x\"\n",
		     "build.ini:2: [image] source = \"./x\": there is no %s/\"./x\" (quotes are "
		     "part of the value: leave them out)");
	refuses_file(fixture, "[image]\nsource = ~/x\n",
		     "build.ini:2: [image] source = ~/x: there is no %s/~/x (~ and $ are not "
		     "expanded)");
	refuses_file(fixture, "[image]\nsource = $HOME/x\n",
		     "build.ini:2: [image] source = $HOME/x: there is no %s/$HOME/x (~ and $ are "
		     "not expanded)");
	refuses_file(fixture, "[image]\nsource = x # c\n",
		     "build.ini:2: [image] source = x # c: there is no %s/x # c (a comment at the "
		     "end of a line starts with ;)");
	refuses_file(fixture, "[image]\nsource = -\noutput = a/b/c.img\n",
		     "build.ini:3: [image] output = a/b/c.img: there is no directory %s/a/b");
	refuses_file(fixture, "[image]\nsource = -\noutput = build.ini/c.img\n",
		     "build.ini:3: [image] output = build.ini/c.img: %s/build.ini is not a "
		     "directory");
	refuses_file(fixture, "[image]\nsource = oci:x\n[tree]\napply = build.ini\napply = m\n",
		     "build.ini:5: [tree] apply = m: there is no %s/m");
}

static void files_that_are_there_are_no_mistake(void **state)
{
	struct config_test *fixture = *state;

	assert_int_equal(system("mkdir tree"), 0);
	accepts(fixture, "[image]\nsource = tree\noutput = new.img\n[tree]\napply = build.ini\n");
	assert_int_equal(check_files(fixture), 0);
	assert_int_equal(mistakes_report(&fixture->config.mistakes, 1, &fixture->error), 0);
}

static void unreadable_files_are_errors(void **state)
{
	struct config_test *fixture = *state;
	char *large = calloc(1, INIFILE_MAX_BYTES + 1);

	expect_failure(fixture, load_file(fixture, "missing.ini"),
		       "missing.ini: No such file or directory");
	expect_failure(fixture, load_file(fixture, "."), ".: Is a directory");
	memset(large, '\n', INIFILE_MAX_BYTES + 1);
	expect_failure(fixture, load_bytes(fixture, large, INIFILE_MAX_BYTES + 1),
		       "build.ini: larger than 1 MiB, not a configuration");
	assert_int_equal(load_bytes(fixture, large, INIFILE_MAX_BYTES), -EINVAL);
	assert_string_equal(fixture->error.message,
			    "build.ini: no source: give [image] source or SOURCE");
	free(large);
}

static void paths_of_the_file_are_relative_to_it(void **state)
{
	struct config_test *fixture = *state;
	const struct config *config = &fixture->config;

	assert_int_equal(system("mkdir -p sub"), 0);
	write_file("sub/build.ini", "[image]\nsource = r\noutput = /o\nfilesystem = ./b.so\n", 51);
	assert_int_equal(load_file(fixture, "sub/build.ini"), 0);
	assert_string_equal(config->image.source, "sub/r");
	assert_string_equal(config->image.output, "/o");
	assert_string_equal(config->image.filesystem, "sub/./b.so");
	assert_int_equal(
		config_set(&fixture->config, "image", "source", "r", "SOURCE", &fixture->error), 0);
	assert_string_equal(config->image.source, "r");
}

static void standard_input_and_names_are_no_paths(void **state)
{
	struct config_test *fixture = *state;

	assert_int_equal(system("mkdir -p sub"), 0);
	write_file("sub/build.ini", "[image]\nsource = -\nfilesystem = xfs\n", 36);
	assert_int_equal(load_file(fixture, "sub/build.ini"), 0);
	assert_string_equal(fixture->config.image.source, "-");
	assert_string_equal(fixture->config.image.filesystem, "xfs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(files_that_are_not_there_are_named_in_full),
		CONFIG_TEST(files_that_are_there_are_no_mistake),
		CONFIG_TEST(unreadable_files_are_errors),
		CONFIG_TEST(paths_of_the_file_are_relative_to_it),
		CONFIG_TEST(standard_input_and_names_are_no_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
