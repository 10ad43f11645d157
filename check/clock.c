/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks that can be set wrong. The program's own symbols come before libc's, in a backend's calls,
 * too. What asks the kernel by itself gets the right time, and another process's number. Compiled
 * with OTHER_TIME as well where libc has each call twice, for a time_t of 32 and of 64 bits.
 */
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check/check.h"

#define EXPORT __attribute__((visibility("default")))

extern int64_t check_clock_shift; /* in seconds */

#ifndef OTHER_TIME
int64_t check_clock_shift;

void check_shift_clock(int64_t seconds)
{
	check_clock_shift = seconds;
}
#endif

/* The kernel's call for a timespec as it is here. */
static long call_number(void)
{
#ifdef SYS_clock_gettime64
	return sizeof(time_t) > sizeof(long) ? SYS_clock_gettime64 : SYS_clock_gettime;
#else
	return SYS_clock_gettime;
#endif
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *now)
{
	int ret = (int)syscall(call_number(), clock, now);

	now->tv_sec += (time_t)check_clock_shift;
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
