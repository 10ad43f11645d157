/* SPDX-License-Identifier: Apache-2.0 */
#include "core/image/output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/io.h"

#define TEMPORARY_TRIES 100

/* As Linux counts them. */
#define LINKS_MAX 40

struct output {
	const char *what; /* static: what messages call it */
	char *path;       /* absolute, symbolic links resolved */
	char *file;       /* its last component, inside path */
	char *temporary;  /* the name in dir while there is one */
	int dir;
	int fd;
};

/* The path with the last component kept: it need not exist. */
static char *resolve_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	autofree char *parent =
		slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	autofree char *dir = parent ? realpath(parent, NULL) : NULL;
	char *resolved;

	if (!dir)
		return NULL;
	if (asprintf(&resolved, "%s/%s", strcmp(dir, "/") ? dir : "", slash ? slash + 1 : path) < 0)
		return NULL;
	return resolved;
}

/* What does not exist yet, or what a symbolic link to nothing points to. */
static char *resolve_missing(const char *path, unsigned int links)
{
	autofree char *resolved = resolve_parent(path), *next = NULL;
	char target[PATH_MAX];
	ssize_t len = resolved ? readlink(resolved, target, sizeof(target) - 1) : 0;

	if (len < 0 || !resolved)
		return steal_ptr(&resolved);
	target[len] = '\0';
	if (links == LINKS_MAX) {
		errno = ELOOP;
		return NULL;
	}
	if (target[0] != '/')
		strrchr(resolved, '/')[1] = '\0';
	if (asprintf(&next, "%s%s", target[0] == '/' ? "" : resolved, target) < 0) {
		next = NULL;
		return NULL;
	}
	return resolve_missing(next, links + 1);
}

static int resolve(struct output *output, const char *path, struct error *error)
{
	struct stat st;

	output->path = realpath(path, NULL);
	if (!output->path && errno == ENOENT)
		output->path = resolve_missing(path, 0);
	if (!output->path)
		return error_errno(error, errno, "cannot make %s %s", output->what, path);
	output->file = strrchr(output->path, '/') + 1;
	if (stat(output->path, &st) == 0 && S_ISDIR(st.st_mode))
		return error_set(error, EISDIR,
				 "cannot make %s %s: it is a directory: name a file in it",
				 output->what, path);
	if (stat(output->path, &st) == 0 && !S_ISREG(st.st_mode))
		return error_set(error, EINVAL,
				 "cannot make %s %s: it exists and is not a regular file",
				 output->what, path);
	if (*output->file == '\0')
		return error_set(error, EISDIR, "cannot make %s %s: no file name", output->what,
				 path);
	return 0;
}

static int open_directory(struct output *output, struct error *error)
{
	size_t len = (size_t)(output->file - output->path);
	autofree char *dir = strndup(output->path, len > 1 ? len - 1 : len);

	if (!dir)
		return error_nomem(error);
	output->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (output->dir < 0)
		return error_errno(error, errno, "cannot make %s in the directory %s", output->what,
				   dir);
	return 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Walks from the output's directory up to the root of the host, looking for the source. */
static int refuse_inside(const struct output *output, const char *path, struct error *error)
{
	autoclose int dir = fcntl(output->dir, F_DUPFD_CLOEXEC, 0);
	struct stat source, here, below = { 0 };

	if (stat(path, &source) < 0)
		return 0; /* the scan says what is wrong with the source */
	if (stat(output->path, &here) == 0 && same_file(&here, &source))
		return error_set(error, EINVAL,
				 "%s %s would replace its own source: choose another output",
				 output->what, output->path);
	while (dir >= 0 && fstat(dir, &here) == 0 && !same_file(&here, &below)) {
		int parent = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (same_file(&here, &source))
			return error_set(error, EINVAL,
					 "%s %s would lie inside its own source %s: choose "
					 "another output",
					 output->what, output->path, path);
		close(dir);
		dir = parent;
		below = here;
	}
	return 0;
}

static bool no_unnamed_files(int code)
{
	return code == EOPNOTSUPP || code == EISDIR || code == ENOENT || code == EINVAL;
}

/*
 * Finds a free temporary name: make(output, name) makes the file of that name, or fails with
 * EEXIST. The result is make's, the name goes to *name.
 */
static int make_temporary(const struct output *output,
			  int (*make)(const struct output *output, const char *name), char **name)
{
	int ret = -EEXIST;

	for (int i = 0; ret == -EEXIST && i < TEMPORARY_TRIES; i++) {
		free(steal_ptr(name));
		if (asprintf(name, ".%.200s.%ld.%d.tmp", output->file, (long)getpid(), i) < 0) {
			*name = NULL;
			return -ENOMEM;
		}
		ret = make(output, *name);
	}
	if (ret < 0)
		free(steal_ptr(name));
	return ret;
}

static int make_by_open(const struct output *output, const char *name)
{
	int fd = openat(output->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	return fd < 0 ? -errno : fd;
}

static int make_by_link(const struct output *output, const char *name)
{
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", output->fd);
	return linkat(AT_FDCWD, self, output->dir, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/* An unnamed file gets its name through /proc, which a bare chroot lacks. */
static bool can_name_later(void)
{
	return access("/proc/self/fd", X_OK) == 0;
}

static int open_unnamed(const struct output *output)
{
	int fd = openat(output->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);

	return fd < 0 ? -errno : fd;
}

int output_open(const char *what, const char *path, const char *source, struct output **result,
		struct error *error)
{
	struct output *output autocall(cleanup_output_close) = calloc(1, sizeof(*output));
	int ret;

	if (!output)
		return error_nomem(error);
	output->what = what;
	output->dir = -1;
	output->fd = -1;
	ret = resolve(output, path, error);
	if (ret == 0)
		ret = open_directory(output, error);
	if (ret == 0 && source)
		ret = refuse_inside(output, source, error);
	if (ret == 0)
		*result = steal_ptr(&output);
	return ret;
}

int output_fd(const struct output *output)
{
	return output->fd;
}

const char *output_path(const struct output *output)
{
	return output->path;
}

const char *output_what(const struct output *output)
{
	return output->what;
}

int output_create(struct output *output, uint64_t bytes, struct error *error)
{
	output->fd = can_name_later() ? open_unnamed(output) : -EOPNOTSUPP;
	if (output->fd < 0 && no_unnamed_files(-output->fd))
		output->fd = make_temporary(output, make_by_open, &output->temporary);
	if (output->fd < 0)
		return error_errno(error, -output->fd, "cannot make %s %s", output->what,
				   output->path);
	if (bytes > INT64_MAX)
		return error_set(error, EFBIG, "%s %s would be larger than any file can be",
				 output->what, output->path);
	if (ftruncate(output->fd, (off_t)bytes) < 0)
		return error_errno(error, errno, "cannot make %s %s %" PRIu64 " bytes long",
				   output->what, output->path, bytes);
	return 0;
}

int output_write(struct output *output, const void *bytes, size_t len, uint64_t off,
		 struct error *error)
{
	int ret = io_pwrite(output->fd, bytes, len, off);

	return ret < 0 ? error_errno(error, -ret, "cannot write %s %s", output->what, output->path)
		       : 0;
}

static int replace(struct output *output)
{
	int ret = 0;

	if (!output->temporary)
		ret = make_temporary(output, make_by_link, &output->temporary);
	if (ret == 0 && renameat(output->dir, output->temporary, output->dir, output->file) < 0)
		ret = -errno;
	if (ret == 0)
		free(steal_ptr(&output->temporary));
	return ret;
}

int output_set_owner(struct output *output, uid_t owner, gid_t group, struct error *error)
{
	if (fchown(output->fd, owner, group) < 0)
		return error_errno(error, errno, "cannot give %s to its owner", output->path);
	return 0;
}

int output_sync(struct output *output, struct error *error)
{
	if (fsync(output->fd) < 0)
		return error_errno(error, errno, "cannot write %s %s to the disk", output->what,
				   output->path);
	return 0;
}

int output_publish(struct output *output, struct error *error)
{
	int ret = replace(output);

	if (ret < 0)
		return error_errno(error, -ret, "cannot give %s its name %s", output->what,
				   output->path);
	return 0;
}

int output_sync_name(struct output *output, struct error *error)
{
	if (fsync(output->dir) < 0)
		return error_errno(error, errno, "cannot write the directory of %s to the disk",
				   output->path);
	return 0;
}

int output_scratch(const struct output *output)
{
	autofree char *name = NULL;
	int fd = open_unnamed(output);

	if (fd >= 0 || !no_unnamed_files(-fd))
		return fd;
	fd = make_temporary(output, make_by_open, &name);
	if (fd >= 0)
		unlinkat(output->dir, name, 0);
	return fd;
}

void output_close(struct output *output)
{
	if (!output)
		return;
	if (output->temporary)
		unlinkat(output->dir, output->temporary, 0);
	if (output->fd >= 0)
		close(output->fd);
	if (output->dir >= 0)
		close(output->dir);
	free(output->temporary);
	free(output->path);
	free(output);
}
