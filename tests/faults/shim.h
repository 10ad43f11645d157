/* SPDX-License-Identifier: Apache-2.0 */
/* What shim.c decides of a call that calls.c catches. */
#ifndef FAULTS_SHIM_H
#define FAULTS_SHIM_H

#include <stdbool.h>
#include <stddef.h>

#define HIDDEN __attribute__((visibility("hidden")))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum kind {
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
	CONFINE,
};

extern int error_number HIDDEN;
extern bool lacks_tmpfile HIDDEN, lacks_exchange HIDDEN;

/* Counts the call. Does it fail? Then errno is set. It may be the last of the process, or, where
 * count is the address of what was asked for, do half. */
bool fails(enum kind kind, size_t *count) HIDDEN;
/* After each call that was let through. */
void done(void) HIDDEN;

#endif
