/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/cancel.h"
#include "core/base/cleanup.h"
#include "core/base/io.h"
#include "core/tree/scan.h"

#define STAT_BLOCK_BYTES 512u /* of st_blocks */

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

/* Where reading on may find something: in the run that the source's next data is in. */
static uint64_t skip_hole(int fd, uint64_t off, uint64_t size)
{
	off_t data = lseek(fd, (off_t)off, SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? size : off;
	return (uint64_t)data & ~(uint64_t)(ZERO_RUN_BYTES - 1);
}

/* One run, or what the file has of it. */
static int map_run(int fd, uint64_t off, size_t len, char *run, struct segments *list)
{
	int ret = io_pread(fd, run, len, off);

	if (ret < 0)
		return ret == -ENODATA ? -ESTALE : ret;
	if (len == ZERO_RUN_BYTES && all_zero(run, len))
		return 0;
	return add_segment(list, off, len);
}

/* By content alone: the map of the source, if it has one, saves time and makes no difference. */
static int map_zeros(int fd, uint64_t size, struct segments *list)
{
	autofree char *run = malloc(ZERO_RUN_BYTES);
	uint64_t off = 0;
	int ret = run ? 0 : -ENOMEM;

	while (ret == 0 && off < size) {
		uint64_t data = skip_hole(fd, off, size);
		size_t len = ZERO_RUN_BYTES;

		if (data > off) {
			/* all runs up to there are zeros, but the file's last one may not be a
			 * whole one */
			off = data < size ? data : size & ~(uint64_t)(ZERO_RUN_BYTES - 1);
			if (off == size)
				break;
		}
		if (size - off < ZERO_RUN_BYTES)
			len = (size_t)(size - off);
		ret = cancel_requested() ? -ECANCELED : map_run(fd, off, len, run, list);
		off += len;
	}
	return ret;
}

static int whole_file(struct scan_worker *worker, struct tree_node *node)
{
	const struct kataimg_segment all = { 0, node->pub.size };

	return tree_set_segments(worker->part, node, &all, 1);
}

static int map_file(struct scan_worker *worker, const struct scan_entry *entry,
		    struct segments *list)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	autoclose int fd = openat(entry->fd, entry->name, flags);

	if (fd < 0)
		return -errno;
	if (worker->scan->options->holes == TREE_HOLES_SOURCE)
		return map_source(fd, entry->stat.stx_size, list);
	return map_zeros(fd, entry->stat.stx_size, list);
}

int scan_segments(struct scan_worker *worker, const struct scan_entry *entry,
		  struct tree_node *node)
{
	enum tree_holes holes = worker->scan->options->holes;
	uint64_t size = entry->stat.stx_size;
	struct segments list = { 0 };
	int ret;

	if (holes == TREE_HOLES_FILL || (holes == TREE_HOLES_DETECT && size < ZERO_RUN_BYTES) ||
	    (holes == TREE_HOLES_SOURCE && entry->stat.stx_blocks * STAT_BLOCK_BYTES >= size))
		return whole_file(worker, node);
	ret = map_file(worker, entry, &list);
	if (ret == 0)
		ret = tree_set_segments(worker->part, node, list.items, list.count);
	else if (ret != -ENOMEM && ret != -ECANCELED)
		scan_fail(worker->scan, entry, -ret, "read");
	free(list.items);
	return ret;
}
