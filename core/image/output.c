/* SPDX-License-Identifier: Apache-2.0 */
#include "core/image/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY_TRIES 100

struct output {
	char *path;      /* absolute, symbolic links resolved */
	char *file;      /* its last component, inside path */
	char *temporary; /* the name in dir while there is one */
	int dir;
	int fd;
};

/* The path with the last component kept: it need not exist. */
static char *resolve_missing(const char *path)
{
	const char *slash = strrchr(path, '/');
	autofree char *parent =
		slash ? strndup(path, slash == path ? 1 : slash - path) : strdup(".");
	autofree char *dir = parent ? realpath(parent, NULL) : NULL;
	char *resolved;

	if (!dir)
		return NULL;
	if (asprintf(&resolved, "%s/%s", strcmp(dir, "/") ? dir : "", slash ? slash + 1 : path) < 0)
		return NULL;
	return resolved;
}

static int resolve(struct output *output, const char *path, struct error *error)
{
	struct stat st;

	output->path = realpath(path, NULL);
	if (!output->path && errno == ENOENT)
		output->path = resolve_missing(path);
	if (!output->path)
		return error_errno(error, errno, "cannot make the image %s", path);
	output->file = strrchr(output->path, '/') + 1;
	if (stat(output->path, &st) == 0 && S_ISDIR(st.st_mode))
		return error_set(error, EISDIR,
				 "cannot make the image %s: it is a directory: name a file in it",
				 path);
	if (stat(output->path, &st) == 0 && !S_ISREG(st.st_mode))
		return error_set(error, EINVAL,
				 "cannot make the image %s: it exists and is not a regular file",
				 path);
	if (*output->file == '\0')
		return error_set(error, EISDIR, "cannot make the image %s: no file name", path);
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
		return error_errno(error, errno, "cannot open the image's directory %s", dir);
	return 0;
}

/* Walks from the output's directory up to the root of the host, looking for the source. */
static int refuse_inside(const struct output *output, const char *source_dir, struct error *error)
{
	autoclose int dir = fcntl(output->dir, F_DUPFD_CLOEXEC, 0);
	struct stat source, here, above;

	if (stat(source_dir, &source) < 0 || dir < 0)
		return 0; /* the scan says what is wrong with the source */
	while (fstat(dir, &here) == 0) {
		int parent;

		if (here.st_dev == source.st_dev && here.st_ino == source.st_ino)
			return error_set(error, EINVAL,
					 "the image %s would lie inside its own source %s: choose "
					 "another output",
					 output->path, source_dir);
		parent = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (parent < 0)
			break;
		close(dir);
		dir = parent;
		if (fstat(dir, &above) < 0 ||
		    (above.st_dev == here.st_dev && above.st_ino == here.st_ino))
			break;
	}
	return 0;
}

static bool no_unnamed_files(int code)
{
	return code == EOPNOTSUPP || code == EISDIR || code == ENOENT || code == EINVAL;
}

/* Names a new temporary after the output, the process and a counter: nothing to guess, as it is
 * opened O_EXCL. */
static int open_temporary(const struct output *output, char **name)
{
	for (int i = 0; i < TEMPORARY_TRIES; i++) {
		int fd;

		if (asprintf(name, ".%.200s.%ld.%d.tmp", output->file, (long)getpid(), i) < 0)
			return -ENOMEM;
		fd = openat(output->dir, *name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0)
			return fd;
		free(steal_ptr(name));
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

static int open_unnamed(const struct output *output)
{
	int fd = openat(output->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);

	return fd < 0 ? -errno : fd;
}

static int open_file(struct output *output, struct error *error)
{
	output->fd = open_unnamed(output);
	if (output->fd < 0 && no_unnamed_files(-output->fd))
		output->fd = open_temporary(output, &output->temporary);
	if (output->fd < 0)
		return error_errno(error, -output->fd, "cannot make the image %s", output->path);
	return 0;
}

int output_open(const char *path, const char *source_dir, struct output **result,
		struct error *error)
{
	struct output *output autocall(cleanup_output_close) = calloc(1, sizeof(*output));
	int ret;

	if (!output)
		return error_nomem(error);
	output->dir = -1;
	output->fd = -1;
	ret = resolve(output, path, error);
	if (ret == 0)
		ret = open_directory(output, error);
	if (ret == 0 && source_dir)
		ret = refuse_inside(output, source_dir, error);
	if (ret == 0)
		ret = open_file(output, error);
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

int output_set_size(struct output *output, uint64_t bytes, struct error *error)
{
	if (bytes > INT64_MAX)
		return error_set(error, EFBIG, "the image %s would be larger than any file can be",
				 output->path);
	if (ftruncate(output->fd, (off_t)bytes) < 0)
		return error_errno(error, errno, "cannot make the image %s %llu bytes long",
				   output->path, (unsigned long long)bytes);
	return 0;
}

/* An unnamed file needs a name before it can be renamed over another. */
static int name_file(struct output *output)
{
	char self[64];

	if (output->temporary)
		return 0;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", output->fd);
	for (int i = 0; i < TEMPORARY_TRIES; i++) {
		autofree char *name = NULL;

		if (asprintf(&name, ".%.200s.%ld.%d.tmp", output->file, (long)getpid(), i) < 0)
			return -ENOMEM;
		if (linkat(AT_FDCWD, self, output->dir, name, AT_SYMLINK_FOLLOW) == 0) {
			output->temporary = steal_ptr(&name);
			return 0;
		}
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

int output_publish(struct output *output, bool sync, struct error *error)
{
	int ret;

	if (sync && fsync(output->fd) < 0)
		return error_errno(error, errno, "cannot write the image %s to the disk",
				   output->path);
	ret = name_file(output);
	if (ret == 0 && renameat(output->dir, output->temporary, output->dir, output->file) < 0)
		ret = -errno;
	if (ret < 0)
		return error_errno(error, -ret, "cannot give the image its name %s", output->path);
	free(steal_ptr(&output->temporary));
	if (sync && fsync(output->dir) < 0)
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
	fd = open_temporary(output, &name);
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
