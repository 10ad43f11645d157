/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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
	free(dirs->missing);
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

static int add_missing(struct dirs *dirs, size_t count, const struct kataimg_node *dir)
{
	if (count == dirs->missing_capacity) {
		size_t capacity = count ? 2 * count : 32;
		void *missing = realloc(dirs->missing, capacity * sizeof(*dirs->missing));

		if (!missing)
			return -ENOMEM;
		dirs->missing = missing;
		dirs->missing_capacity = capacity;
	}
	dirs->missing[count] = dir;
	return 0;
}

int dirs_get(struct dirs *dirs, const struct kataimg_node *dir)
{
	size_t count = 0;
	int fd;

	while ((fd = find_open(dirs, dir)) < 0) {
		int ret = add_missing(dirs, count++, dir);

		if (ret < 0)
			return ret;
		dir = dir->parent;
	}
	while (count > 0) {
		dir = dirs->missing[--count];
		fd = openat(fd, dir->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		dirs_put(dirs, dir, fd);
	}
	return fd;
}
