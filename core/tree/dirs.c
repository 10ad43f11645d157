/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void dirs_init(struct dirs *dirs, int root_fd)
{
	*dirs = (struct dirs){ .root_fd = root_fd };
}

void dirs_release(struct dirs *dirs)
{
	for (size_t i = 0; i < DIRS_SLOTS; i++)
		if (dirs->slots[i].dir)
			close(dirs->slots[i].fd);
	array_free(&dirs->missing);
	dirs_init(dirs, dirs->root_fd);
}

/* -1: not open. */
static int find_open(struct dirs *dirs, const struct kataimg_node *dir)
{
	if (dir->parent == dir)
		return dirs->root_fd;
	for (size_t i = 0; i < DIRS_SLOTS; i++)
		if (dirs->slots[i].dir == dir) {
			dirs->slots[i].used = ++dirs->clock;
			return dirs->slots[i].fd;
		}
	return -1;
}

void dirs_put(struct dirs *dirs, const struct kataimg_node *dir, int fd)
{
	size_t oldest = 0;

	for (size_t i = 1; i < DIRS_SLOTS; i++)
		if (dirs->slots[i].used < dirs->slots[oldest].used)
			oldest = i;
	if (dirs->slots[oldest].dir)
		close(dirs->slots[oldest].fd);
	dirs->slots[oldest].dir = dir;
	dirs->slots[oldest].fd = fd;
	dirs->slots[oldest].used = ++dirs->clock;
}

static int open_step(int fd, const char *path)
{
	return openat(fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Many steps at once, none of them through a link. */
static int open_steps(int fd, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, fd, path, &how, sizeof(how));
}

/* The names of missing[count - 1], [count - 2] ... down to [last], as far as there is room. Returns
 * the place of the last one that has found room. */
static size_t join_names(const struct dirs *dirs, size_t count, size_t last, char path[PATH_MAX])
{
	char *end = path;

	while (count > last &&
	       (size_t)(end - path) + dirs->missing.items[count - 1]->name_len + 1 < PATH_MAX) {
		const struct kataimg_node *dir = dirs->missing.items[--count];

		if (end > path)
			*end++ = '/';
		memcpy(end, dir->name, dir->name_len);
		end += dir->name_len;
	}
	*end = '\0';
	return count;
}

/*
 * One step down, or where the way is long, many: only the last ones are worth keeping open. *count
 * becomes what is still missing.
 */
static int descend(struct dirs *dirs, int fd, size_t *count)
{
	if (*count > DIRS_SLOTS / 2 && !dirs->steps_only) {
		char path[PATH_MAX];
		size_t left = join_names(dirs, *count, DIRS_SLOTS / 2, path);
		int next = open_steps(fd, path);

		dirs->steps_only = next < 0 && (errno == ENOSYS || errno == EPERM);
		if (!dirs->steps_only) {
			*count = left;
			return next < 0 ? -errno : next;
		}
	}
	fd = open_step(fd, dirs->missing.items[--*count]->name);
	return fd < 0 ? -errno : fd;
}

int dirs_get(struct dirs *dirs, const struct kataimg_node *dir)
{
	size_t count;
	int fd;

	dirs->missing.count = 0;
	while ((fd = find_open(dirs, dir)) < 0) {
		const struct kataimg_node **step = array_add(&dirs->missing);

		if (!step)
			return -ENOMEM;
		*step = dir;
		dir = dir->parent;
	}
	count = dirs->missing.count;
	while (count > 0) {
		fd = descend(dirs, fd, &count);
		if (fd < 0)
			return fd;
		dirs_put(dirs, dirs->missing.items[count], fd);
	}
	return fd;
}
