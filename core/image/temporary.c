/* SPDX-License-Identifier: Apache-2.0 */
#include "core/image/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/libc.h"
#include "lib/samefile.h"

#define NAMES 100

/* How a name is made; -EEXIST: it is taken. */
struct maker {
	int (*make)(const struct maker *maker, const char *name);
	int dir;
	const char *file;
	int fd;
	mode_t mode;
};

static char *name_of(const char *file, unsigned int number)
{
	char *name;

	return asprintf(&name, ".%.200s.kataimg-%u.tmp", file, number) < 0 ? NULL : name;
}

static char *rescued_name_of(const char *file, unsigned int number)
{
	char *name;

	return asprintf(&name, "%.200s.kataimg-old-%u", file, number) < 0 ? NULL : name;
}

/* Of the names for file the first one that is free. */
static int make_first(const struct maker *maker,
		      char *(*name_of_file)(const char *file, unsigned int number),
		      const char *file, char **name)
{
	for (unsigned int i = 0; i < NAMES; i++) {
		autofree char *candidate = name_of_file(file, i);
		int ret = candidate ? maker->make(maker, candidate) : -ENOMEM;

		if (ret == -EEXIST)
			continue;
		if (ret >= 0)
			*name = steal_ptr(&candidate);
		return ret;
	}
	return -EEXIST;
}

/* 1, 0 or -errno. */
static int has_name(int dir, const char *name, int fd)
{
	struct stat mine, named;

	if (fstat(fd, &mine) < 0)
		return -errno;
	if (fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return same_file(&mine, &named);
}

/* Between the file and its lock another build may take it for a stale one. */
static int make_file(const struct maker *maker, const char *name)
{
	autoclose int fd =
		openat(maker->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, maker->mode);
	int ret;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return -EEXIST;
	ret = has_name(maker->dir, name, fd);
	/* Nobody can tell whether it was removed, and no further names are tried. */
	if (ret < 0)
		unlinkat(maker->dir, name, 0);
	if (ret <= 0)
		return ret < 0 ? ret : -EEXIST;
	return steal_fd(&fd);
}

static int make_link(const struct maker *maker, const char *name)
{
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", maker->fd);
	return linkat(AT_FDCWD, self, maker->dir, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

static int make_second_name(const struct maker *maker, const char *name)
{
	return linkat(maker->dir, maker->file, maker->dir, name, 0) < 0 ? -errno : 0;
}

static bool is_unsupported(int code)
{
	return code == EINVAL || code == ENOSYS || code == EOPNOTSUPP;
}

/* NFS cannot rename on the condition that the name is free: there the lock that the publisher
 * holds has to be enough. */
static int make_other_name(const struct maker *maker, const char *name)
{
	struct stat st;

	if (libc_renameat2(maker->dir, maker->file, maker->dir, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (!is_unsupported(errno))
		return -errno;
	if (fstatat(maker->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(maker->dir, maker->file, maker->dir, name) < 0 ? -errno : 0;
}

int temporary_make(int dir, const char *file, mode_t mode, char **name)
{
	const struct maker maker = { make_file, dir, file, -1, mode };

	return make_first(&maker, name_of, file, name);
}

int temporary_link(int dir, const char *file, int fd, char **name)
{
	const struct maker maker = { make_link, dir, file, fd, 0 };

	return make_first(&maker, name_of, file, name);
}

int temporary_keep(int dir, const char *file, bool as_well, char **name)
{
	const struct maker maker = { as_well ? make_second_name : make_other_name, dir, file, -1,
				     0 };

	return make_first(&maker, name_of, file, name);
}

int temporary_rescue(int dir, const char *temporary, const char *file, char **name)
{
	const struct maker maker = { make_other_name, dir, temporary, -1, 0 };

	return make_first(&maker, rescued_name_of, file, name);
}

void temporary_lock(int fd)
{
	while (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EINTR)
		continue;
}

/* NFS gives an exclusive lock only on a file that is open for writing. */
static int open_stale(int dir, const char *name)
{
	const int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = openat(dir, name, O_RDWR | flags);

	return fd >= 0 || errno == ENOENT ? fd : openat(dir, name, O_RDONLY | flags);
}

/* With the lock nobody else removes or renames it: the name is still the file's when it goes. */
static void remove_stale(int dir, const char *name)
{
	autoclose int fd = open_stale(dir, name);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0 && has_name(dir, name, fd) > 0)
		unlinkat(dir, name, 0);
}

bool temporary_is_name(const char *name, const char *file)
{
	for (unsigned int i = 0; i < NAMES; i++) {
		autofree char *candidate = name_of(file, i);

		if (candidate && strcmp(candidate, name) == 0)
			return true;
	}
	return false;
}

void temporary_remove_stale(int dir, const char *file)
{
	for (unsigned int i = 0; i < NAMES; i++) {
		autofree char *name = name_of(file, i);

		if (name)
			remove_stale(dir, name);
	}
}
