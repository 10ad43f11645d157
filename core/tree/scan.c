/* SPDX-License-Identifier: Apache-2.0 */
/* The directory scanner: one walk, by directory descriptors, as deep as the tree is. */
#include "core/tree/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/base/cancel.h"
#include "core/base/cleanup.h"
#include "core/base/log.h"

/* Directories kept open above the one being read; farther ones are found again through "..". */
#define OPEN_LEVELS 64

/* A directory on the way down. */
struct scan_level {
	struct tree_node *dir;
	struct tree_name *next; /* the next name to descend into, if it is a directory */
	int fd;                 /* -1: closed for now */
	dev_t dev;
	ino_t ino;
};

struct scan_levels {
	struct scan_level *items;
	size_t depth, room;
};

int scan_fail(const struct scan *scan, int code, const struct tree_node *dir, const char *name,
	      const char *what, struct error *error)
{
	char path[PATH_MESSAGE_BYTES];

	if (code == ENOMEM)
		return error_nomem(error);
	tree_path(&dir->pub, path, sizeof(path));
	return error_errno(error, code, "cannot %s %s/%s%s%s", what, scan->path,
			   dir->pub.parent == &dir->pub ? "" : path,
			   dir->pub.parent == &dir->pub ? "" : "/", name);
}

static enum kataimg_type type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return KATAIMG_DIR;
	case S_IFLNK:
		return KATAIMG_LNK;
	case S_IFCHR:
		return KATAIMG_CHR;
	case S_IFBLK:
		return KATAIMG_BLK;
	case S_IFIFO:
		return KATAIMG_FIFO;
	case S_IFSOCK:
		return KATAIMG_SOCK;
	default:
		return KATAIMG_REG;
	}
}

static void set_attributes(struct tree_node *node, const struct stat *st)
{
	node->pub.mode = st->st_mode & 07777;
	node->pub.uid = st->st_uid;
	node->pub.gid = st->st_gid;
	node->pub.mtime_sec = st->st_mtim.tv_sec;
	node->pub.mtime_nsec = (uint32_t)st->st_mtim.tv_nsec;
	if (node->pub.type == KATAIMG_CHR || node->pub.type == KATAIMG_BLK) {
		node->pub.rdev_major = major(st->st_rdev);
		node->pub.rdev_minor = minor(st->st_rdev);
	}
}

static int read_target(struct scan *scan, struct tree_node *node, int dir_fd, const char *name,
		       uint64_t size)
{
	/* Some filesystems say 0 for the length of a link. */
	size_t room = size ? size + 1 : 4096;

	for (;;) {
		autofree char *target = malloc(room);
		ssize_t len = target ? readlinkat(dir_fd, name, target, room) : -1;

		if (len < 0)
			return target ? -errno : -ENOMEM;
		if ((size_t)len < room)
			return tree_set_target(scan->tree, node, target, (size_t)len);
		room *= 2;
	}
}

static int fill_regular(struct scan *scan, struct tree_node *node, int dir_fd, const char *name,
			const struct stat *st)
{
	node->inode = st->st_ino;
	node->scanned_sec = st->st_mtim.tv_sec;
	node->scanned_nsec = (uint32_t)st->st_mtim.tv_nsec;
	node->pub.size = (uint64_t)st->st_size;
	/* Who overrides permissions can read anything; others are told before anything is written.
	 */
	if (geteuid() != 0 && faccessat(dir_fd, name, R_OK, AT_EACCESS) < 0)
		return -errno;
	return scan_segments(scan, node, dir_fd, name, st);
}

static int fill_node(struct scan *scan, struct tree_node *node, int dir_fd, const char *name,
		     const struct stat *st)
{
	int ret = 0;

	set_attributes(node, st);
	if (node->pub.type == KATAIMG_LNK)
		ret = read_target(scan, node, dir_fd, name, (uint64_t)st->st_size);
	else if (node->pub.type == KATAIMG_REG)
		ret = fill_regular(scan, node, dir_fd, name, st);
	return ret;
}

/* The node of an entry: a new one, or the one that another name of the inode made. */
static int scan_node(struct scan *scan, int dir_fd, const char *name, const struct stat *st,
		     struct tree_node **result)
{
	bool linked = st->st_nlink > 1 && !S_ISDIR(st->st_mode);
	struct tree_node *node = linked ? links_find(&scan->links, st->st_dev, st->st_ino) : NULL;
	int ret;

	*result = node;
	if (node)
		return 0;
	node = tree_add_node(scan->tree, type_of(st->st_mode));
	if (!node)
		return -ENOMEM;
	*result = node;
	ret = fill_node(scan, node, dir_fd, name, st);
	if (ret == 0)
		ret = scan_xattrs(scan, node, dir_fd, name);
	if (ret == 0 && linked)
		ret = links_add(&scan->links, st->st_dev, st->st_ino, node);
	return ret;
}

static int scan_entry(struct scan *scan, struct scan_level *level, const char *name,
		      struct error *error)
{
	struct tree_node *node;
	struct stat st;
	int ret = 0;

	if (fstatat(level->fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return scan_fail(scan, errno, level->dir, name, "read", error);
	ret = scan_node(scan, level->fd, name, &st, &node);
	if (ret == 0)
		ret = tree_add_name(scan->tree, level->dir, name, strlen(name), node);
	if (ret < 0)
		return scan_fail(scan, -ret, level->dir, name, "read", error);
	if (node->pub.type == KATAIMG_DIR) {
		/* for messages, until tree_finish says it anew */
		node->pub.parent = &level->dir->pub;
		node->pub.name = level->dir->names->name;
		node->pub.name_len = level->dir->names->name_len;
	}
	return 0;
}

static int read_directory(struct scan *scan, struct scan_level *level, struct error *error)
{
	int fd = fcntl(level->fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int ret = 0;

	if (!dir) {
		ret = scan_fail(scan, errno, level->dir, "", "read the directory", error);
		if (fd >= 0)
			close(fd);
		return ret;
	}
	while (ret == 0 && (errno = 0, entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		ret = cancel_requested() ? error_set(error, ECANCELED, "interrupted")
					 : scan_entry(scan, level, entry->d_name, error);
	}
	if (ret == 0 && errno)
		ret = scan_fail(scan, errno, level->dir, "", "read the directory", error);
	closedir(dir);
	level->next = level->dir->names;
	return ret;
}

static int push_level(struct scan_levels *levels, struct tree_node *dir, int fd,
		      const struct stat *st)
{
	if (levels->depth == levels->room) {
		size_t room = levels->room ? 2 * levels->room : 64;
		struct scan_level *items = reallocarray(levels->items, room, sizeof(*items));

		if (!items)
			return -ENOMEM;
		levels->items = items;
		levels->room = room;
	}
	if (levels->depth >= OPEN_LEVELS) {
		struct scan_level *far = &levels->items[levels->depth - OPEN_LEVELS];

		if (far->fd >= 0)
			close(far->fd);
		far->fd = -1;
	}
	levels->items[levels->depth++] =
		(struct scan_level){ .dir = dir, .fd = fd, .dev = st->st_dev, .ino = st->st_ino };
	return 0;
}

/* Leaves the deepest directory; the one above is opened again if it was closed. */
static int pop_level(struct scan *scan, struct scan_levels *levels, struct error *error)
{
	struct scan_level *level = &levels->items[levels->depth - 1];
	autoclose int fd = steal_fd(&level->fd);
	struct stat st;

	levels->depth--;
	if (levels->depth == 0 || level[-1].fd >= 0)
		return 0;
	level--;
	level->fd = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (level->fd < 0 || fstat(level->fd, &st) < 0)
		return scan_fail(scan, errno, level->dir, "", "return to the directory", error);
	if (st.st_dev != level->dev || st.st_ino != level->ino)
		return scan_fail(scan, ESTALE, level->dir, "", "return to the directory", error);
	return 0;
}

/* Is the directory a mount point that is to be left out? */
static bool leave_out(const struct scan *scan, const struct stat *st, const struct tree_node *dir)
{
	char path[PATH_MESSAGE_BYTES];

	if (!scan->options->one_filesystem || st->st_dev == scan->root_dev)
		return false;
	log_warning("%s/%s is a mount point: left empty (one-filesystem = no takes it in)",
		    scan->path, tree_path(&dir->pub, path, sizeof(path)));
	return true;
}

static int descend(struct scan *scan, struct scan_levels *levels, const struct tree_name *name,
		   struct error *error)
{
	struct scan_level *level = &levels->items[levels->depth - 1];
	autoclose int fd =
		openat(level->fd, name->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int ret;

	if (fd < 0 || fstat(fd, &st) < 0)
		return scan_fail(scan, errno, level->dir, name->name, "read the directory", error);
	if (leave_out(scan, &st, name->node))
		return 0;
	ret = push_level(levels, name->node, fd, &st);
	if (ret < 0)
		return error_nomem(error);
	steal_fd(&fd);
	return read_directory(scan, &levels->items[levels->depth - 1], error);
}

static int walk(struct scan *scan, struct scan_levels *levels, struct error *error)
{
	int ret = read_directory(scan, &levels->items[0], error);

	while (ret == 0 && levels->depth > 0) {
		struct scan_level *level = &levels->items[levels->depth - 1];
		const struct tree_name *name = level->next;

		if (!name) {
			ret = pop_level(scan, levels, error);
			continue;
		}
		level->next = name->next;
		if (name->node->pub.type == KATAIMG_DIR)
			ret = descend(scan, levels, name, error);
	}
	for (size_t i = 0; i < levels->depth; i++)
		if (levels->items[i].fd >= 0)
			close(levels->items[i].fd);
	free(levels->items);
	return ret;
}

static int scan_root(struct scan *scan, struct scan_levels *levels, struct error *error)
{
	autoclose int fd = -1;
	struct tree_node *root;
	struct stat st;
	int ret;

	scan->tree->root_fd = open(scan->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (scan->tree->root_fd < 0 || fstat(scan->tree->root_fd, &st) < 0)
		return error_errno(error, errno, "cannot read the source %s", scan->path);
	fd = fcntl(scan->tree->root_fd, F_DUPFD_CLOEXEC, 0);
	root = tree_add_node(scan->tree, KATAIMG_DIR);
	if (fd < 0 || !root)
		return error_nomem(error);
	root->pub.parent = &root->pub;
	root->pub.name = "";
	scan->root_dev = st.st_dev;
	set_attributes(root, &st);
	ret = scan_xattrs(scan, root, fd, ".");
	if (ret < 0)
		return scan_fail(scan, -ret, root, "", "read the extended attributes of", error);
	ret = push_level(levels, root, fd, &st);
	if (ret < 0)
		return error_nomem(error);
	steal_fd(&fd);
	return 0;
}

int tree_scan_directory(const char *path, const struct tree_scan_options *options,
			struct tree **result, struct error *error)
{
	struct scan scan = { .path = path, .options = options, .tree = tree_new() };
	struct scan_levels levels = { 0 };
	int ret;

	if (!scan.tree)
		return error_nomem(error);
	ret = scan_root(&scan, &levels, error);
	if (ret == 0)
		ret = walk(&scan, &levels, error);
	if (ret == 0)
		ret = tree_finish(scan.tree, error);
	links_free(&scan.links);
	free(scan.buffer);
	if (ret < 0)
		tree_free(scan.tree);
	else
		*result = scan.tree;
	return ret;
}
