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

		inside = st.st_dev == source->st_dev && st.st_ino == source->st_ino;
		close(at);
		at = next;
		if (next >= 0 && fstat(next, &up) == 0 && up.st_dev == st.st_dev &&
		    up.st_ino == st.st_ino)
			break;
	}
	if (at >= 0)
		close(at);
	return inside;
}

static int fail_inside(const struct extract *extract, struct error *error)
{
	return error_set(error, EINVAL, "%s lies in the source %s", extract->path,
			 extract->options->source);
}

/* Before the target is made: that alone would change the source. */
static int check_place(const struct extract *extract, struct error *error)
{
	autofree char *path = strdup(extract->path);
	autoclose int fd = -1;
	struct stat source;

	if (!path)
		return error_nomem(error);
	if (stat(extract->options->source, &source) < 0 || !S_ISDIR(source.st_mode))
		return 0;
	fd = open(extract->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fd = open(dirname(path), O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && is_inside(fd, &source) ? fail_inside(extract, error) : 0;
}

static int check_empty(const struct extract *extract, int fd, struct error *error)
{
	int empty = is_empty(fd);

	if (empty < 0)
		return error_errno(error, -empty, "cannot read %s", extract->path);
	if (empty || extract->options->force)
		return 0;
	return error_set(error, ENOTEMPTY,
			 "%s is not empty: --force puts the entries between those that are there, "
			 "and replaces files",
			 extract->path);
}

int extract_open_target(struct extract *extract, struct error *error)
{
	autoclose int fd = -1;
	int ret = check_place(extract, error);

	if (ret < 0)
		return ret;
	extract->is_new = mkdir(extract->path, 0700) == 0;
	if (!extract->is_new && errno != EEXIST)
		return error_errno(error, errno, "cannot make the directory %s", extract->path);
	fd = open(extract->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(error, errno, "cannot open the directory %s", extract->path);
	ret = check_empty(extract, fd, error);
	if (ret < 0)
		return ret;
	if (!extract->options->partial || extract->is_new)
		extract_clear_attributes(fd);
	extract->root_fd = steal_fd(&fd);
	return 0;
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
