/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/tempdir.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check/support/must.h"

static void open_below(struct tempdir *dir, const char *base)
{
	int len = snprintf(dir->path, sizeof(dir->path), "%s/kataimg-test-XXXXXX", base);

	must(len > 0 && (size_t)len < sizeof(dir->path));
	must(mkdtemp(dir->path));
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(dir->fd >= 0);
}

void tempdir_open(struct tempdir *dir)
{
	const char *base = getenv("TMPDIR");

	open_below(dir, base ? base : "/tmp");
}

void tempdir_open_large(struct tempdir *dir)
{
	if (access("/dev/shm", W_OK) == 0)
		open_below(dir, "/dev/shm");
	else
		tempdir_open(dir);
}

/* By rm, which knows how to go deeper than any path. */
void tempdir_close(struct tempdir *dir)
{
	char command[2 * sizeof(dir->path) + 64];

	close(dir->fd);
	snprintf(command, sizeof(command), "chmod -R u+rwx %s && rm -rf %s", dir->path, dir->path);
	must(system(command) == 0);
}

void tempdir_enter(struct tempdir *dir)
{
	tempdir_open(dir);
	must(fchdir(dir->fd) == 0);
}

void tempdir_leave(struct tempdir *dir)
{
	must(chdir("/") == 0);
	tempdir_close(dir);
}

int tempdir_set_up(void **state)
{
	struct tempdir *dir = malloc(sizeof(*dir));

	must(dir);
	tempdir_enter(dir);
	*state = dir;
	return 0;
}

int tempdir_tear_down(void **state)
{
	tempdir_leave(*state);
	free(*state);
	return 0;
}

void tempdir_mkdir(const struct tempdir *dir, const char *path)
{
	must(mkdirat(dir->fd, path, 0755) == 0);
}

void tempdir_write(const struct tempdir *dir, const char *path, const void *bytes, size_t len)
{
	int fd = openat(dir->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	must(fd >= 0);
	must(write(fd, bytes, len) == (ssize_t)len);
	close(fd);
}

void tempdir_write_at(const struct tempdir *dir, const char *path, uint64_t off, const void *bytes,
		      size_t len)
{
	int fd = openat(dir->fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	must(fd >= 0);
	must(pwrite(fd, bytes, len, (off_t)off) == (ssize_t)len);
	close(fd);
}

/* Any function does that makes neighbouring bytes, offsets and seeds differ, and never gives 0. */
void tempdir_pattern(unsigned int seed, uint64_t off, void *bytes, size_t len)
{
	uint8_t *byte = bytes;

	for (uint64_t at = off; at < off + len; at++)
		*byte++ = (uint8_t)(1 + (at * 131 + (at >> 8) * 29 + seed * 17) % 255);
}

void tempdir_fill(const struct tempdir *dir, const char *path, unsigned int seed, size_t len)
{
	void *bytes = must_realloc(NULL, len);

	tempdir_pattern(seed, 0, bytes, len);
	tempdir_write(dir, path, bytes, len);
	free(bytes);
}

void tempdir_set_mtime(const struct tempdir *dir, const char *path, int64_t sec, long nsec)
{
	const struct timespec times[2] = { { sec, nsec }, { sec, nsec } };

	must(utimensat(dir->fd, path, times, AT_SYMLINK_NOFOLLOW) == 0);
}
