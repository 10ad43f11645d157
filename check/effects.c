/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend leaves behind in the process that loaded it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check/check.h"
#include "check/support/must.h"
#include "lib/cleanup.h"

#define SIGNALS 31

struct effects {
	int descriptors, threads;
	char directory[PATH_MAX];
	mode_t umask;
	void (*handlers[SIGNALS + 1])(int);
	sigset_t blocked;
	char locale[256];
};

int check_count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int count = 0;

	must(dir);
	for (errno = 0; readdir(dir);)
		count++;
	must(errno == 0);
	closedir(dir);
	return count;
}

static void take(struct effects *effects)
{
	memset(effects, 0, sizeof(*effects));
	effects->descriptors = check_count_entries("/proc/self/fd");
	effects->threads = check_count_entries("/proc/self/task");
	must(getcwd(effects->directory, sizeof(effects->directory)));
	effects->umask = umask(022);
	umask(effects->umask);
	for (int i = 1; i <= SIGNALS; i++) {
		struct sigaction action;

		must(sigaction(i, NULL, &action) == 0);
		effects->handlers[i] = action.sa_handler;
	}
	pthread_sigmask(SIG_SETMASK, NULL, &effects->blocked);
	snprintf(effects->locale, sizeof(effects->locale), "%s", setlocale(LC_ALL, NULL));
}

static int compare(const struct effects *before, const struct effects *after)
{
	if (after->descriptors != before->descriptors)
		return check_fail("effects: %d descriptors were open before, %d after",
				  before->descriptors, after->descriptors);
	if (after->threads != before->threads)
		return check_fail("effects: %d threads ran before, %d after", before->threads,
				  after->threads);
	if (strcmp(after->directory, before->directory) != 0)
		return check_fail("effects: the working directory has changed to %s",
				  after->directory);
	if (after->umask != before->umask)
		return check_fail("effects: the umask has changed to %03o", after->umask);
	if (strcmp(after->locale, before->locale) != 0)
		return check_fail("effects: the locale has changed to %s", after->locale);
	for (int i = 1; i <= SIGNALS; i++)
		if (after->handlers[i] != before->handlers[i] ||
		    sigismember(&after->blocked, i) != sigismember(&before->blocked, i))
			return check_fail("effects: the handling of signal %d (%s) has changed", i,
					  strsignal(i));
	return 0;
}

int check_effects(const struct subject *subject)
{
	struct memtree *tree autocall(cleanup_memtree_free) = NULL;
	struct effects before, after;
	struct trial_setup setup;
	int ret = 0;

	take(&before);
	tree = check_sample_tree(subject, NULL);
	setup = check_setup(subject, tree);
	/* The second round counts: what a library sets up once for the process is no leak. */
	for (int round = 0; ret == 0 && round < 2; round++) {
		if (round > 0)
			take(&before);
		ret = check_builds(&setup, "effects");
		take(&after);
		if (round == 0)
			after.descriptors = before.descriptors;
		if (ret == 0)
			ret = compare(&before, &after);
	}
	return ret;
}

struct captured {
	const struct trial_setup *setup;
	int fd;
};

static int run_captured(const void *arg)
{
	const struct captured *captured = arg;
	struct trial *trial autocall(cleanup_trial_free) = trial_new(captured->setup);

	must(dup2(captured->fd, STDOUT_FILENO) >= 0 && dup2(captured->fd, STDERR_FILENO) >= 0);
	trial_run(trial);
	return 0;
}

int check_stdout(const struct subject *subject)
{
	int fd autoclose = memfd_create("captured", MFD_CLOEXEC);
	const struct captured captured = { &subject->sample, fd };
	char text[200] = "";
	ssize_t len;
	int status;

	must(fd >= 0);
	if (check_in_child("stdout", run_captured, &captured, &status))
		return 1;
	len = pread(fd, text, sizeof(text) - 1, 0);
	must(len >= 0);
	if (status != 0)
		return check_fail("stdout: the build ended its process, and this it wrote: %s",
				  text);
	return len == 0 ? 0 : check_fail("stdout: the backend wrote to stdout or stderr: %s", text);
}
