/* SPDX-License-Identifier: Apache-2.0 */
/* What is the same whoever lets calls fail. */
#include "tests/support/faultcalls.h"

#include <execinfo.h>

#define FRAMES 9
#define OWN_MAX 5
#define DEPTH_MAX 64

const char *const fault_kind_names[FAULT_KINDS] = {
	[MEMORY] = "memory",
	[OPEN] = "open",
	[CLOSE] = "close",
	[READ] = "read",
	[PREAD] = "pread",
	[PWRITE] = "pwrite",
	[TRUNCATE] = "truncate",
	[SYNC] = "sync",
	[WRITEBACK] = "writeback",
	[RENAME] = "rename",
	[LINK] = "link",
	[UNLINK] = "unlink",
	[MODE] = "mode",
	[MAKE] = "make",
	[STAT] = "stat",
	[DIRECTORY] = "directory",
	[READLINK] = "readlink",
	[XATTR] = "xattr",
	[MAP] = "map",
	[IOCTL] = "ioctl",
	[LOCK] = "lock",
	[SEEK] = "seek",
	[DESCRIPTOR] = "descriptor",
	[THREAD] = "thread",
	[PROCESS] = "process",
	[CONFINE] = "confine",
};

static __thread int below; /* frames of who began */

void fault_begin_places(void)
{
	backtrace((void *[1]){ NULL }, 1); /* loads what it needs, while that may be had */
}

void fault_begin_here(void)
{
	void *frames[DEPTH_MAX];

	below = backtrace(frames, DEPTH_MAX) - 1;
}

uint64_t fault_place(const void *caller)
{
	uint64_t sum = UINT64_C(14695981039346656037); /* FNV-1a */
	void *frames[DEPTH_MAX];
	int depth = backtrace(frames, below ? DEPTH_MAX : FRAMES + OWN_MAX) - below;
	int own = 0;

	while (own < OWN_MAX && own < depth && frames[own] != caller)
		own++;
	for (int i = own; i < depth && i < own + FRAMES; i++)
		sum = (sum ^ (uintptr_t)frames[i]) * UINT64_C(1099511628211);
	return sum;
}
