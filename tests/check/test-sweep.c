/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test-sweep memory|calls BACKEND...: kataimg-backend-check itself gets no memory, or a call of its
 * fails, at each place once. It says so, and does not say that the backend is to blame.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "check/check.h"
#include "core/base/digest.h"
#include "tests/support/tempdir.h"
#include "tests/unit/commandsweep.h"

#define BACKEND "./kataimg-toy-small-backend.so"
#define ONLY(name) BACKEND " --only " name

static const struct sweep_command commands[] = {
	{ ONLY("options") },
	{ ONLY("empty-tree") },
	{ BACKEND " --only whole-tree --keep out/kept label=x", .leaves = true },
	{ ONLY("exports") },
	{ ONLY("options") },
	{ ONLY("probe") },
	{ ONLY("read-back") },
	{ ONLY("verify") },
	{ ONLY("plan") },
	{ ONLY("granularity") },
	{ ONLY("windows") },
	{ ONLY("jobs") },
	{ ONLY("dax") },
	{ ONLY("free-space") },
	{ ONLY("same-bytes") },
	{ ONLY("again") },
	{ ONLY("two-at-once") },
	{ ONLY("threads") },
	{ ONLY("faults") },
	{ ONLY("cancelled") },
	{ ONLY("effects") },
	{ ONLY("stdout") },
	/* What needs scratch files, threads, and another program. */
	{ "./kataimg-liar-backend.so --only empty-tree --only granularity" },
	{ "./kataimg-run-backend.so --only empty-tree" },
};

/* Hundreds of readings each time, all alike to what wants memory. */
static const struct sweep_command hostile = { ONLY("hostile") };

static bool says(const struct sweep_result *result, const char *words)
{
	return strstr(result->told, words) || strstr(result->complained, words);
}

static const char *judge(const struct sweep_command *command, const struct sweep_fault *fault,
			 uint64_t before, const struct sweep_result *result)
{
	if (result->ended != 1 && result->ended != 2)
		return "a wrong exit code";
	if (says(result, "the backend crashed") || says(result, "the backend ended the process"))
		return "the backend is blamed";
	if (!says(result, strerror(fault->how)) &&
	    !(fault->kind == MEMORY && says(result, "out of memory")))
		return "no reason";
	return command->leaves || result->out == before ? NULL : "other files";
}

static const struct sweep_program program = { "kataimg-backend-check", check_main, judge, false };

static bool is_memory;

static void all_checks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		sweep(&commands[i], is_memory);
	if (!is_memory)
		sweep(&hostile, is_memory);
	sweep_end();
}

int main(int count, char **words)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_checks) };
	struct tempdir directory;
	int failed;

	if (count < 3)
		return 99;
	is_memory = strcmp(words[1], "memory") == 0;
	tempdir_open_large(&directory);
	if (chdir(directory.path) < 0)
		return 99;
	for (int i = 2; i < count; i++)
		if (symlink(words[i], strrchr(words[i], '/') + 1) < 0)
			return 99;
	setenv("TOY_SCRIPT", "cat >&3", 1);
	/* What libcrypto sets up once is for the sweeps of kataimg to disturb. */
	digest_free(digest_new());
	sweep_begin(&program);
	failed = cmocka_run_group_tests_name(words[1], tests, NULL, NULL);
	if (chdir("/") < 0)
		return 99;
	tempdir_close(&directory);
	return failed;
}
