/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded: counts calls of one kind and lets one of them go wrong.
 *
 * FAULT_KIND   memory (malloc, calloc, realloc, reallocarray) or names (what changes a directory
 *              or says that it is on the disk)
 * FAULT_AT     which call, from 1; 0 or not set: none
 * FAULT_HOW    fail (the default), fail-twice (the next one as well), kill (SIGKILL instead of the
 * call), kill-after FAULT_COUNT  a file that gets the number of calls at the end FAULT_LACKS  what
 * the filesystem cannot do: tmpfile, exchange
 */
/* Both names of what has two are met here. */
#undef _FILE_OFFSET_BITS

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static atomic_long calls;
static long at;
static bool counts_memory, counts_names, fails_twice, kills, kills_after, lacks_tmpfile,
	lacks_exchange;
static bool ready;

static bool is(const char *variable, const char *value)
{
	const char *text = getenv(variable);

	return text && strcmp(text, value) == 0;
}

static FILE *count_file;

__attribute__((constructor)) static void begin(void)
{
	const char *number = getenv("FAULT_AT");

	at = number ? atol(number) : 0;
	counts_memory = is("FAULT_KIND", "memory");
	counts_names = is("FAULT_KIND", "names");
	fails_twice = is("FAULT_HOW", "fail-twice");
	kills = is("FAULT_HOW", "kill");
	kills_after = is("FAULT_HOW", "kill-after");
	if (getenv("FAULT_COUNT"))
		count_file = fopen(getenv("FAULT_COUNT"), "w"); /* while the program may */
	lacks_tmpfile = getenv("FAULT_LACKS") && strstr(getenv("FAULT_LACKS"), "tmpfile");
	lacks_exchange = getenv("FAULT_LACKS") && strstr(getenv("FAULT_LACKS"), "exchange");
	unsetenv("LD_PRELOAD");
	ready = true;
}

__attribute__((destructor)) static void end(void)
{
	long count = calls;

	if (!count_file)
		return;
	fprintf(count_file, "%ld\n", count);
	fclose(count_file);
}

/* Is this the call that goes wrong? */
static bool fails(bool counted, int code)
{
	long call = ready && counted ? ++calls : 0;

	if (call == 0 || (call != at && !(fails_twice && call == at + 1)))
		return false;
	if (kills)
		kill(getpid(), SIGKILL);
	if (kills_after)
		return false;
	errno = code;
	return true;
}

static int done(int ret)
{
	if (kills_after && at > 0 && calls == at)
		kill(getpid(), SIGKILL);
	return ret;
}

void *malloc(size_t size)
{
	return fails(counts_memory, ENOMEM) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails(counts_memory, ENOMEM) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails(counts_memory, ENOMEM) ? NULL : __libc_realloc(old, size);
}

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

int renameat(int from, const char *old, int to, const char *new)
{
	return fails(counts_names, EIO) ? -1 : done(NEXT(renameat)(from, old, to, new));
}

int renameat2(int from, const char *old, int to, const char *new, unsigned int flags)
{
	if (fails(counts_names, EIO))
		return -1;
	if (lacks_exchange) {
		errno = EINVAL;
		return -1;
	}
	return done(NEXT(renameat2)(from, old, to, new, flags));
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
	return fails(counts_names, EIO) ? -1 : done(NEXT(linkat)(from, old, to, new, flags));
}

int unlinkat(int dir, const char *name, int flags)
{
	return fails(counts_names, EIO) ? -1 : done(NEXT(unlinkat)(dir, name, flags));
}

int fsync(int fd)
{
	return fails(counts_names, EIO) ? -1 : done(NEXT(fsync)(fd));
}

int fchmod(int fd, mode_t mode)
{
	return fails(counts_names, EIO) ? -1 : done(NEXT(fchmod)(fd, mode));
}

static int open_at(int dir, const char *path, int flags, mode_t mode)
{
	if (lacks_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return NEXT(openat)(dir, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	return open_at(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	return open_at(dir, path, flags, mode);
}
