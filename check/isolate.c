/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work in a process of its own, each check above all. How long it may take is whoever waits to say:
 * a slow backend keeps the contract, and a machine under load is no fault of its.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check/check.h"
#include "check/support/must.h"
#include "lib/cleanup.h"

int check_fail(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	va_start(args, fmt);
	vfprintf(stdout, fmt, args);
	va_end(args);
	fputc('\n', stdout);
	fflush(stdout);
	return 1;
}

int check_in_child(const char *occasion, int (*run)(const void *arg), const void *arg, int *status)
{
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child < 0)
		return check_fail("%s: cannot start a process: %s", occasion, strerror(errno));
	if (child == 0) {
		int ret = run(arg);

		fflush(NULL);
		_exit(ret);
	}
	while (waitpid(child, status, 0) < 0)
		if (errno != EINTR)
			return check_fail("%s: lost the process: %s", occasion, strerror(errno));
	return 0;
}

/* How the process of a check ends; another status is the backend's, which has called exit. */
#define STATUS_PASSED 100
#define STATUS_FAILED 101

void check_end(void)
{
	fflush(NULL);
	_exit(STATUS_FAILED);
}

static int judge(const struct check *check, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_PASSED)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_FAILED)
		return 1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == MUST_STATUS)
		return check_fail("%s: not judged: the check could not go on, which is no fault of "
				  "the backend",
				  check->name);
	if (WIFEXITED(status))
		return check_fail("%s: the backend ended the process with exit status %d",
				  check->name, WEXITSTATUS(status));
	return check_fail("%s: the backend crashed: %s", check->name, strsignal(WTERMSIG(status)));
}

struct isolated {
	const struct check *check;
	const struct subject *subject;
};

/* Runs the check, with a build of the sample tree when it is one that goes on from builds. */
static int run_check(const void *arg)
{
	const struct isolated *isolated = arg;
	const struct check *check = isolated->check;
	struct subject own = *isolated->subject;
	struct memtree *tree autocall(cleanup_memtree_free) = NULL;

	own.check = check->name;
	if (check->kind == CHECK_AFTER_BUILDS && !check->untouched)
		tree = check_sample_tree(&own, NULL);
	own.sample = check_setup(isolated->subject, tree);
	own.sample.job = &own.job;
	return check->run(&own) ? STATUS_FAILED : STATUS_PASSED;
}

int check_isolated(const struct check *check, const struct subject *subject)
{
	const struct isolated isolated = { check, subject };
	int status = 0;

	return check_in_child(check->name, run_check, &isolated, &status) || judge(check, status);
}
