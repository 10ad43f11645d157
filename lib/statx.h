/* SPDX-License-Identifier: Apache-2.0 */
/* statx(2), which musl has from 1.2.5 on, as Linux 4.11 had it. */
#ifndef LIB_STATX_H
#define LIB_STATX_H

#include <sys/stat.h>

#ifdef STATX_BASIC_STATS
#define libc_statx statx

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000u
#define stx_mnt_id __pad1[0]
#endif
#ifndef STATX_ATTR_NODUMP
#define STATX_ATTR_IMMUTABLE 0x10
#define STATX_ATTR_APPEND 0x20
#define STATX_ATTR_NODUMP 0x40
#endif

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
