/* SPDX-License-Identifier: Apache-2.0 */
#include "core/image/lock.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/file.h>
#include <time.h>

#include "core/base/cancel.h"

/* Others hold it for a moment, unless their disk is slow. */
#define WAIT_STEP_MS 10
#define WAIT_MS 60000

int lock_directory(int dir, struct error *error, const char *fmt, ...)
{
	const struct timespec step = { .tv_nsec = WAIT_STEP_MS * 1000000L };
	va_list args;

	for (unsigned int waited = 0; waited < WAIT_MS; waited += WAIT_STEP_MS) {
		if (flock(dir, LOCK_EX | LOCK_NB) == 0)
			return 0;
		/* A filesystem that locks no directories. */
		if (errno != EWOULDBLOCK && errno != EINTR)
			return 0;
		if (cancel_requested())
			return cancel_check(error);
		nanosleep(&step, NULL);
	}
	va_start(args, fmt);
	error_vset(error, EBUSY, fmt, args);
	va_end(args);
	return error_append(error,
			    ": for a minute another program has kept a lock on the directory");
}
