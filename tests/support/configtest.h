/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations out of a text, and what is told of them, for cmocka tests. */
#ifndef SUPPORT_CONFIGTEST_H
#define SUPPORT_CONFIGTEST_H

#include "core/config/config.h"
#include "tests/support/tempdir.h"

/* Each test runs in an empty directory of its own, where build.ini is written. */
struct config_test {
	struct tempdir dir;
	struct config config;
	struct error error;
};

int config_test_set_up(void **state);
int config_test_tear_down(void **state);

#define CONFIG_TEST(function) \
	cmocka_unit_test_setup_teardown(function, config_test_set_up, config_test_tear_down)

void write_file(const char *path, const void *text, size_t len);

/* Defaults, the environment and a file; what is to be finished. */
int load_file(struct config_test *fixture, const char *path);
/* With a backend that makes disks and can be mapped; all mistakes are the error. */
int finish(struct config_test *fixture);

/* Both, of build.ini with this text. */
int load_bytes(struct config_test *fixture, const char *text, size_t len);
int load(struct config_test *fixture, const char *text);

/* ret is that of a mistake with this message; the configuration is empty after it. */
void expect_failure(struct config_test *fixture, int ret, const char *message);
void refuses(struct config_test *fixture, const char *text, const char *message);
void accepts(struct config_test *fixture, const char *text);

/* For struct config_backends: xfs is one, of no-memory it cannot be told; none makes no disk. */
int is_backend(void *arg, const char *name);
int is_disk(void *arg);

#endif
