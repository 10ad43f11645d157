/* SPDX-License-Identifier: Apache-2.0 */
/* The directory that all goes into, and the making of entries in it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/extract/private.h"
#include "lib/cleanup.h"
#include "lib/samefile.h"

static int is_empty(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	int ret = 1;

	if (!dir)
		return -errno;
	errno = 0;
	while (ret == 1 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			ret = 0;
	if (ret == 1 && errno)
		ret = -errno;
	closedir(dir);
	return ret;
}

/* Would what is made in the target lie in the directory that is read? */
static bool is_inside(int fd, const struct stat *source)
{
	int at = openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st, up = { 0 };
	bool inside = false;

	while (at >= 0 && !inside && fstat(at, &st) == 0) {
		int next = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		inside = same_file(&st, source);
		close(at);
		at = next;
		if (next >= 0 && fstat(next, &up) == 0 && same_file(&up, &st))
			break;
	}
	if (at >= 0)
		close(at);
	return inside;
}

static int fail_inside(const char *path, const char *source, struct error *error)
{
	return error_set(error, EINVAL, "%s lies in the source %s", path, source);
}

/* Before the target is made: that alone would change the source. */
static int check_place(const char *target, const char *source, struct error *error)
{
	autofree char *path = strdup(target);
	autoclose int fd = -1;
	struct stat st;

	if (!path)
		return error_nomem(error);
	if (stat(source, &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	fd = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fd = open(dirname(path), O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && is_inside(fd, &st) ? fail_inside(target, source, error) : 0;
}

static int check_empty(const struct extract_target *target, bool force, struct error *error)
{
	int empty = is_empty(target->fd);

	if (empty < 0)
		return error_errno(error, -empty, "cannot read %s", target->path);
	if (empty || force)
		return 0;
	return error_set(error, ENOTEMPTY,
			 "%s is not empty: --force puts the entries between those that are there, "
			 "and replaces files",
			 target->path);
}

int extract_target_open(struct extract_target *target, const char *path,
			const struct extract_options *options, struct error *error)
{
	int ret = check_place(path, options->source, error);

	if (ret < 0)
		return ret;
	target->path = path;
	target->is_new = mkdir(path, 0700) == 0;
	if (!target->is_new && errno != EEXIST)
		return error_errno(error, errno, "cannot make the directory %s", path);
	target->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (target->fd < 0)
		return error_errno(error, errno, "cannot open the directory %s", path);
	return check_empty(target, options->force, error);
}

void extract_target_give_up(struct extract_target *target)
{
	if (target->is_new)
		rmdir(target->path);
}

void extract_target_close(struct extract_target *target)
{
	if (target->fd >= 0)
		close(target->fd);
}

/* Never writes into what is there: it may have another name elsewhere. */
int extract_make(struct extract_worker *worker, const struct kataimg_node *node, int dir_fd,
		 int (*make)(const struct kataimg_node *node, int dir_fd), struct error *error)
{
	int ret = make(node, dir_fd);

	if (ret == -EEXIST && worker->extract->options->force) {
		if (unlinkat(dir_fd, node->name, 0) < 0)
			return extract_fail(node, errno, "replace", error);
		ret = make(node, dir_fd);
	}
	return ret;
}

static int make_directory(const struct kataimg_node *node, int dir_fd)
{
	return mkdirat(dir_fd, node->name, 0700) < 0 ? -errno : 0;
}

/* A directory that is there stays, as nobody else's to look into until all is done. */
static int take_directory(const struct kataimg_node *dir, int dir_fd, struct error *error)
{
	autoclose int fd =
		openat(dir_fd, dir->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == EACCES &&
	    fchmodat(dir_fd, dir->name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
		fd = openat(dir_fd, dir->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fchmod(fd, 0700) < 0)
		return extract_fail(dir, errno, "change the directory", error);
	extract_clear_attributes(fd);
	return 0;
}

int extract_make_directory(struct extract_worker *worker, const struct kataimg_node *dir,
			   struct error *error)
{
	int dir_fd = dirs_get(&worker->dirs, dir->parent), ret;

	if (dir_fd < 0)
		return extract_fail(dir, -dir_fd, "make the directory", error);
	ret = make_directory(dir, dir_fd);
	if (ret == -EEXIST && worker->extract->options->force)
		ret = take_directory(dir, dir_fd, error);
	/* A link, even one to a directory, gives way. */
	if (ret == -ENOTDIR || ret == -ELOOP)
		ret = extract_make(worker, dir, dir_fd, make_directory, error);
	return ret < 0 ? extract_fail(dir, -ret, "make the directory", error) : 0;
}
