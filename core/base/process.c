/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

/* Else the next file that is opened, the image say, would get the number that messages go to. */
static int occupy(int fd)
{
	if (fcntl(fd, F_GETFD) >= 0)
		return 0;
	/* open gives the lowest free number, which is fd: those below it are in use by now. */
	return open("/", O_PATH) < 0 ? -errno : 0;
}

/*
 * By itself glibc learns to keep what was freed, up to 32 MiB at a time and for each thread: a
 * buffer that threads take turns with would be there once for each of them.
 */
#define LARGE_BYTES (1 << 20)

static void give_large_memory_back(void)
{
#ifdef M_MMAP_THRESHOLD
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	mallopt(M_TRIM_THRESHOLD, 2 * LARGE_BYTES);
#endif
}

/*
 * The soft limit is low for the sake of programs that call select(), and a run of many images has
 * some descriptors open for each. Where it cannot be raised, what is opened beyond it tells.
 */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static bool pipes_ended_quietly;

int process_prepare(void)
{
	int ret = 0;

	give_large_memory_back();
	raise_descriptors();
	signal(SIGXFSZ, SIG_IGN);
	pipes_ended_quietly = signal(SIGPIPE, SIG_IGN) == SIG_DFL;
	for (int fd = STDIN_FILENO; ret == 0 && fd <= STDERR_FILENO; fd++)
		ret = occupy(fd);
	return ret;
}

void process_end_for_broken_pipe(void)
{
	if (!pipes_ended_quietly)
		return;
	signal(SIGPIPE, SIG_DFL);
	raise(SIGPIPE);
}
