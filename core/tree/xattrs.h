/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes of files that must not be opened: by directory and name, links not
 * followed. */
#ifndef TREE_XATTRS_H
#define TREE_XATTRS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct xattrs {
	bool by_directory; /* the kernel has listxattrat(2) and getxattrat(2) */
	char *names;       /* owned buffers, reused */
	char *value;
};

/* fd is any descriptor, to try what the kernel has. -ENOMEM. */
int xattrs_init(struct xattrs *xattrs, int fd);
void xattrs_release(struct xattrs *xattrs);

/* Names, each with its NUL, into xattrs->names: their length, 0 also where there are none to have;
 * or -errno. An empty name means the directory itself. */
ssize_t xattrs_list(struct xattrs *xattrs, int dir_fd, const char *name);

/* One value into xattrs->value: its length or -errno. */
ssize_t xattrs_get(struct xattrs *xattrs, int dir_fd, const char *name, const char *xattr);

#endif
