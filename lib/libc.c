/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/libc.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#if defined(__GLIBC__) && !defined(LIBC_PLAIN)
#if __GLIBC_PREREQ(2, 32)
#define HAS_NAMES
#endif
#endif

#ifdef HAS_NAMES

const char *errno_text(int code)
{
	return strerrordesc_np(code);
}

const char *errno_name(int code)
{
	return strerrorname_np(code);
}

int libc_renameat2(int old_dir, const char *old_name, int new_dir, const char *new_name,
		   unsigned int flags)
{
	return renameat2(old_dir, old_name, new_dir, new_name, flags);
}

ssize_t libc_getdents(int dir, void *records, size_t bytes)
{
	return getdents64(dir, records, bytes);
}

#else

#include <sys/syscall.h>
#include <unistd.h>

#define NAME(code) code, #code

static const struct {
	int code;
	const char *name;
} names[] = {
	{ NAME(E2BIG) },        { NAME(EACCES) },     { NAME(EAGAIN) },    { NAME(EBADF) },
	{ NAME(EBADMSG) },      { NAME(EBUSY) },      { NAME(ECANCELED) }, { NAME(ECHILD) },
	{ NAME(EDEADLK) },      { NAME(EDOM) },       { NAME(EDQUOT) },    { NAME(EEXIST) },
	{ NAME(EFAULT) },       { NAME(EFBIG) },      { NAME(EILSEQ) },    { NAME(EINTR) },
	{ NAME(EINVAL) },       { NAME(EIO) },        { NAME(EISDIR) },    { NAME(ELIBACC) },
	{ NAME(ELIBBAD) },      { NAME(ELOOP) },      { NAME(EMFILE) },    { NAME(EMLINK) },
	{ NAME(ENAMETOOLONG) }, { NAME(ENFILE) },     { NAME(ENODATA) },   { NAME(ENODEV) },
	{ NAME(ENOENT) },       { NAME(ENOEXEC) },    { NAME(ENOLCK) },    { NAME(ENOMEM) },
	{ NAME(ENOSPC) },       { NAME(ENOSYS) },     { NAME(ENOTBLK) },   { NAME(ENOTDIR) },
	{ NAME(ENOTEMPTY) },    { NAME(EOPNOTSUPP) }, { NAME(ENOTTY) },    { NAME(ENXIO) },
	{ NAME(EOVERFLOW) },    { NAME(EPERM) },      { NAME(EPIPE) },     { NAME(EPROTO) },
	{ NAME(ERANGE) },       { NAME(EROFS) },      { NAME(ESPIPE) },    { NAME(ESRCH) },
	{ NAME(ESTALE) },       { NAME(ETIMEDOUT) },  { NAME(ETXTBSY) },   { NAME(EUCLEAN) },
	{ NAME(EXDEV) },        { 0, "0" },
};

const char *errno_name(int code)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].code == code)
			return names[i].name;
	return NULL;
}

/* Every library has another sentence for what is no errno value, and 0 stands for success. */
const char *errno_text(int code)
{
	return code < 0 || code > 133 ? NULL : strerror(code);
}

int libc_renameat2(int old_dir, const char *old_name, int new_dir, const char *new_name,
		   unsigned int flags)
{
	return (int)syscall(SYS_renameat2, old_dir, old_name, new_dir, new_name, flags);
}

ssize_t libc_getdents(int dir, void *records, size_t bytes)
{
	return syscall(SYS_getdents64, dir, records, bytes);
}

#endif
