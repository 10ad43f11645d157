/* SPDX-License-Identifier: Apache-2.0 */
/* Paths made absolute, paths that lead nowhere in odd ways, and when two values are the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/config/absolute.h"
#include "core/config/same.h"
#include "tests/support/configtest.h"

/* In front of a path that is to be absolute stands the directory, as % here. */
static char *with_directory(const char *text, const char *directory)
{
	const char *at = strchr(text, '%');
	char *result;

	if (!at)
		return strdup(text);
	assert_true(asprintf(&result, "%.*s%s%s", (int)(at - text), text, directory, at + 1) > 0);
	return result;
}

static const struct {
	const char *section, *name, *value, *expected;
} made_absolute[] = {
	{ "image", "source", "a/b", "%/a/b" },
	{ "image", "source", "././/a", "%/a" },
	{ "image", "source", "/a", "/a" },
	{ "image", "source", "-", "-" },
	{ "image", "source", "oci:a:t", "oci:%/a:t" },
	{ "image", "source", "oci:/a:t", "oci:/a:t" },
	{ "image", "source", "docker://a", "docker://a" },
	{ "image", "output", "./a.img", "%/a.img" },
	{ "image", "output", "oci:./a:t", "oci:%/a:t" },
	{ "image", "output", "oci:/a:t", "oci:/a:t" },
	{ "image", "filesystem", "xfs", "xfs" },
	{ "image", "filesystem", "./xfs.so", "%/xfs.so" },
	{ "tree", "apply", "a.mtree", "%/a.mtree" },
	{ "selinux", "file-contexts", "", "" },
};

static char *text_of(const struct config *config, const struct config_key *key)
{
	const char *member = (const char *)config + key->offset;

	return key->type == CONFIG_PATHS ? ((const struct config_list *)member)->items[0]
					 : *(char *const *)member;
}

static void make_absolute_in(struct config_test *fixture, const char *directory)
{
	const char *prefix = strcmp(directory, "/") == 0 ? "" : directory;
	struct config *config = &fixture->config;

	for (size_t i = 0; i < sizeof(made_absolute) / sizeof(made_absolute[0]); i++) {
		const char *section = made_absolute[i].section, *name = made_absolute[i].name;
		char *expected = with_directory(made_absolute[i].expected, prefix);

		assert_int_equal(config_init(config, &fixture->error), 0);
		assert_int_equal(config_set(config, section, name, made_absolute[i].value, "test",
					    &fixture->error),
				 0);
		assert_int_equal(config_make_absolute(config, &fixture->error), 0);
		assert_string_equal(text_of(config, config_find_key(section, name)), expected);
		config_free(config);
		free(expected);
	}
}

static void paths_are_made_absolute(void **state)
{
	struct config_test *fixture = *state;
	char directory[4096];

	assert_non_null(getcwd(directory, sizeof(directory)));
	make_absolute_in(fixture, directory);
	assert_int_equal(chdir("/"), 0);
	make_absolute_in(fixture, "/");
	assert_int_equal(chdir(directory), 0);
}

static void a_directory_that_is_gone_has_no_path(void **state)
{
	struct config_test *fixture = *state;

	assert_int_equal(config_init(&fixture->config, &fixture->error), 0);
	assert_int_equal(system("mkdir gone"), 0);
	assert_int_equal(chdir("gone"), 0);
	assert_int_equal(system("rmdir ../gone"), 0);
	assert_int_equal(config_make_absolute(&fixture->config, &fixture->error), -ENOENT);
	assert_string_equal(fixture->error.message,
			    "the working directory: No such file or directory");
	assert_int_equal(chdir(fixture->dir.path), 0);
}

#define IDS(map) "[tree]\nuid-map = " map "\n"

static const struct {
	const char *a, *b, *section, *name;
	bool same;
} values[] = {
	{ "", "", "image", "identity", true },
	{ "", "[image]\nidentity =\n", "image", "identity", true },
	{ "[image]\nidentity = a\n", "", "image", "identity", false },
	{ "[image]\noutput = a\n", "[image]\noutput = b\n", "image", "output", false },
	{ "[image]\nfilesystem = xfs\n", "", "image", "filesystem", false },
	{ "[image]\nsource = a\n", "[image]\nsource = a\n", "image", "source", true },
	{ "[selinux]\nfile-contexts = a\n", "", "selinux", "file-contexts", false },
	{ "[image]\nlevel = 1\n", "[image]\nlevel = 2\n", "image", "level", false },
	{ "[image]\nsize = 1M\n", "[image]\nsize = 1024K\n", "image", "size", true },
	{ "[image]\ntable = gpt\n", "", "image", "table", false },
	{ "[tree]\nall-root = no\n", "", "tree", "all-root", true },
	{ "[tree]\nexclude = a\nexclude = b\n", "[tree]\nexclude = a\nexclude = b\n", "tree",
	  "exclude", true },
	{ "[tree]\nexclude = a\nexclude = b\n", "[tree]\nexclude = a\nexclude = c\n", "tree",
	  "exclude", false },
	{ "[tree]\nexclude = a\n", "[tree]\nexclude = a\nexclude = b\n", "tree", "exclude", false },
	{ "[tree]\nexclude = a\nexclude = b\n", "[tree]\nexclude = a\n", "tree", "exclude", false },
	{ "[tree]\napply = a\n", "[tree]\napply = b\n", "tree", "apply", false },
	{ IDS("1:2:3"), IDS("1:2:3"), "tree", "uid-map", true },
	{ IDS("1:2:3"), IDS("0:2:3"), "tree", "uid-map", false },
	{ IDS("1:2:3"), IDS("1:3:3"), "tree", "uid-map", false },
	{ IDS("1:2:3"), IDS("1:2:4"), "tree", "uid-map", false },
	{ IDS("1:2:3"), IDS("1:2:3\nuid-map = 9:9:1"), "tree", "uid-map", false },
	{ IDS("1:2:3\nuid-map = 9:9:1"), IDS("1:2:3"), "tree", "uid-map", false },
	{ "[verity]\nsalt = 00ff\n", "[verity]\nsalt = 00FF\n", "verity", "salt", true },
	{ "[verity]\nsalt = 00ff\n", "[verity]\nsalt = 00fe\n", "verity", "salt", false },
	{ "[verity]\nsalt = 00ff\n", "[verity]\nsalt = 00\n", "verity", "salt", false },
};

/* Not finished: what one value alone says. */
static void values_are_compared_as_what_they_are(void **state)
{
	struct config_test *fixture = *state;
	struct config *config = &fixture->config, first;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		const struct config_key *key = config_find_key(values[i].section, values[i].name);

		write_file("a.ini", values[i].a, strlen(values[i].a));
		write_file("b.ini", values[i].b, strlen(values[i].b));
		assert_int_equal(load_file(fixture, "a.ini"), 0);
		first = *config;
		assert_int_equal(load_file(fixture, "b.ini"), 0);
		assert_int_equal(config->mistakes.all.count + first.mistakes.all.count, 0);
		if (config_same_value(&first, config, key) != values[i].same)
			fail_msg("%s and %s", values[i].a, values[i].b);
		config_free(&first);
		config_free(config);
	}
}

/* The directory is the fixture's own, the long name one of a with A in front. */
static void refuses_path(struct config_test *fixture, const char *text, const char *fmt)
{
	char name[300], message[2048], given[1024];
	int ret;

	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	snprintf(given, sizeof(given), text, name);
	accepts(fixture, given);
	ret = config_check_inputs(&fixture->config, &fixture->error);
	if (ret == 0)
		ret = config_check_outputs(&fixture->config, &fixture->error);
	if (ret == 0)
		ret = mistakes_report(&fixture->config.mistakes, 1, &fixture->error);
	assert_int_equal(ret, -EINVAL);
	snprintf(message, sizeof(message), fmt, fixture->dir.path);
	if (!strstr(fixture->error.message, message))
		fail_msg("%s", fixture->error.message);
	error_clear(&fixture->error);
	config_free(&fixture->config);
}

static void odd_paths_say_why(void **state)
{
	struct config_test *fixture = *state;

	assert_int_equal(system("mkdir full && touch full/file"), 0);
	refuses_path(fixture, "[image]\nsource = -\n[tree]\napply = build.ini/x\n",
		     "build.ini:4: [tree] apply = build.ini/x: there is no %s/build.ini/x");
	refuses_path(fixture, "[image]\nsource = -\n[tree]\napply = %s\n", ": File name too long");
	refuses_path(fixture, "[image]\nsource = -\noutput = %s/x\n", ": File name too long");
	refuses_path(fixture, "[image]\nsource = -\noutput = oci:build.ini:t\n",
		     "build.ini:3: [image] output = oci:build.ini:t: ");
	refuses_path(fixture, "[image]\nsource = -\noutput = oci:full:t\n",
		     "build.ini:3: [image] output = oci:full:t: ");
	refuses_path(fixture, "[image]\nsource = -\noutput = oci:none/x:t\n",
		     "there is no directory %s/none");
	refuses_path(fixture, "[image]\nsource = docker://x\n",
		     "build.ini:2: [image] source = docker://x: ");
	accepts(fixture, "[image]\nsource = -\noutput = /x.img\n");
	assert_int_equal(config_check_outputs(&fixture->config, &fixture->error), 0);
	assert_int_equal(mistakes_report(&fixture->config.mistakes, 1, &fixture->error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(paths_are_made_absolute),
		CONFIG_TEST(a_directory_that_is_gone_has_no_path),
		CONFIG_TEST(values_are_compared_as_what_they_are),
		CONFIG_TEST(odd_paths_say_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
