/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/cleanup.h"
#include "core/base/io.h"
#include "core/tree/scan.h"
#include "core/tree/segments.h"

#define STAT_BLOCK_BYTES 512u /* of st_blocks */

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
		ret = segments_add(list, (uint64_t)data, (uint64_t)(hole - data));
	}
	return ret;
}

static int read_fd(void *arg, uint64_t off, void *buf, size_t len)
{
	int ret = io_pread(*(const int *)arg, buf, len, off);

	return ret == -ENODATA ? -ESTALE : ret;
}

static uint64_t next_data(void *arg, uint64_t off, uint64_t size)
{
	off_t data = lseek(*(const int *)arg, (off_t)off, SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? size : off;
	return (uint64_t)data;
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
	const struct segments_content content = { read_fd, next_data, &fd };

	if (fd < 0)
		return -errno;
	if (worker->scan->options->holes == TREE_HOLES_SOURCE)
		return map_source(fd, entry->stat.stx_size, list);
	return segments_detect(list, entry->stat.stx_size, &content);
}

int scan_segments(struct scan_worker *worker, const struct scan_entry *entry,
		  struct tree_node *node)
{
	enum tree_holes holes = worker->scan->options->holes;
	uint64_t size = entry->stat.stx_size;
	struct segments list = { 0 };
	int ret;

	if (holes == TREE_HOLES_FILL ||
	    (holes == TREE_HOLES_DETECT && size < SEGMENTS_ZERO_RUN_BYTES) ||
	    (holes == TREE_HOLES_SOURCE && entry->stat.stx_blocks * STAT_BLOCK_BYTES >= size))
		return whole_file(worker, node);
	ret = map_file(worker, entry, &list);
	if (ret == 0)
		ret = tree_set_segments(worker->part, node, list.items, list.count);
	else if (ret != -ENOMEM && ret != -ECANCELED)
		scan_fail(worker->scan, entry, -ret, "read");
	segments_free(&list);
	return ret;
}
