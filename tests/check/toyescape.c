/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend would do that a tree or an image has taken over: it says what it came to. */
#include "toy.h"

#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int run_by_itself(void)
{
	char *const argv[] = { "true", NULL };
	pid_t pid;

	return posix_spawn(&pid, "/bin/true", NULL, NULL, argv, NULL);
}

static int bind_a_port(void)
{
	const struct sockaddr_in any = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return bind(fd, (const struct sockaddr *)&any, sizeof(any));
}

void toy_escape(const struct kataimg_host *host)
{
	const char *other = getenv("TOY_OTHER"), *made = getenv("TOY_MADE");

	if (open(other, O_RDONLY | O_CLOEXEC) >= 0)
		host->log(host->ctx, KATAIMG_LOG_WARNING, "came to read %s", other);
	if (open(other, O_WRONLY | O_CLOEXEC) >= 0)
		host->log(host->ctx, KATAIMG_LOG_WARNING, "came to write %s", other);
	if (open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) >= 0)
		host->log(host->ctx, KATAIMG_LOG_WARNING, "came to make %s", made);
	if (rename(other, made) == 0)
		host->log(host->ctx, KATAIMG_LOG_WARNING, "came to rename %s", other);
	if (run_by_itself() == 0)
		host->log(host->ctx, KATAIMG_LOG_WARNING, "came to run a program");
	if (bind_a_port() == 0)
		host->log(host->ctx, KATAIMG_LOG_WARNING, "came to the network");
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0)
		host->log(host->ctx, KATAIMG_LOG_WARNING, "may have new privileges");
	if (setgroups(0, NULL) == 0)
		host->log(host->ctx, KATAIMG_LOG_WARNING, "has capabilities of all kinds");
}
