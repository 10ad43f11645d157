/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/xattrs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Linux 6.13; the same numbers on every architecture but alpha. */
#ifndef SYS_getxattrat
#define SYS_getxattrat 464
#define SYS_listxattrat 465
#endif

/* The kernel makes room for as much as it is offered, at each call. */
#define FIRST_TRY_BYTES 512

#define PROC_PATH_BYTES (NAME_MAX + 64)

/* struct xattr_args of linux/xattr.h, which older headers lack. */
struct getxattrat_args {
	uint64_t value __attribute__((aligned(8)));
	uint32_t size;
	uint32_t flags;
};

static ssize_t list_at(int dir_fd, const char *name, char *names, size_t size)
{
	return syscall(SYS_listxattrat, dir_fd, name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, names,
		       size);
}

int xattrs_init(struct xattrs *xattrs, int fd)
{
	*xattrs = (struct xattrs){
		.by_directory = list_at(fd, "", NULL, 0) >= 0,
		.names = malloc(XATTR_LIST_MAX),
		.value = malloc(XATTR_SIZE_MAX),
	};
	return xattrs->names && xattrs->value ? 0 : -ENOMEM;
}

void xattrs_release(struct xattrs *xattrs)
{
	free(xattrs->names);
	free(xattrs->value);
}

/* The way for older kernels: through the directory's entry in /proc. */
static void proc_path(char path[PROC_PATH_BYTES], int dir_fd, const char *name)
{
	snprintf(path, PROC_PATH_BYTES, "/proc/self/fd/%d/%s", dir_fd, *name ? name : ".");
}

static ssize_t list(struct xattrs *xattrs, int dir_fd, const char *name, size_t size)
{
	char path[PROC_PATH_BYTES];

	if (xattrs->by_directory)
		return list_at(dir_fd, name, xattrs->names, size);
	proc_path(path, dir_fd, name);
	return llistxattr(path, xattrs->names, size);
}

ssize_t xattrs_list(struct xattrs *xattrs, int dir_fd, const char *name)
{
	ssize_t len = list(xattrs, dir_fd, name, FIRST_TRY_BYTES);

	if (len < 0 && errno == ERANGE)
		len = list(xattrs, dir_fd, name, XATTR_LIST_MAX);
	if (len < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	return len;
}

static ssize_t get_at(struct xattrs *xattrs, int dir_fd, const char *name, const char *xattr,
		      uint32_t size)
{
	struct getxattrat_args args = {
		.value = (uint64_t)(uintptr_t)xattrs->value,
		.size = size,
	};

	return syscall(SYS_getxattrat, dir_fd, name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, xattr,
		       &args, sizeof(args));
}

static ssize_t get(struct xattrs *xattrs, int dir_fd, const char *name, const char *xattr,
		   uint32_t size)
{
	char path[PROC_PATH_BYTES];

	if (xattrs->by_directory)
		return get_at(xattrs, dir_fd, name, xattr, size);
	proc_path(path, dir_fd, name);
	return lgetxattr(path, xattr, xattrs->value, size);
}

ssize_t xattrs_get(struct xattrs *xattrs, int dir_fd, const char *name, const char *xattr)
{
	ssize_t len = get(xattrs, dir_fd, name, xattr, FIRST_TRY_BYTES);

	if (len < 0 && errno == ERANGE)
		len = get(xattrs, dir_fd, name, xattr, XATTR_SIZE_MAX);
	return len < 0 ? -errno : len;
}
