/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded: the kernel has Landlock of version LANDLOCK_VERSION of its interface, if its own is
 * not older. 0: it has none; -1: it is not switched on. What a version does not know it refuses as
 * that kernel would; what is not asked of a newer kernel it does not deny, but for REFER, which the
 * first version denies as well. SECCOMP=no: nor are there filters of system calls.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* By version: the rights of files, and the bytes of the structure. */
static const struct {
	uint64_t files;
	size_t bytes;
} known[] = {
	[1] = { (1 << 13) - 1, 8 },  [2] = { (1 << 14) - 1, 8 },  [3] = { (1 << 15) - 1, 8 },
	[4] = { (1 << 15) - 1, 16 }, [5] = { (1 << 16) - 1, 16 }, [6] = { (1 << 16) - 1, 24 },
};

static long version(void)
{
	const char *text = getenv("LANDLOCK_VERSION");

	return text ? strtol(text, NULL, 10) : LONG_MAX;
}

static long fail(int code)
{
	errno = code;
	return -1;
}

/* 0, or what the kernel says of such a structure. */
static int judge(const unsigned char *ruleset, size_t size)
{
	size_t of = version() < 6 ? (size_t)version() : 6;
	uint64_t files;

	memcpy(&files, ruleset, sizeof(files));
	for (size_t i = known[of].bytes; i < size; i++)
		if (ruleset[i])
			return E2BIG;
	return files & ~known[of].files ? EINVAL : 0;
}

long syscall(long number, ...)
{
	long a[6], result;
	va_list arguments;
	int code;

	va_start(arguments, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(arguments, long);
	va_end(arguments);
	if (number == SYS_seccomp && getenv("SECCOMP"))
		return fail(ENOSYS);
	if (number == SYS_landlock_create_ruleset && version() < 1)
		return fail(version() < 0 ? EOPNOTSUPP : ENOSYS);
	code = number == SYS_landlock_create_ruleset && a[0]
		       ? judge((const unsigned char *)(uintptr_t)a[0], (size_t)a[1])
		       : 0;
	if (code)
		return fail(code);
	result = ((__typeof__(&syscall))dlsym(RTLD_NEXT, "syscall"))(number, a[0], a[1], a[2], a[3],
								     a[4], a[5]);
	if (number == SYS_landlock_create_ruleset && !a[0] && result > version())
		return version();
	return result;
}
