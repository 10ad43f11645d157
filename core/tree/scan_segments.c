/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/cancel.h"
#include "core/base/cleanup.h"
#include "core/tree/scan.h"

/* A run of zeros this long, at a multiple of it, is a hole when holes are detected. */
#define ZERO_RUN_BYTES ((size_t)64 << 10)

/* A growing list of segments. */
struct segments {
	struct kataimg_segment *items;
	uint32_t count, room;
};

static int add_segment(struct segments *list, uint64_t off, uint64_t len)
{
	if (list->count == list->room) {
		uint32_t room = list->room ? 2 * list->room : 16;
		struct kataimg_segment *items = reallocarray(list->items, room, sizeof(*items));

		if (!items || room < list->room)
			return -ENOMEM;
		list->items = items;
		list->room = room;
	}
	list->items[list->count++] = (struct kataimg_segment){ off, len };
	return 0;
}

/* The source filesystem's map. */
static int map_source(int fd, uint64_t size, struct segments *list)
{
	off_t data = 0, hole = 0;
	int ret = 0;

	while (ret == 0 && (uint64_t)hole < size) {
		data = lseek(fd, hole, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			return 0;
		hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
		if (hole < 0)
			return -errno;
		if ((uint64_t)hole > size)
			return -ESTALE;
		ret = add_segment(list, (uint64_t)data, (uint64_t)(hole - data));
	}
	return ret;
}

static bool all_zero(const char *bytes, size_t len)
{
	return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* By content alone: the map of the source, if it has one, makes no difference. */
static int map_zeros(int fd, uint64_t size, struct segments *list)
{
	autofree char *run = malloc(ZERO_RUN_BYTES);
	int ret = run ? 0 : -ENOMEM;

	for (uint64_t off = 0; ret == 0 && off < size; off += ZERO_RUN_BYTES) {
		size_t want = size - off < ZERO_RUN_BYTES ? (size_t)(size - off) : ZERO_RUN_BYTES;
		ssize_t got = pread(fd, run, want, (off_t)off);

		if (got != (ssize_t)want)
			return got < 0 ? -errno : -ESTALE;
		if (cancel_requested())
			return -ECANCELED;
		if (want < ZERO_RUN_BYTES || !all_zero(run, want))
			ret = add_segment(list, off, want);
	}
	return ret;
}

static int whole_file(struct scan *scan, struct tree_node *node)
{
	const struct kataimg_segment all = { 0, node->pub.size };

	return tree_set_segments(scan->tree, node, &all, 1);
}

int scan_segments(struct scan *scan, struct tree_node *node, int dir_fd, const char *name,
		  const struct stat *st)
{
	bool dense = (uint64_t)st->st_blocks * 512 >= node->pub.size;
	enum tree_holes holes = scan->options->holes;
	struct segments list = { 0 };
	autoclose int fd = -1;
	int ret;

	if (holes == TREE_HOLES_FILL || (holes == TREE_HOLES_SOURCE && dense))
		return whole_file(scan, node);
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = holes == TREE_HOLES_SOURCE ? map_source(fd, node->pub.size, &list)
					 : map_zeros(fd, node->pub.size, &list);
	if (ret == 0)
		ret = tree_set_segments(scan->tree, node, list.items, list.count);
	free(list.items);
	return ret;
}
