/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each check in a process of its own. How long it may take is whoever waits to say: a slow backend
 * keeps the contract, and a machine under load is no fault of its.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check/check.h"
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

/* How the process of a check ends; another status is the backend's, which has called exit. */
#define STATUS_PASSED 100
#define STATUS_FAILED 101

static int judge(const struct check *check, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_PASSED)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_FAILED)
		return 1;
	if (WIFEXITED(status))
		return check_fail("%s: the backend ended the process with exit status %d",
				  check->name, WEXITSTATUS(status));
	return check_fail("%s: the backend crashed: %s", check->name, strsignal(WTERMSIG(status)));
}

/* Runs the check, with a build of the sample tree when it is one that goes on from builds. */
static int run(const struct check *check, const struct subject *subject)
{
	struct subject own = *subject;
	struct memtree *tree autocall(cleanup_memtree_free) = NULL;

	if (check->kind == CHECK_AFTER_BUILDS && !check->untouched)
		tree = check_sample_tree(subject, NULL);
	own.sample = check_setup(subject, tree);
	own.sample.job = &own.job;
	return check->run(&own);
}

int check_isolated(const struct check *check, const struct subject *subject)
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child < 0)
		return check_fail("%s: cannot start a process: %s", check->name, strerror(errno));
	if (child == 0) {
		status = run(check, subject);
		fflush(NULL);
		_exit(status ? STATUS_FAILED : STATUS_PASSED);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return check_fail("%s: lost the process", check->name);
	return judge(check, status);
}
