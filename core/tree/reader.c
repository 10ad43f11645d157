/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/io.h"
#include "core/tree/model.h"

#define PATH_MESSAGE_BYTES 4096

struct tree_reader {
	const struct tree *tree;
	const struct kataimg_node *dir; /* whose descriptor dir_fd is */
	int dir_fd, file_fd;            /* -1: none */
};

struct tree_reader *tree_reader_new(const struct tree *tree)
{
	struct tree_reader *reader = malloc(sizeof(*reader));

	if (reader)
		*reader = (struct tree_reader){ tree, NULL, -1, -1 };
	return reader;
}

void tree_reader_free(struct tree_reader *reader)
{
	if (!reader)
		return;
	if (reader->dir_fd >= 0)
		close(reader->dir_fd);
	if (reader->file_fd >= 0)
		close(reader->file_fd);
	free(reader);
}

static int fail(const struct kataimg_node *node, int code, struct error *error)
{
	char path[PATH_MESSAGE_BYTES];

	return error_errno(error, code, "cannot read the source's %s",
			   tree_path(node, path, sizeof(path)));
}

static int fail_changed(const struct kataimg_node *node, const char *how, struct error *error)
{
	char path[PATH_MESSAGE_BYTES];

	return error_set(error, ESTALE,
			 "the source's %s %s while the image was being built: build again from a "
			 "tree at rest",
			 tree_path(node, path, sizeof(path)), how);
}

int tree_reader_fail_short(const struct kataimg_node *node, struct error *error)
{
	return fail_changed(node, "shrank", error);
}

/* One step down from the directory that fd is; fd is closed. */
static int step_down(int fd, const struct kataimg_node *dir)
{
	int next = openat(fd, dir->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int code = errno;

	close(fd);
	return next < 0 ? -code : next;
}

/* From the root, a component at a time: a path may be longer than the kernel takes, and must not
 * leave the tree. */
static int open_directory(const struct tree *tree, const struct kataimg_node *dir)
{
	const struct kataimg_node **steps = NULL;
	size_t depth = 0;
	int fd;

	for (const struct kataimg_node *at = dir; at->parent != at; at = at->parent)
		depth++;
	steps = calloc(depth + 1, sizeof(*steps));
	if (!steps)
		return -ENOMEM;
	for (size_t i = depth; i > 0; dir = dir->parent)
		steps[--i] = dir;
	fd = fcntl(tree->root_fd, F_DUPFD_CLOEXEC, 0);
	for (size_t i = 0; fd >= 0 && i < depth; i++)
		fd = step_down(fd, steps[i]);
	free(steps);
	return fd < 0 && depth == 0 ? -errno : fd;
}

static int enter_directory(struct tree_reader *reader, const struct kataimg_node *dir)
{
	int fd;

	if (reader->dir == dir && reader->dir_fd >= 0)
		return 0;
	fd = open_directory(reader->tree, dir);
	if (fd < 0)
		return fd;
	if (reader->dir_fd >= 0)
		close(reader->dir_fd);
	reader->dir_fd = fd;
	reader->dir = dir;
	return 0;
}

static int check_unchanged(int fd, const struct kataimg_node *node, struct error *error)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail(node, errno, error);
	if (!S_ISREG(st.st_mode) || st.st_ino != tree_node(node)->inode)
		return fail_changed(node, "was replaced", error);
	if ((uint64_t)st.st_size != node->size)
		return fail_changed(node, (uint64_t)st.st_size < node->size ? "shrank" : "grew",
				    error);
	if (st.st_mtim.tv_sec != tree_node(node)->scanned_sec ||
	    st.st_mtim.tv_nsec != tree_node(node)->scanned_nsec)
		return fail_changed(node, "was written", error);
	return 0;
}

/* Whose file it is keeps its access time if it can; others may not ask for that. */
static int open_file(int dir_fd, const char *name)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = openat(dir_fd, name, flags | O_NOATIME);

	return fd < 0 && errno == EPERM ? openat(dir_fd, name, flags) : fd;
}

int tree_reader_open(struct tree_reader *reader, const struct kataimg_node *node, int *fd,
		     struct error *error)
{
	int ret;

	if (tree_node(node)->range_count > 0) {
		*fd = reader->tree->archive_fd;
		return 0;
	}
	if (reader->file_fd >= 0)
		close(steal_fd(&reader->file_fd));
	ret = enter_directory(reader, node->parent);
	if (ret < 0)
		return fail(node, -ret, error);
	reader->file_fd = open_file(reader->dir_fd, node->name);
	if (reader->file_fd < 0)
		return fail(node, errno, error);
	*fd = reader->file_fd;
	return check_unchanged(*fd, node, error);
}

/* The last range that begins at or before off; NULL when all begin behind it. */
static const struct tree_range *find_range(const struct tree_node *node, uint64_t off)
{
	size_t low = 0, high = node->range_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (node->ranges[middle].file_off <= off)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &node->ranges[low - 1] : NULL;
}

int tree_reader_map(const struct kataimg_node *file, uint64_t off, uint64_t *fd_off, uint64_t *len)
{
	const struct tree_node *node = tree_node(file);
	const struct tree_range *range, *next;
	uint64_t until;

	if (node->range_count == 0) {
		*fd_off = off;
		return 1;
	}
	range = find_range(node, off);
	next = range ? range + 1 : node->ranges;
	if (range && off - range->file_off < range->len) {
		*fd_off = range->source_off + (off - range->file_off);
		until = range->file_off + range->len;
	} else {
		until = next < node->ranges + node->range_count ? next->file_off : UINT64_MAX;
		range = NULL;
	}
	if (*len > until - off)
		*len = until - off;
	return range != NULL;
}

static int read_mapped(const struct kataimg_node *node, int fd, uint64_t off, char *buf, size_t len,
		       struct error *error)
{
	while (len > 0) {
		uint64_t fd_off, run = len;
		int ret = 0;

		if (tree_reader_map(node, off, &fd_off, &run))
			ret = io_pread(fd, buf, run, fd_off);
		else
			memset(buf, 0, run);
		if (ret < 0)
			return ret == -ENODATA ? tree_reader_fail_short(node, error)
					       : fail(node, -ret, error);
		buf += run;
		off += run;
		len -= run;
	}
	return 0;
}

int tree_read(const struct tree *tree, const struct kataimg_node *node, uint64_t off, void *buf,
	      size_t len, struct error *error)
{
	struct tree_reader *reader autocall(cleanup_tree_reader_free) = tree_reader_new(tree);
	int fd, ret;

	if (!reader)
		return error_nomem(error);
	if (node->type != KATAIMG_REG || off > node->size || len > node->size - off)
		return error_set(error, ERANGE, "a read of %zu bytes leaves a file", len);
	ret = tree_reader_open(reader, node, &fd, error);
	return ret < 0 ? ret : read_mapped(node, fd, off, buf, len, error);
}
