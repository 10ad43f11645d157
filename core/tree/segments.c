/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/segments.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/cancel.h"
#include "core/base/io.h"
#include "lib/array.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"

/* So much is read at once; it is a multiple of every length of run. */
#define READ_BYTES ((size_t)64 << 10)

int segments_add(struct segments *list, uint64_t off, uint64_t len)
{
	struct kataimg_segment *last = list->count ? &list->items[list->count - 1] : NULL;

	if (last && last->file_off + last->len == off) {
		last->len += len;
		return 0;
	}
	if (list->count == UINT32_MAX ||
	    (list->count == list->room &&
	     array_grow(&list->items, &list->room, list->count, 1, sizeof(*list->items)) < 0))
		return -ENOMEM;
	list->items[list->count++] = (struct kataimg_segment){ off, len };
	return 0;
}

void segments_free(struct segments *list)
{
	free(list->items);
	*list = (struct segments){ 0 };
}

size_t segments_run_bytes(enum tree_holes holes)
{
	switch (holes) {
	case TREE_HOLES_DETECT:
		return (size_t)64 << 10;
	case TREE_HOLES_BLOCKS:
		return KATAIMG_HOLE_BYTES;
	default:
		return 0;
	}
}

/* What the bytes at off have beside runs of zeros; less than a whole run is data. */
static int add_data(struct segments *list, uint64_t off, const char *bytes, size_t len,
		    size_t run_bytes)
{
	int ret = 0;

	for (size_t at = 0; ret == 0 && at < len; at += run_bytes) {
		size_t run = len - at < run_bytes ? len - at : run_bytes;

		if (run < run_bytes || !bytes_are_zero(bytes + at, run))
			ret = segments_add(list, off + at, run);
	}
	return ret;
}

int segments_detect(struct segments *list, uint64_t size, size_t run_bytes,
		    const struct segments_content *content)
{
	autofree char *bytes = malloc(READ_BYTES);
	uint64_t off = 0;
	int ret = bytes ? 0 : -ENOMEM;

	while (ret == 0 && off < size) {
		uint64_t data =
			content->next_data(content->arg, off, size) & ~((uint64_t)run_bytes - 1);
		size_t len;

		/* The file's last run is data if it is not a whole one. */
		if (data > off)
			off = data;
		if (off == size)
			break;
		len = size - off < READ_BYTES ? (size_t)(size - off) : READ_BYTES;
		ret = cancel_requested() ? -ECANCELED
					 : content->read(content->arg, off, bytes, len);
		if (ret == 0)
			ret = add_data(list, off, bytes, len, run_bytes);
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

	if (holes == TREE_HOLES_SOURCE)
		return map_source(fd, size, list);
	if (holes == TREE_HOLES_FILL)
		return segments_add(list, 0, size);
	return segments_detect(list, size, segments_run_bytes(holes), &content);
}
