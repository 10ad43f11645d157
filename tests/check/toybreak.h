/* SPDX-License-Identifier: Apache-2.0 */
/* Promises that toy.c breaks beside what its filesystem is: a part of it, and of nothing else.
 * Where none is broken, they do nothing. */
#ifndef TOYBREAK_H
#define TOYBREAK_H

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "toy.h"

#define BLOCK 4096u

#ifdef BREAK_RUNNING
static void *thread_that_stays(void *arg)
{
	for (;;)
		pause();
	return arg;
}
#endif

#ifdef BREAK_PLAN_PID
static pid_t loader;

__attribute__((constructor)) static void note_loader(void)
{
	loader = getpid();
}
#endif

static inline int break_open(struct toy *toy)
{
	(void)toy;
#ifdef BREAK_JOBS
	if (toy->job->sector_bytes != 512) {
		toy->host->error(toy->host->ctx, "sectors of %u bytes are not to my taste",
				 toy->job->sector_bytes);
		return -EINVAL;
	}
#endif
#ifdef BREAK_EXIT
	exit(0);
#endif
#ifdef BREAK_CHDIR
	if (chdir("/") < 0)
		return -EIO;
#endif
#ifdef BREAK_UMASK
	umask(0);
#endif
#ifdef BREAK_SIGNAL
	signal(SIGPIPE, SIG_IGN);
#endif
#ifdef BREAK_MASK
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &blocked, NULL);
#endif
#ifdef BREAK_RUNNING
	pthread_t thread;

	pthread_create(&thread, NULL, thread_that_stays, NULL);
#endif
#ifdef BREAK_LOCALE
	setlocale(LC_ALL, "C.UTF-8");
#endif
#ifdef BREAK_FD
	open("/dev/null", O_RDONLY);
#endif
#ifdef BREAK_STDOUT
	puts("toy: opened");
#endif
#ifdef BREAK_CRASH
	abort();
#endif
	return 0;
}

/* The plan's, without free space. */
static inline void break_blocks(struct toy *toy)
{
	(void)toy;
#ifdef BREAK_PLAN_PID
	toy->blocks += getppid() != loader; /* a check's own child */
#endif
#ifdef BREAK_PLAN_COUNT
	static uint32_t plans;

	toy->blocks += plans++ > 0;
#endif
#if defined(BREAK_PLAN) || defined(BREAK_LARGE)
	toy->blocks += 1;
#endif
}

#ifdef BREAK_NESTED
static int no_job(void *arg, uint64_t index)
{
	return arg || index;
}

static int nested_job(void *arg, uint64_t index)
{
	struct toy *toy = arg;

	return toy->host->parallel(toy->host->ctx, index + 1, no_job, NULL);
}
#endif

#ifdef BREAK_THREAD
static void *thread_of_its_own(void *arg)
{
	struct toy *toy = arg;

	toy->host->fact(toy->host->ctx, "thread", "of its own");
	return NULL;
}
#endif

static inline int break_plan(struct toy *toy, struct kataimg_plan *plan)
{
	(void)toy;
	(void)plan;
#ifdef BREAK_FREE
	plan->bytes = toy->blocks * BLOCK;
#endif
#ifdef BREAK_LESS
	if (!toy->job->free_bytes)
		plan->bytes += UINT64_C(64) << 20;
#endif
#ifdef BREAK_BEHIND
	memset(plan + 1, 0, 1);
#endif
#ifdef BREAK_NESTED
	return toy->host->parallel(toy->host->ctx, 1, nested_job, toy);
#endif
#ifdef BREAK_THREAD
	pthread_t thread;

	pthread_create(&thread, NULL, thread_of_its_own, toy);
	pthread_join(thread, NULL);
#endif
#ifdef BREAK_COARSE
	plan->granularity = 16 * BLOCK;
	plan->bytes = (plan->bytes + 16 * BLOCK - 1) / (16 * BLOCK) * (16 * BLOCK);
	toy->blocks = plan->bytes / BLOCK;
#endif
#ifdef BREAK_GRANULARITY
	plan->granularity = 1000;
#endif
	return 0;
}

/* A number that is 0 when all is well. */
static inline uint32_t break_bytes(struct toy *toy)
{
	(void)toy;
#ifdef BREAK_BYTES
	static uint32_t builds;

	return builds++;
#endif
#ifdef BREAK_AGAIN
	return toy->writes++;
#endif
#ifdef BREAK_CLOCK
	time_t now;

	time(&now);
	return (uint32_t)(now / 86400 + (time(NULL) < now)); /* the day */
#endif
#ifdef BREAK_PID
	return (uint32_t)getpid();
#endif
#ifdef BREAK_THREADS
	return toy->job->threads;
#endif
	return 0;
}

/* ret is that of the first write. */
static inline int break_write(struct toy *toy, uint64_t window_bytes, int ret)
{
	(void)toy;
	(void)window_bytes;
#ifdef BREAK_LEAK
	if (ret < 0)
		open("/dev/null", O_RDONLY);
#endif
#if defined(BREAK_OUTSIDE) || defined(BREAK_PASSED_OVER)
	ret = toy->host->write(toy->host->ctx, window_bytes - 1, "xy", 2);
#endif
#ifdef BREAK_PASSED_OVER
	ret = 0;
#endif
#ifdef BREAK_NUMBER
	return -99999;
#endif
#ifdef BREAK_POSITIVE
	return 5;
#endif
	return ret;
}

#endif
