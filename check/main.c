/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"

const struct check checks[] = {
	{ "exports", "the file exports kataimg_backend and nothing else", check_exports },
	{ "options", "each option has a help line, and its default is one of its values",
	  check_options },
	{ "empty-tree", "an empty root directory can be built, verified and probed",
	  check_empty_tree },
	{ "whole-tree", "a tree with all that the backend declares can be built",
	  check_whole_tree },
	{ "probe", "probe says -ENODATA to zeros, noise and short windows", check_probe_garbage },
	{ "verify", "verify or probe notices a window of zeros", check_verify_notices },
	{ "plan", "plan is exact: one granule less is refused by write", check_plan_exact },
	{ "windows", "write takes every window of plan's size and more", check_windows },
	{ "free-space", "plan grows with the free space that it is asked for", check_free_space },
	{ "same-bytes", "the same tree and job give the same bytes", check_same_bytes },
	{ "two-at-once", "two instances at once do not disturb each other", check_two_at_once },
	{ "threads", "the number of threads and their order make no difference", check_threads },
	{ "faults", "a failing service fails the callback with its error, given once",
	  check_faults },
	{ "cancelled", "a cancelled build ends with -ECANCELED", check_cancelled },
	{ "effects",
	  "no descriptor, directory, umask, signal, locale or memory mapping is left changed",
	  check_effects },
	{ "stdout", "nothing is written to stdout or stderr", check_stdout },
};
const size_t check_count = sizeof(checks) / sizeof(checks[0]);

static void print_usage(FILE *out)
{
	fprintf(out, "Usage: kataimg-backend-check FILE.so [NAME=VALUE]...\n"
		     "Runs a backend against the contract of kataimg/backend.h; NAME=VALUE are its "
		     "options.\n\nChecks:\n");
	for (size_t i = 0; i < check_count; i++)
		fprintf(out, "  %-12s %s\n", checks[i].name, checks[i].promise);
}

static int run_all(const struct subject *subject)
{
	size_t failed = 0;

	for (size_t i = 0; i < check_count; i++) {
		int ret = check_isolated(&checks[i], subject);

		printf("%s %s: %s\n", ret ? "FAIL" : "ok  ", checks[i].name, checks[i].promise);
		fflush(stdout);
		failed += ret != 0;
	}
	printf("%zu passed, %zu failed\n", check_count - failed, failed);
	return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct subject subject = { 0 };

	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		print_usage(stdout);
		return 0;
	}
	if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
		printf("kataimg-backend-check %s, backend interface %d\n", KATAIMG_VERSION,
		       KATAIMG_ABI_VERSION);
		return 0;
	}
	if (argc < 2 || argv[1][0] == '-') {
		print_usage(stderr);
		return 2;
	}
	subject.path = argv[1];
	subject.options = (const char *const *)argv + 2;
	subject.backend = check_load(subject.path);
	return subject.backend ? run_all(&subject) : 1;
}
