/* SPDX-License-Identifier: Apache-2.0 */
/* statx(2), which musl has from 1.2.5 on. */
#ifndef LIB_STATX_H
#define LIB_STATX_H

#include <sys/stat.h>

#ifdef STATX_BASIC_STATS
#define libc_statx statx
#else

#include <linux/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int libc_statx(int dir, const char *name, int flags, unsigned int mask,
			     struct statx *stat)
{
	return (int)syscall(SYS_statx, dir, name, flags, mask, stat);
}

#endif
#endif
