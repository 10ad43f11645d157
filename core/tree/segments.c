/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/segments.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/bytes.h"
#include "core/base/cancel.h"
#include "core/base/cleanup.h"
#include "core/base/io.h"

int segments_add(struct segments *list, uint64_t off, uint64_t len)
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

void segments_free(struct segments *list)
{
	free(list->items);
	*list = (struct segments){ 0 };
}

/* One run, or what the file has of it. */
static int detect_run(struct segments *list, uint64_t off, size_t len, char *run,
		      const struct segments_content *content)
{
	int ret = content->read(content->arg, off, run, len);

	if (ret < 0 || (len == SEGMENTS_ZERO_RUN_BYTES && bytes_are_zero(run, len)))
		return ret;
	return segments_add(list, off, len);
}

static uint64_t run_start(uint64_t off)
{
	return off & ~(uint64_t)(SEGMENTS_ZERO_RUN_BYTES - 1);
}

int segments_detect(struct segments *list, uint64_t size, const struct segments_content *content)
{
	autofree char *run = malloc(SEGMENTS_ZERO_RUN_BYTES);
	uint64_t off = 0;
	int ret = run ? 0 : -ENOMEM;

	while (ret == 0 && off < size) {
		uint64_t data = run_start(content->next_data(content->arg, off, size));
		size_t len;

		/* The file's last run is data if it is not a whole one. */
		if (data > off)
			off = data;
		if (off == size)
			break;
		len = size - off < SEGMENTS_ZERO_RUN_BYTES ? (size_t)(size - off)
							   : SEGMENTS_ZERO_RUN_BYTES;
		ret = cancel_requested() ? -ECANCELED : detect_run(list, off, len, run, content);
		off += len;
	}
	return ret;
}

/* The source filesystem's map. One that has none, as proc and sysfs have none, says EINVAL. */
static int map_source(int fd, uint64_t size, struct segments *list)
{
	off_t data = 0, hole = 0;
	int ret = 0;

	while (ret == 0 && (uint64_t)hole < size) {
		data = lseek(fd, hole, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			return 0;
		if (data < 0 && errno == EINVAL)
			return segments_add(list, (uint64_t)hole, size - (uint64_t)hole);
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

int segments_of_file(struct segments *list, int fd, uint64_t size, enum tree_holes holes)
{
	const struct segments_content content = { read_fd, next_data, &fd };

	switch (holes) {
	case TREE_HOLES_SOURCE:
		return map_source(fd, size, list);
	case TREE_HOLES_DETECT:
		return segments_detect(list, size, &content);
	default:
		return segments_add(list, 0, size);
	}
}
