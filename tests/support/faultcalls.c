/* SPDX-License-Identifier: Apache-2.0 */
/* The calls themselves, each with the kind that it is of. */
/* All names of what has several are met here. */
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS
#undef _FORTIFY_SOURCE

#include "tests/support/faultcalls.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Libraries and backends call these, too. */
#pragma GCC visibility push(default)

/* glibc's own, for callers that were built with _FORTIFY_SOURCE */
extern ssize_t __read_chk(int fd, void *data, size_t size, size_t room);
extern ssize_t __pread64_chk(int fd, void *data, size_t size, off64_t from, size_t room);

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

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
	[WAIT] = "wait",
	[CONFINE] = "confine",
};

bool fault_lacks_tmpfile, fault_lacks_exchange;

/* In a function that others call. */
#define STRIKES(kind, count) fault_strikes(kind, count, __builtin_return_address(0))

/* failure: the value, or an expression that gives it. count: an address, or NULL. */
#define CALL(kind, type, failure, count, name, parameters, arguments) \
	type name parameters                                          \
	{                                                             \
		static _Atomic(void *) next;                          \
		type value;                                           \
                                                                      \
		if (!next)                                            \
			next = dlsym(RTLD_NEXT, #name);               \
		if (STRIKES(kind, count))                             \
			return failure;                               \
		value = ((type(*) parameters)next)arguments;          \
		fault_done();                                         \
		return value;                                         \
	}

#define PLAIN(kind, name, parameters, arguments) \
	CALL(kind, int, -1, NULL, name, parameters, arguments)
#define SIZED(kind, name, parameters, arguments) \
	CALL(kind, ssize_t, -1, &size, name, parameters, arguments)

SIZED(READ, read, (int fd, void *data, size_t size), (fd, data, size))
SIZED(READ, __read_chk, (int fd, void *data, size_t size, size_t room), (fd, data, size, room))
SIZED(PREAD, pread, (int fd, void *data, size_t size, off_t from), (fd, data, size, from))
SIZED(PREAD, pread64, (int fd, void *data, size_t size, off64_t from), (fd, data, size, from))
SIZED(PREAD, __pread64_chk, (int fd, void *data, size_t size, off64_t from, size_t room),
      (fd, data, size, from, room))
SIZED(PWRITE, pwrite, (int fd, const void *data, size_t size, off_t to), (fd, data, size, to))
SIZED(PWRITE, pwrite64, (int fd, const void *data, size_t size, off64_t to), (fd, data, size, to))

PLAIN(TRUNCATE, ftruncate64, (int fd, off64_t size), (fd, size))
PLAIN(TRUNCATE, ftruncate, (int fd, off_t size), (fd, size))
PLAIN(SYNC, fsync, (int fd), (fd))
PLAIN(SYNC, fdatasync, (int fd), (fd))
PLAIN(WRITEBACK, sync_file_range, (int fd, off64_t from, off64_t size, unsigned int flags),
      (fd, from, size, flags))

PLAIN(RENAME, renameat, (int from, const char *old, int to, const char *new), (from, old, to, new))
PLAIN(LINK, linkat, (int from, const char *old, int to, const char *new, int flags),
      (from, old, to, new, flags))
PLAIN(UNLINK, unlinkat, (int dir, const char *name, int flags), (dir, name, flags))
PLAIN(UNLINK, unlink, (const char *path), (path))
PLAIN(UNLINK, rmdir, (const char *path), (path))
PLAIN(MODE, fchmod, (int fd, mode_t mode), (fd, mode))
PLAIN(MODE, fchmodat, (int dir, const char *name, mode_t mode, int flags), (dir, name, mode, flags))
PLAIN(MODE, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
PLAIN(MODE, fchownat, (int dir, const char *name, uid_t uid, gid_t gid, int flags),
      (dir, name, uid, gid, flags))
PLAIN(MODE, utimensat, (int dir, const char *name, const struct timespec times[2], int flags),
      (dir, name, times, flags))
PLAIN(MODE, futimens, (int fd, const struct timespec times[2]), (fd, times))
PLAIN(MAKE, mkdir, (const char *path, mode_t mode), (path, mode))
PLAIN(MAKE, mkdirat, (int dir, const char *name, mode_t mode), (dir, name, mode))
PLAIN(MAKE, mknodat, (int dir, const char *name, mode_t mode, dev_t device),
      (dir, name, mode, device))
PLAIN(MAKE, symlinkat, (const char *target, int dir, const char *name), (target, dir, name))

PLAIN(STAT, stat64, (const char *path, struct stat64 *status), (path, status))
PLAIN(STAT, lstat64, (const char *path, struct stat64 *status), (path, status))
PLAIN(STAT, fstat, (int fd, struct stat *status), (fd, status))
PLAIN(STAT, fstat64, (int fd, struct stat64 *status), (fd, status))
PLAIN(STAT, fstatat64, (int dir, const char *name, struct stat64 *status, int flags),
      (dir, name, status, flags))
PLAIN(STAT, statx, (int dir, const char *name, int flags, unsigned int mask, struct statx *status),
      (dir, name, flags, mask, status))
PLAIN(STAT, access, (const char *path, int mode), (path, mode))
PLAIN(STAT, faccessat, (int dir, const char *path, int mode, int flags), (dir, path, mode, flags))
CALL(DIRECTORY, ssize_t, -1, NULL, getdents64, (int fd, void *data, size_t size), (fd, data, size))
CALL(DIRECTORY, DIR *, NULL, NULL, opendir, (const char *path), (path))
CALL(DIRECTORY, DIR *, NULL, NULL, fdopendir, (int fd), (fd))
CALL(DIRECTORY, struct dirent64 *, NULL, NULL, readdir64, (DIR * dir), (dir))
CALL(DIRECTORY, char *, NULL, NULL, getcwd, (char *path, size_t size), (path, size))
CALL(READLINK, ssize_t, -1, NULL, readlinkat,
     (int dir, const char *name, char *target, size_t size), (dir, name, target, size))
CALL(READLINK, char *, NULL, NULL, realpath, (const char *path, char *real), (path, real))

CALL(XATTR, ssize_t, -1, NULL, llistxattr, (const char *path, char *names, size_t size),
     (path, names, size))
CALL(XATTR, ssize_t, -1, NULL, flistxattr, (int fd, char *names, size_t size), (fd, names, size))
CALL(XATTR, ssize_t, -1, NULL, lgetxattr,
     (const char *path, const char *name, void *value_, size_t size), (path, name, value_, size))
PLAIN(XATTR, lsetxattr,
      (const char *path, const char *name, const void *data, size_t size, int flags),
      (path, name, data, size, flags))
PLAIN(XATTR, fsetxattr, (int fd, const char *name, const void *data, size_t size, int flags),
      (fd, name, data, size, flags))
PLAIN(XATTR, fremovexattr, (int fd, const char *name), (fd, name))

CALL(MAP, void *, MAP_FAILED, NULL, mmap,
     (void *address, size_t size, int access_, int flags, int fd, off_t from),
     (address, size, access_, flags, fd, from))
CALL(MAP, void *, MAP_FAILED, NULL, mmap64,
     (void *address, size_t size, int access_, int flags, int fd, off64_t from),
     (address, size, access_, flags, fd, from))
PLAIN(LOCK, flock, (int fd, int operation), (fd, operation))
CALL(SEEK, off64_t, -1, NULL, lseek64, (int fd, off64_t to, int whence), (fd, to, whence))
CALL(SEEK, off_t, -1, NULL, lseek, (int fd, off_t to, int whence), (fd, to, whence))
PLAIN(DESCRIPTOR, dup, (int fd), (fd))
PLAIN(DESCRIPTOR, pipe2, (int fds[2], int flags), (fds, flags))
PLAIN(OPEN, memfd_create, (const char *name, unsigned int flags), (name, flags))
PLAIN(OPEN, mkostemp64, (char *template, int flags), (template, flags))
CALL(OPEN, FILE *, NULL, NULL, fopen64, (const char *path, const char *mode), (path, mode))
CALL(OPEN, FILE *, NULL, NULL, fdopen, (int fd, const char *mode), (fd, mode))
CALL(THREAD, int, EAGAIN, NULL, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument),
     (thread, attributes, run, argument))
CALL(PROCESS, int, errno, NULL, posix_spawnp,
     (pid_t * pid, const char *file, const posix_spawn_file_actions_t *actions,
      const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[]),
     (pid, file, actions, attributes, arguments, environment))
CALL(PROCESS, pid_t, -1, NULL, fork, (void), ())
CALL(WAIT, pid_t, -1, NULL, waitpid, (pid_t pid, int *status, int flags), (pid, status, flags))

void *malloc(size_t size)
{
	return STRIKES(MEMORY, NULL) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return STRIKES(MEMORY, NULL) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return STRIKES(MEMORY, NULL) ? NULL : __libc_realloc(old, size);
}

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

/* The descriptor is gone, as with a network's filesystem that says late what it lost. */
int close(int fd)
{
	int number = STRIKES(CLOSE, NULL) ? errno : 0;
	int value = NEXT(close)(fd);

	if (number)
		errno = number;
	return number ? -1 : value;
}

int renameat2(int from, const char *old, int to, const char *new, unsigned int flags)
{
	int value;

	if (STRIKES(RENAME, NULL))
		return -1;
	if (fault_lacks_exchange) {
		errno = EINVAL;
		return -1;
	}
	value = NEXT(renameat2)(from, old, to, new, flags);
	fault_done();
	return value;
}

static int open_at(int dir, const char *path, int flags, mode_t mode, const void *caller)
{
	int fd;

	if (fault_strikes(OPEN, NULL, caller))
		return -1;
	if (fault_lacks_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	fd = NEXT(openat64)(dir, path, flags, mode);
	fault_done();
	return fd;
}

#define OPENS(name, parameters, dir)                                                 \
	int name parameters                                                          \
	{                                                                            \
		va_list arguments;                                                   \
		mode_t mode;                                                         \
                                                                                     \
		va_start(arguments, flags);                                          \
		mode = va_arg(arguments, mode_t);                                    \
		va_end(arguments);                                                   \
		return open_at(dir, path, flags, mode, __builtin_return_address(0)); \
	}

OPENS(open, (const char *path, int flags, ...), AT_FDCWD)
OPENS(open64, (const char *path, int flags, ...), AT_FDCWD)
OPENS(openat, (int dir, const char *path, int flags, ...), dir)
OPENS(openat64, (int dir, const char *path, int flags, ...), dir)

/* One argument at most, as wide as a register. */
#define ONE_MORE(kind, name, type, asked)                                          \
	int name(int fd, type asked, ...)                                          \
	{                                                                          \
		va_list arguments;                                                 \
		void *argument;                                                    \
                                                                                   \
		va_start(arguments, asked);                                        \
		argument = va_arg(arguments, void *);                              \
		va_end(arguments);                                                 \
		return STRIKES(kind, NULL) ? -1 : NEXT(name)(fd, asked, argument); \
	}

ONE_MORE(IOCTL, ioctl, unsigned long, request)
ONE_MORE(DESCRIPTOR, fcntl64, int, command)

int prctl(int option, ...)
{
	unsigned long a[4];
	va_list arguments;

	va_start(arguments, option);
	for (size_t i = 0; i < COUNT_OF(a); i++)
		a[i] = va_arg(arguments, unsigned long);
	va_end(arguments);
	return STRIKES(CONFINE, NULL) ? -1 : NEXT(prctl)(option, a[0], a[1], a[2], a[3]);
}

/* What libc has no function for: the rest is that of confining. */
static enum fault_kind kind_of(long number)
{
	switch (number) {
	case SYS_openat2:
		return OPEN;
	case 464: /* getxattrat */
	case 465: /* listxattrat */
		return XATTR;
	default:
		return CONFINE;
	}
}

long syscall(long number, ...)
{
	long a[6];
	va_list arguments;

	va_start(arguments, number);
	for (size_t i = 0; i < COUNT_OF(a); i++)
		a[i] = va_arg(arguments, long);
	va_end(arguments);
	return STRIKES(kind_of(number), NULL)
		       ? -1
		       : NEXT(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
