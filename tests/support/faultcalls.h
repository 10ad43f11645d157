/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that can be made to fail. faultcalls.c catches them, in the program that it is linked with
 * or that it is preloaded into; who links it decides of each: tests/faults/shim.c by variables of
 * the environment, commandsweep.c by what its parent says.
 *
 * What libc calls within itself does not come by: a FILE's reads and writes, getpwnam. What the
 * program has no use for is not met: write(2), but for messages, fallocate(2), copy_file_range(2).
 */
#ifndef SUPPORT_FAULTCALLS_H
#define SUPPORT_FAULTCALLS_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/support/callers.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum fault_kind {
	MEMORY,
	OPEN,
	CLOSE,
	READ,
	PREAD,
	PWRITE,
	TRUNCATE,
	SYNC,
	WRITEBACK,
	RENAME,
	LINK,
	UNLINK,
	MODE,
	MAKE,
	STAT,
	DIRECTORY,
	READLINK,
	XATTR,
	MAP,
	IOCTL,
	LOCK,
	SEEK,
	DESCRIPTOR,
	THREAD,
	PROCESS,
	WAIT,
	CONFINE,
	FAULT_KINDS,
};

extern const char *const fault_kind_names[FAULT_KINDS] HIDDEN;

/* What the filesystem cannot do. */
extern bool fault_lacks_tmpfile HIDDEN, fault_lacks_exchange HIDDEN;

/* ---- Defined by who links it ---- */

/*
 * Of each call, with the address to which it returns. Does it fail? Then errno is set. It may be
 * the last of the process, or, where count is the address of what was asked for, do half.
 */
bool fault_strikes(enum fault_kind kind, size_t *count, const void *caller) HIDDEN;
/* After each call that was let through. */
void fault_done(void) HIDDEN;

#endif
