/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/mtree/apply.h"
#include "core/tree/segments.h"
#include "lib/cleanup.h"

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

static int fail(const char *path, int code, struct error *error)
{
	return code == ENOMEM ? error_nomem(error) : error_errno(error, code, "contents=%s", path);
}

static int take_file(struct mtree_apply *apply, struct tree_node *node, const char *path,
		     struct error *error)
{
	autofree char *resolved = realpath(path, NULL);
	autoclose int fd = resolved ? open(resolved, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
	struct stat st;
	int ret;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(path, errno, error);
	if (!S_ISREG(st.st_mode))
		return error_set(error, EINVAL, "contents=%s: not a regular file", path);
	ret = tree_set_file(apply->tree, node, resolved, &st);
	if (ret < 0)
		return fail(path, -ret, error);
	ret = map_file(apply, node, fd, &st);
	return ret < 0 ? fail(path, -ret, error) : 0;
}

int mtree_set_contents(struct mtree_apply *apply, struct tree_node *node, const char *contents,
		       struct error *error)
{
	autofree char *path = NULL;

	if (asprintf(&path, "%s%s", *contents == '/' ? "" : apply->directory, contents) < 0) {
		path = NULL;
		return error_nomem(error);
	}
	return take_file(apply, node, path, error);
}
