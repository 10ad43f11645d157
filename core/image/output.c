/* SPDX-License-Identifier: Apache-2.0 */
#include "core/image/output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/io.h"
#include "core/base/lookup.h"
#include "core/image/private.h"
#include "core/image/temporary.h"
#include "core/image/unnamed.h"
#include "lib/samefile.h"

/*
 * The rule of fs.protected_symlinks=1, for every link on the way: in a directory where everybody
 * may make names but only remove their own, a link is followed only if it belongs to the caller or
 * to the owner of the directory.
 */
static int judge_link(const char *path, const struct stat *dir, const struct stat *link,
		      struct error *error)
{
	const mode_t open_to_all = S_ISVTX | S_IWOTH;

	if ((dir->st_mode & open_to_all) != open_to_all || link->st_uid == geteuid() ||
	    link->st_uid == dir->st_uid)
		return 0;
	return error_set(error, EACCES,
			 "the symbolic link %s was made by user %" PRIu32
			 " in a directory where everybody may: name the file that is meant",
			 path, link->st_uid);
}

/* What the system calls the same is two mistakes: of the name that was given, and of a link. */
static int fail_absent(const struct output *output, const char *path, struct error *error)
{
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		return error_usage(error,
				   "cannot make %s %s: it is a symbolic link to where no "
				   "directory is",
				   output->what, path);
	return error_usage(error, "cannot make %s %s: there is no directory %.*s", output->what,
			   path, slash ? (int)(slash - path) : 1, slash ? path : ".");
}

static int fail(const struct output *output, const char *path, int code, struct error *error)
{
	if (!error->code && (code == ENOENT || code == ENOTDIR))
		return fail_absent(output, path, error);
	if (error->code)
		return error_prefix(error, "cannot make %s %s", output->what, path);
	return error_errno(error, code, "cannot make %s %s", output->what, path);
}

/* /dev/stdout is a link in /proc whose text names nothing where it leads to a pipe. */
static bool is_nameless(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int check_place(const struct output *output, const char *path, const struct lookup *place,
		       struct error *error)
{
	if (place->exists && S_ISDIR(place->st.st_mode))
		return error_set(error, EISDIR,
				 "cannot make %s %s: it is a directory: name a file in it",
				 output->what, path);
	if (place->exists ? !S_ISREG(place->st.st_mode) : is_nameless(path))
		return error_set(error, EINVAL,
				 "cannot make %s %s: it exists and is not a regular file",
				 output->what, path);
	return 0;
}

/* The bytes of the words for the directory, with the '/' behind them. */
static size_t directory_bytes(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) + 1 : 0;
}

static bool is_same_directory(const char *a, const char *b)
{
	size_t len = directory_bytes(a);

	return len == directory_bytes(b) && memcmp(a, b, len) == 0;
}

bool output_is_together(const struct output *other, const char *path)
{
	return (other->given && is_same_directory(other->given, path)) ||
	       is_same_directory(other->path, path);
}

static int find_place(const char *path, const struct output *other, struct lookup *place,
		      struct error *error)
{
	static const struct lookup_rules rules = { NULL, judge_link };
	const char *name = path + directory_bytes(path);
	autofree char *directory = NULL;

	if (!other || !*name || !output_is_together(other, path))
		return lookup_path(path, &rules, place, error);
	directory = strndup(other->path, (size_t)(other->file - other->path) - 1);
	if (!directory)
		return -ENOMEM;
	return lookup_name(other->dir, directory, name, &rules, place, error);
}

static int resolve(struct output *output, const char *path, const struct output *other,
		   struct error *error)
{
	struct lookup place autocall(lookup_release) = LOOKUP_INIT;
	int ret = find_place(path, other, &place, error);

	if (ret < 0)
		return fail(output, path, -ret, error);
	ret = check_place(output, path, &place, error);
	if (ret < 0)
		return ret;
	output->dir = openat(place.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (output->dir < 0)
		return error_errno(error, errno, "cannot make %s in the directory of %s",
				   output->what, place.path);
	output->file = place.name;
	output->path = steal_ptr(&place.path);
	if (!place.linked)
		output->given = strdup(path);
	return place.linked || output->given ? 0 : error_nomem(error);
}

/* Walks from the output's directory up to the root of the host, looking for the source. */
int output_keep(const struct output *output, const char *path, const char *what,
		struct error *error)
{
	autoclose int dir = fcntl(output->dir, F_DUPFD_CLOEXEC, 0);
	struct stat source, here, below = { 0 };

	if (stat(path, &source) < 0)
		return 0; /* the scan says what is wrong with the source */
	if (stat(output->path, &here) == 0 && same_file(&here, &source))
		return error_set(error, EINVAL, "%s %s would replace %s: choose another output",
				 output->what, output->path, what);
	while (dir >= 0 && fstat(dir, &here) == 0 && !same_file(&here, &below)) {
		int parent = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (same_file(&here, &source))
			return error_set(error, EINVAL,
					 "%s %s would lie inside %s %s: choose another "
					 "output",
					 output->what, output->path, what, path);
		close(dir);
		dir = parent;
		below = here;
	}
	return 0;
}

/* An unnamed file gets its name through /proc, which a bare chroot lacks. */
static bool can_name_later(void)
{
	return access("/proc/self/fd", X_OK) == 0;
}

int output_open(const char *what, const char *path, const char *source, struct output **result,
		struct error *error)
{
	return output_open_together(what, path, source, NULL, result, error);
}

int output_open_together(const char *what, const char *path, const char *source,
			 const struct output *other, struct output **result, struct error *error)
{
	struct output *output autocall(cleanup_output_close) = calloc(1, sizeof(*output));
	int ret;

	if (!output)
		return error_nomem(error);
	output->what = what;
	output->dir = -1;
	output->fd = -1;
	ret = resolve(output, path, other, error);
	if (ret == 0 && source)
		ret = output_keep(output, source, "its own source", error);
	if (ret == 0)
		*result = steal_ptr(&output);
	return ret;
}

int output_open_beside(const char *what, const struct output *beside, struct output **result,
		       struct error *error)
{
	struct output *output autocall(cleanup_output_close) = calloc(1, sizeof(*output));

	if (!output)
		return error_nomem(error);
	output->what = what;
	output->fd = -1;
	output->dir = openat(beside->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (output->dir < 0)
		return error_errno(error, errno, "cannot make %s in the directory of %s", what,
				   beside->path);
	output->path = strdup(beside->path);
	if (!output->path)
		return error_nomem(error);
	output->file = output->path + (beside->file - beside->path);
	*result = steal_ptr(&output);
	return 0;
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

/*
 * The new file takes the mode and the group of the one that it replaces. When it cannot have that
 * group, its own group gets no more rights than everybody. Of a file of another user the mode only
 * takes rights away: whoever put one into a directory that is open to all must not choose who may
 * write the image.
 */
static int take_mode(const struct output *output, const struct stat *old)
{
	struct stat st;
	mode_t mode;

	if (fstat(output->fd, &st) < 0)
		return -errno;
	mode = old->st_mode & 0777;
	if (old->st_uid != st.st_uid)
		mode &= st.st_mode;
	else if (old->st_gid != st.st_gid && fchown(output->fd, (uid_t)-1, old->st_gid) < 0)
		mode &= ~(mode_t)070 | (mode & 07) << 3;
	return fchmod(output->fd, mode) < 0 ? -errno : 0;
}

/* Where an earlier file has fewer rights than umask gives, the new one has no more from its
 * first moment on. */
static int make_file(struct output *output)
{
	struct stat old;
	bool replaces = fstatat(output->dir, output->file, &old, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(old.st_mode);
	mode_t mode = replaces ? old.st_mode & 0666 : 0666;

	temporary_remove_stale(output->dir, output->file);
	output->fd = can_name_later() ? unnamed_open_in(output->dir, ".", mode) : -EOPNOTSUPP;
	if (output->fd >= 0)
		temporary_lock(output->fd);
	else if (output->fd == -EOPNOTSUPP)
		output->fd = temporary_make(output->dir, output->file, mode, &output->temporary);
	if (output->fd < 0)
		return output->fd;
	return replaces ? take_mode(output, &old) : 0;
}

int output_create(struct output *output, uint64_t bytes, struct error *error)
{
	int ret = make_file(output);

	if (ret < 0)
		return fail(output, output->path, -ret, error);
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

int output_set_owner(struct output *output, uid_t owner, gid_t group, struct error *error)
{
	if (fchown(output->fd, owner, group) == 0)
		return 0;
	if (errno != EINVAL)
		return error_errno(error, errno, "cannot give %s to its owner", output->path);
	/* The only reason that chown(2) has for it. */
	return error_set(
		error, EINVAL,
		"cannot give %s to user %u and group %u: this user namespace does not have "
		"both numbers; those in /proc/self/uid_map and gid_map can be given, or "
		"the image can be given away outside",
		output->path, owner, group);
}

int output_sync(struct output *output, struct error *error)
{
	if (fsync(output->fd) < 0)
		return error_errno(error, errno, "cannot write %s %s to the disk", output->what,
				   output->path);
	return 0;
}

int output_stage(struct output *output, struct error *error)
{
	int ret = output->temporary ? 0
				    : temporary_link(output->dir, output->file, output->fd,
						     &output->temporary);

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
	int fd = unnamed_open_in(output->dir, ".", 0600);

	if (fd != -EOPNOTSUPP)
		return fd;
	fd = temporary_make(output->dir, output->file, 0600, &name);
	if (fd >= 0)
		unlinkat(output->dir, name, 0);
	return fd;
}

static int move_unnamed(const struct output *output, int dir, const char *name)
{
	autofree char *temporary = NULL;
	int ret = temporary_link(dir, name, output->fd, &temporary);

	if (ret == 0 && renameat(dir, temporary, dir, name) < 0) {
		ret = -errno;
		unlinkat(dir, temporary, 0);
	}
	return ret;
}

int output_move(struct output *output, int dir, const char *name, struct error *error)
{
	int ret = 0;

	temporary_remove_stale(dir, name);
	if (!output->temporary)
		ret = move_unnamed(output, dir, name);
	else if (renameat(output->dir, output->temporary, dir, name) < 0)
		ret = -errno;
	else
		free(steal_ptr(&output->temporary));
	return ret < 0 ? error_errno(error, -ret, "cannot give %s its name %s", output->what, name)
		       : 0;
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
	free(output->given);
	free(output->path);
	free(output);
}
