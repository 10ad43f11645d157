/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/io.h"
#include "core/tree/scan.h"
#include "core/tree/segments.h"
#include "lib/cleanup.h"

#define STAT_BLOCK_BYTES 512u /* of st_blocks */

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
	return segments_of_file(list, fd, entry->stat.stx_size, worker->scan->options->holes);
}

int scan_segments(struct scan_worker *worker, const struct scan_entry *entry,
		  struct tree_node *node)
{
	enum tree_holes holes = worker->scan->options->holes;
	uint64_t size = entry->stat.stx_size;
	struct segments list = { 0 };
	int ret;

	if (holes == TREE_HOLES_FILL || size < segments_run_bytes(holes) ||
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
