/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "core/tree/scan.h"

/* There is no "at" form of the calls; a path through /proc names an entry without opening it. */
#define PROC_PATH_BYTES (NAME_MAX + 64)

/* The list, then one value at a time. */
#define BUFFER_BYTES (XATTR_LIST_MAX + XATTR_SIZE_MAX)

static int read_one(struct scan *scan, const char *path, const char *name,
		    struct kataimg_xattr *xattr)
{
	struct arena *arena = &scan->tree->arena;
	char *value = scan->buffer + XATTR_LIST_MAX;
	ssize_t len = lgetxattr(path, name, value, XATTR_SIZE_MAX);

	if (len < 0)
		return -errno;
	*xattr = (struct kataimg_xattr){
		.name = arena_text(arena, name, strlen(name)),
		.value = arena_text(arena, value, (size_t)len),
		.name_len = (uint32_t)strlen(name),
		.value_len = (uint32_t)len,
	};
	return xattr->name && xattr->value ? 0 : -ENOMEM;
}

static int read_all(struct scan *scan, struct tree_node *node, const char *path, size_t list_len)
{
	const char *list = scan->buffer;
	struct kataimg_xattr *xattrs;
	uint32_t count = 0, n = 0;
	int ret = 0;

	for (size_t i = 0; i < list_len; i++)
		count += list[i] == '\0';
	xattrs = arena_array(&scan->tree->arena, count, sizeof(*xattrs));
	if (!xattrs)
		return -ENOMEM;
	for (const char *name = list; ret == 0 && n < count; name += strlen(name) + 1)
		ret = read_one(scan, path, name, &xattrs[n++]);
	tree_set_xattrs(node, xattrs, count);
	return ret;
}

int scan_xattrs(struct scan *scan, struct tree_node *node, int dir_fd, const char *name)
{
	char path[PROC_PATH_BYTES];
	ssize_t len;

	if (!scan->buffer)
		scan->buffer = malloc(BUFFER_BYTES);
	if (!scan->buffer)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir_fd, name);
	len = llistxattr(path, scan->buffer, XATTR_LIST_MAX);
	if (len < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	return len ? read_all(scan, node, path, (size_t)len) : 0;
}
