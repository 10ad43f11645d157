/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/configtest.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int config_test_set_up(void **state)
{
	struct config_test *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	tempdir_enter(&fixture->dir);
	unsetenv("SOURCE_DATE_EPOCH");
	*state = fixture;
	return 0;
}

int config_test_tear_down(void **state)
{
	struct config_test *fixture = *state;

	config_free(&fixture->config);
	error_clear(&fixture->error);
	tempdir_leave(&fixture->dir);
	free(fixture);
	return 0;
}

void write_file(const char *path, const void *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

int is_backend(void *arg, const char *name)
{
	(void)arg;
	if (strcmp(name, "no-memory") == 0)
		return -ENOMEM;
	return strcmp(name, "xfs") == 0;
}

int is_disk(void *arg)
{
	(void)arg;
	return 0;
}

static int can_dax(void *arg)
{
	(void)arg;
	return 1;
}

int load_file(struct config_test *fixture, const char *path)
{
	struct config *config = &fixture->config;
	struct records records = { 0 };
	int ret = config_init(config, &fixture->error);

	if (ret == 0)
		ret = config_read_environment(config, &fixture->error);
	if (ret == 0)
		ret = records_read(&records, path, &config->mistakes, &fixture->error);
	if (ret == 0)
		ret = config_take_records(config, &records, &fixture->error);
	records_free(&records);
	return ret;
}

int finish(struct config_test *fixture)
{
	const struct config_backends backends = { .has = is_backend,
						  .can_dax = can_dax,
						  .no_disk = is_disk };
	int ret = config_finish(&fixture->config, &backends, &fixture->error);

	return ret < 0 ? ret : mistakes_report(&fixture->config.mistakes, 1, &fixture->error);
}

int load_bytes(struct config_test *fixture, const char *text, size_t len)
{
	int ret;

	write_file("build.ini", text, len);
	ret = load_file(fixture, "build.ini");
	return ret < 0 ? ret : finish(fixture);
}

int load(struct config_test *fixture, const char *text)
{
	return load_bytes(fixture, text, strlen(text));
}

void expect_failure(struct config_test *fixture, int ret, const char *message)
{
	assert_int_equal(ret, -EINVAL);
	assert_non_null(fixture->error.message);
	assert_string_equal(fixture->error.message, message);
	assert_int_equal(fixture->error.kind, ERROR_USAGE);
	error_clear(&fixture->error);
	config_free(&fixture->config);
}

void refuses(struct config_test *fixture, const char *text, const char *message)
{
	expect_failure(fixture, load(fixture, text), message);
}

void accepts(struct config_test *fixture, const char *text)
{
	int ret = load(fixture, text);

	if (ret < 0)
		fail_msg("%s", fixture->error.message);
}
