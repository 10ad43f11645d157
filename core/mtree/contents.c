/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/cleanup.h"
#include "core/mtree/apply.h"
#include "core/tree/segments.h"

static int map_file(struct mtree_apply *apply, struct tree_node *node, int fd,
		    const struct stat *st)
{
	struct segments list = { 0 };
	int ret = segments_of_file(&list, fd, (uint64_t)st->st_size, apply->holes);

	if (ret == 0)
		ret = tree_set_segments(apply->tree, node, list.items, list.count);
	segments_free(&list);
	return ret;
}

static int take_file(struct mtree_apply *apply, struct tree_node *node, const char *path)
{
	autofree char *resolved = realpath(path, NULL);
	autoclose int fd = resolved ? open(resolved, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
	struct stat st;
	int source;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	source = tree_add_file(apply->tree, resolved);
	if (source < 0)
		return source;
	node->source = (uint16_t)source;
	node->range_count = 0;
	node->inode = st.st_ino;
	node->scanned_sec = st.st_mtim.tv_sec;
	node->scanned_nsec = (uint32_t)st.st_mtim.tv_nsec;
	node->pub.size = (uint64_t)st.st_size;
	return map_file(apply, node, fd, &st);
}

int mtree_set_contents(struct mtree_apply *apply, struct tree_node *node, const char *contents,
		       struct error *error)
{
	autofree char *path = NULL;
	int ret;

	if (asprintf(&path, "%s%s", *contents == '/' ? "" : apply->directory, contents) < 0)
		return error_nomem(error);
	ret = take_file(apply, node, path);
	if (ret == -ENOMEM)
		return error_nomem(error);
	return ret < 0 ? error_errno(error, -ret, "contents=%s", path) : 0;
}
