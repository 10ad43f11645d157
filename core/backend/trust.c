/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/lookup.h"
#include "lib/cleanup.h"

#define OVERFLOW_UID "/proc/sys/kernel/overflowuid"
#define UID_MAP "/proc/self/uid_map"

static void close_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

/* *file: NULL where there is no such file. */
static int open_proc(const char *path, FILE **file)
{
	*file = fopen(path, "re");
	return *file || errno == ENOENT ? 0 : -errno;
}

/* The number that files of owners without one have in a user namespace; 0: none is known. */
static int read_overflow_uid(uint32_t *uid)
{
	FILE *file autocall(close_file) = NULL;
	int ret = open_proc(OVERFLOW_UID, &file);

	*uid = 0;
	if (file && fscanf(file, "%" SCNu32, uid) != 1 && ferror(file))
		return -EIO;
	return ret;
}

/* Without a map every number is taken for a user's. */
static int read_is_mapped(uid_t uid, bool *mapped)
{
	FILE *file autocall(close_file) = NULL;
	uint32_t first, outside, count;
	int ret = open_proc(UID_MAP, &file);

	*mapped = file == NULL;
	while (file && !*mapped &&
	       fscanf(file, "%" SCNu32 " %" SCNu32 " %" SCNu32, &first, &outside, &count) == 3)
		*mapped = uid >= first && uid - first < count;
	return file && ferror(file) ? -EIO : ret;
}

/* Is the number that of owners who have none in this user namespace? 1: yes; 0: no; -errno. */
static int is_nobodys(uid_t uid, struct error *error)
{
	const char *path = OVERFLOW_UID;
	uint32_t overflow;
	bool mapped = true;
	int ret = read_overflow_uid(&overflow);

	if (ret == 0 && uid == overflow) {
		path = UID_MAP;
		ret = read_is_mapped(uid, &mapped);
	}
	if (ret == -ENOMEM)
		return error_nomem(error);
	if (ret < 0)
		return error_errno(error, -ret,
				   "cannot read %s, which says whether user %" PRIu32
				   " has a number here",
				   path, uid);
	return !mapped;
}

/* A user who may use sudo can become root anyway, and has backends that were built in
 * directories of that user's. */
static bool is_sudo_user(uid_t uid)
{
	const char *text = geteuid() == 0 ? secure_getenv("SUDO_UID") : NULL;
	char *end;
	unsigned long number;

	if (!text || *text < '0' || *text > '9')
		return false;
	number = strtoul(text, &end, 10);
	return *end == '\0' && number == uid;
}

static bool is_trusted_owner(uid_t uid)
{
	return uid == 0 || uid == geteuid() || is_sudo_user(uid);
}

/* A group of the user's own, or one that others are in? Of an owner without a number, it is root's.
 */
static bool is_private_group(const struct stat *st)
{
	return st->st_uid != 0 && st->st_gid == st->st_uid && is_trusted_owner(st->st_uid);
}

static int judge_owner(const char *what, const char *path, const struct stat *st,
		       struct error *error)
{
	int ret = is_trusted_owner(st->st_uid) ? 1 : is_nobodys(st->st_uid, error);

	if (ret != 0)
		return ret < 0 ? ret : 0;
	return error_usage(error,
			   "%s %s is owned by user %" PRIu32
			   ", who is neither root nor you: chown it, or copy the backend to a "
			   "directory of your own",
			   what, path, st->st_uid);
}

/* Refuses what others than its owner may write. */
static int judge_mode(const char *what, const char *path, const struct stat *st,
		      struct error *error)
{
	if (st->st_mode & S_IWOTH)
		return error_usage(error, "%s %s may be written by everybody: chmod o-w it", what,
				   path);
	if (st->st_mode & S_IWGRP && !is_private_group(st))
		return error_usage(error,
				   "%s %s may be written by the group %" PRIu32 ": chmod g-w it",
				   what, path, st->st_gid);
	return 0;
}

/* In a sticky directory nobody can rename what belongs to somebody else, so others may write it:
 * the entries on the way are judged by themselves. */
static int judge_directory(const char *path, const struct stat *dir, struct error *error)
{
	static const char what[] = "on a backend's way, the directory";
	int ret = judge_owner(what, path, dir, error);

	if (ret < 0 || dir->st_mode & S_ISVTX)
		return ret;
	return judge_mode(what, path, dir, error);
}

/* In other directories only those can make links whom the directory's own check has trusted. */
static int judge_link(const char *path, const struct stat *dir, const struct stat *link,
		      struct error *error)
{
	return lookup_is_shared(dir)
		       ? judge_owner("on a backend's way, the symbolic link", path, link, error)
		       : 0;
}

static int judge_file(const char *path, const struct stat *st, struct error *error)
{
	int ret;

	if (!S_ISREG(st->st_mode))
		return error_usage(error, "the backend %s is not a regular file", path);
	ret = judge_owner("the backend", path, st, error);
	return ret < 0 ? ret : judge_mode("the backend", path, st, error);
}

/* Is it the name that was given that is wrong, and not the machine's state? */
static bool is_of_name(int code)
{
	return code == ENOENT || code == ENOTDIR || code == EACCES || code == EPERM ||
	       code == ELOOP || code == ENAMETOOLONG;
}

static int fail_open(const char *path, int code, struct error *error)
{
	if (code == ENOMEM)
		return error_nomem(error);
	if (!is_of_name(code))
		return error_errno(error, code, "cannot open the backend %s", path);
	return error_usage(error, "cannot open the backend %s: %s", path, strerror(code));
}

/* The name may belong to another file by now: that one is judged, and if it is a fifo, nobody
 * waits for its other end. */
static int open_found(const struct lookup *lookup, struct error *error)
{
	autoclose int fd = openat(lookup->dir, lookup->name,
				  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int ret;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_open(lookup->path, errno, error);
	ret = judge_file(lookup->path, &st, error);
	return ret < 0 ? ret : steal_fd(&fd);
}

int trust_open(const char *given, char **path, struct error *error)
{
	static const struct lookup_rules rules = { judge_directory, judge_link };
	struct lookup lookup autocall(lookup_release) = LOOKUP_INIT;
	int ret = lookup_path(given, &rules, &lookup, error);

	if (ret < 0)
		return fail_open(given, -ret, error);
	if (!lookup.exists)
		return fail_open(given, ENOENT, error);
	if (!S_ISREG(lookup.st.st_mode))
		return judge_file(given, &lookup.st, error);
	ret = open_found(&lookup, error);
	if (ret >= 0)
		*path = steal_ptr(&lookup.path);
	return ret;
}
