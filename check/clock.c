/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks that can be set wrong. The program's own symbols come before libc's, in a backend's calls,
 * too. What asks the kernel by itself gets the right time, and another process's number.
 */
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check/check.h"

#define EXPORT __attribute__((visibility("default")))

static int64_t shift_sec;

void check_shift_clock(int64_t seconds)
{
	shift_sec = seconds;
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *now)
{
	int ret = (int)syscall(SYS_clock_gettime, clock, now);

	now->tv_sec += shift_sec;
	return ret;
}

EXPORT time_t time(time_t *result)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_REALTIME, &now);
	if (result)
		*result = now.tv_sec;
	return now.tv_sec;
}

EXPORT int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec precise = { 0 };
	int ret = clock_gettime(CLOCK_REALTIME, &precise);

	(void)zone;
	*now = (struct timeval){ .tv_sec = precise.tv_sec, .tv_usec = precise.tv_nsec / 1000 };
	return ret;
}
