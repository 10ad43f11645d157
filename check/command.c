/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"

const struct check checks[] = {
	{ "exports", "the file exports kataimg_backend and nothing else", check_exports,
	  CHECK_ALONE },
	{ "options", "each option has a name of its own, a help line, and bounds in order",
	  check_options, CHECK_ALONE },
	{ "probe", "probe says -ENODATA to zeros, noise and short windows", check_probe_garbage,
	  CHECK_ALONE },
	{ "empty-tree", "an empty root directory can be built, verified and probed",
	  check_empty_tree, CHECK_BUILD },
	{ "whole-tree", "a tree with all that the backend declares can be built", check_whole_tree,
	  CHECK_BUILD },
	{ "read-back", "what was written is read back as it was, by a backend that reads",
	  check_read_back, CHECK_AFTER_BUILDS },
	{ "hostile", "damaged windows and noise are read, or refused, without harm", check_hostile,
	  CHECK_AFTER_BUILDS },
	{ "verify", "verify or probe notices a window of zeros", check_verify_notices,
	  CHECK_AFTER_BUILDS },
	{ "plan", "plan is exact: one granule less is refused by write", check_plan_exact,
	  CHECK_AFTER_BUILDS },
	{ "granularity", "the granularity is no coarser than what write can do", check_granularity,
	  CHECK_AFTER_BUILDS },
	{ "windows", "write takes every window of plan's size and more", check_windows,
	  CHECK_AFTER_BUILDS },
	{ "jobs",
	  "images without DAX, without huge pages and with sectors of 4096 bytes can be "
	  "built",
	  check_jobs, CHECK_AFTER_BUILDS },
	{ "dax", "data is where DAX maps it, that of large files in huge pages", check_dax,
	  CHECK_AFTER_BUILDS },
	{ "free-space", "plan grows with the free space that it is asked for", check_free_space,
	  CHECK_AFTER_BUILDS },
	{ "same-bytes", "the same tree and job give the same bytes", check_same_bytes,
	  CHECK_AFTER_BUILDS },
	{ "again", "write says the same when it is called again, if it claims so", check_again,
	  CHECK_AFTER_BUILDS },
	{ "two-at-once", "two instances at once do not disturb each other", check_two_at_once,
	  CHECK_AFTER_BUILDS },
	{ "threads", "the number of threads and their order make no difference", check_threads,
	  CHECK_AFTER_BUILDS },
	{ "faults", "a failing service fails the callback with its error, given once", check_faults,
	  CHECK_AFTER_BUILDS },
	{ "cancelled", "a cancelled build ends with -ECANCELED", check_cancelled,
	  CHECK_AFTER_BUILDS },
	{ "effects",
	  "no descriptor, thread, working directory, umask, locale or signal is left changed",
	  check_effects, CHECK_AFTER_BUILDS, true },
	{ "stdout", "nothing is written to stdout or stderr", check_stdout, CHECK_AFTER_BUILDS },
};
const size_t check_count = sizeof(checks) / sizeof(checks[0]);
#define CHECKS_MAX (sizeof(checks) / sizeof(checks[0]))

/* What the command line asks for. */
struct request {
	struct subject subject;
	bool only[CHECKS_MAX]; /* by place in checks */
	bool any_only;         /* else all of them */
	const char *const *options;
};

static void print_list(FILE *out)
{
	for (size_t i = 0; i < check_count; i++)
		fprintf(out, "%-12s %s\n", checks[i].name, checks[i].promise);
}

static void print_usage(FILE *out)
{
	fprintf(out,
		"Usage: kataimg-backend-check [OPTION]... FILE.so [NAME=VALUE]...\n"
		"Runs a backend against the contract of kataimg/backend.h; NAME=VALUE are its "
		"options.\n\n"
		"  --only CHECK  run this check and no other; may be repeated\n"
		"  --keep DIR    leave DIR/filesystem and DIR/tree of whole-tree, for fsck and "
		"comparison\n"
		"  --list        list the checks\n"
		"  --help, --version\n\nChecks:\n");
	print_list(out);
}

static int run_checks(const struct request *request)
{
	size_t passed = 0, failed = 0, failed_builds = 0, not_run = 0;

	for (size_t i = 0; i < check_count; i++) {
		const struct check *check = &checks[i];
		int ret;

		if (request->any_only && !request->only[i])
			continue;
		if (check->kind == CHECK_AFTER_BUILDS && failed_builds > 0) {
			printf("skip %s: the builds that it goes on from failed\n", check->name);
			not_run++;
			continue;
		}
		ret = check_isolated(check, &request->subject);
		printf("%s %s: %s\n", ret ? "FAIL" : "ok  ", check->name, check->promise);
		fflush(stdout);
		passed += ret == 0;
		failed += ret != 0;
		failed_builds += ret != 0 && check->kind == CHECK_BUILD;
	}
	printf("%zu passed, %zu failed", passed, failed);
	if (not_run > 0)
		printf(", %zu not run", not_run);
	putchar('\n');
	return failed ? 1 : 0;
}

static int run_with_options(struct request *request)
{
	struct subject *subject = &request->subject;
	struct config config;
	int status;

	subject->values = check_read_options(subject->backend, request->options, &config);
	status = subject->values ? run_checks(request) : 2;
	free(subject->values);
	config_free(&config);
	return status;
}

/* A default that cannot be read is the backend's fault, not the caller's. */
static int defaults_can_be_read(const struct subject *subject)
{
	struct config config;
	struct kataimg_value *values =
		check_read_options(subject->backend, (const char *const[]){ NULL }, &config);
	int can = values != NULL;

	free(values);
	config_free(&config);
	return can;
}

static bool select_check(struct request *request, const char *name)
{
	for (size_t i = 0; i < check_count; i++) {
		if (strcmp(checks[i].name, name) != 0)
			continue;
		request->only[i] = request->any_only = true;
		return true;
	}
	check_fail("there is no check '%s': kataimg-backend-check --list names them", name);
	return false;
}

enum { OPTION_HELP = 'h', OPTION_VERSION = 256, OPTION_LIST, OPTION_ONLY, OPTION_KEEP };

/* -1: go on; else the exit status. */
static int take_option(struct request *request, int option)
{
	switch (option) {
	case OPTION_HELP:
		print_usage(stdout);
		return 0;
	case OPTION_VERSION:
		printf("kataimg-backend-check %s, backend interface %d\n", KATAIMG_VERSION,
		       KATAIMG_ABI_VERSION);
		return 0;
	case OPTION_LIST:
		print_list(stdout);
		return 0;
	case OPTION_ONLY:
		return select_check(request, optarg) ? -1 : 2;
	case OPTION_KEEP:
		request->subject.keep = optarg;
		return -1;
	default:
		print_usage(stderr);
		return 2;
	}
}

static int read_arguments(struct request *request, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "help", no_argument, NULL, OPTION_HELP },
		{ "version", no_argument, NULL, OPTION_VERSION },
		{ "list", no_argument, NULL, OPTION_LIST },
		{ "keep", required_argument, NULL, OPTION_KEEP },
		{ "only", required_argument, NULL, OPTION_ONLY },
		{ 0 },
	};
	int option, status = -1;

	while (status < 0 && (option = getopt_long(argc, argv, "h", long_options, NULL)) != -1)
		status = take_option(request, option);
	if (status < 0 && optind >= argc) {
		print_usage(stderr);
		return 2;
	}
	request->subject.path = argv[optind];
	request->options = (const char *const *)argv + optind + 1;
	return status;
}

int check_main(int argc, char **argv)
{
	struct request request = { 0 };
	struct subject *subject = &request.subject;
	int status = read_arguments(&request, argc, argv);

	if (status >= 0)
		return status;
	subject->backend = check_load(subject->path);
	if (!subject->backend || !defaults_can_be_read(subject))
		return 1;
	subject->job = check_job(subject->backend);
	return run_with_options(&request);
}
