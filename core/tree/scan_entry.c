/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of the source becomes a node. */
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/tree/scan.h"
#include "lib/array.h"

/* How much of a path a message shows. Its parts are cut one by one, so that its end is never
 * missing. */
#define PATH_MESSAGE_BYTES 4096
#define SOURCE_BYTES 1024
#define DIRECTORY_BYTES 2048

static const char *entry_path(const struct scan *scan, const struct scan_entry *entry, char *path,
			      size_t size)
{
	char dir[DIRECTORY_BYTES];

	if (!*entry->name)
		snprintf(path, size, "%s", scan->path);
	else if (entry->dir->pub.parent == &entry->dir->pub)
		snprintf(path, size, "%.*s/%s", SOURCE_BYTES, scan->path, entry->name);
	else
		snprintf(path, size, "%.*s/%s/%s", SOURCE_BYTES, scan->path,
			 tree_path(&entry->dir->pub, dir, sizeof(dir)), entry->name);
	return path;
}

int scan_fail(struct scan *scan, const struct scan_entry *entry, int code, const char *what)
{
	char path[PATH_MESSAGE_BYTES];

	entry_path(scan, entry, path, sizeof(path));
	pthread_mutex_lock(&scan->lock);
	scan->denied += code == EACCES;
	/* The errors of an entry that was listed, and since then was removed or replaced. */
	if (code == ENOENT || code == ENOTDIR || code == ELOOP || code == ESTALE)
		error_set(scan->error, code, "%s changed while it was scanned", path);
	else
		error_errno(scan->error, code, "cannot %s %s", what, path);
	pthread_mutex_unlock(&scan->lock);
	return -code;
}

int scan_stat(struct scan *scan, struct scan_entry *entry)
{
	const int flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT;
	const unsigned int mask = STATX_BASIC_STATS | STATX_MNT_ID;

	if (libc_statx(entry->fd, entry->name, flags, mask, &entry->stat) < 0)
		return scan_fail(scan, entry, errno, "read");
	return 0;
}

/* Before Linux 5.8, devices have to do, and under qemu-user, which promises an id and gives none.
 */
uint64_t scan_mount_id(const struct scan_entry *entry)
{
	if ((entry->stat.stx_mask & STATX_MNT_ID) && entry->stat.stx_mnt_id != 0)
		return entry->stat.stx_mnt_id;
	return makedev(entry->stat.stx_dev_major, entry->stat.stx_dev_minor);
}

uint64_t scan_device(const struct scan_entry *entry)
{
	return (uint64_t)entry->stat.stx_dev_major << 32 | entry->stat.stx_dev_minor;
}

static uint64_t time_ns(const struct statx_timestamp *time)
{
	return (uint64_t)time->tv_sec * 1000000000u + time->tv_nsec;
}

struct scan_pending scan_pending_of(const struct scan_entry *entry, struct tree_node *dir)
{
	return (struct scan_pending){
		.dir = dir,
		.device = scan_device(entry),
		.inode = entry->stat.stx_ino,
		.mtime_ns = time_ns(&entry->stat.stx_mtime),
		.ctime_ns = time_ns(&entry->stat.stx_ctime),
	};
}

static int add_found(struct scan_worker *worker, const struct scan_entry *entry,
		     struct tree_node *dir)
{
	const struct scan_pending pending = scan_pending_of(entry, dir);

	return scan_add_found(worker, &pending);
}

static void set_attributes(struct tree_node *node, const struct statx *stat)
{
	const uint64_t lost = STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_NODUMP;

	node->flagged = (stat->stx_attributes & lost) != 0;
	node->pub.mode = stat->stx_mode & 07777;
	node->pub.uid = stat->stx_uid;
	node->pub.gid = stat->stx_gid;
	node->pub.mtime_sec = stat->stx_mtime.tv_sec;
	node->pub.mtime_nsec = stat->stx_mtime.tv_nsec;
	if (node->pub.type == KATAIMG_CHR || node->pub.type == KATAIMG_BLK) {
		node->pub.rdev_major = stat->stx_rdev_major;
		node->pub.rdev_minor = stat->stx_rdev_minor;
	}
}

/* Some filesystems say 0 for the length of a link, so only reading it tells. */
static int set_target(struct scan_worker *worker, const struct scan_entry *entry,
		      struct tree_node *node)
{
	for (;;) {
		size_t room = worker->target_bytes;
		ssize_t len = readlinkat(entry->fd, entry->name, worker->target, room);

		if (len < 0)
			return scan_fail(worker->scan, entry, errno, "read the link");
		if ((size_t)len < room)
			return tree_set_target(worker->part, node, worker->target, (size_t)len);
		if (array_grow(&worker->target, &worker->target_bytes, 0, room + 1, 1) < 0)
			return -ENOMEM;
	}
}

/* Before anything is written it is known that all can be read. The owner's own right needs no
 * question. */
static int check_readable(struct scan *scan, const struct scan_entry *entry)
{
	if (entry->stat.stx_uid == scan->uid && (entry->stat.stx_mode & S_IRUSR))
		return 0;
	if (faccessat(entry->fd, entry->name, R_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW) < 0)
		return scan_fail(scan, entry, errno, "read");
	return 0;
}

static int set_data(struct scan_worker *worker, const struct scan_entry *entry,
		    struct tree_node *node)
{
	const struct tree_identity was = { entry->stat.stx_ino,
					   { time_ns(&entry->stat.stx_mtime),
					     time_ns(&entry->stat.stx_ctime) } };
	int ret = check_readable(worker->scan, entry);

	if (ret == 0)
		ret = tree_set_scanned(worker->part, node, &was);
	if (ret < 0)
		return ret;
	node->pub.size = entry->stat.stx_size;
	return scan_segments(worker, entry, node);
}

static int set_xattr(struct scan_worker *worker, const struct scan_entry *entry, const char *name,
		     struct kataimg_xattr *xattr)
{
	struct arena *arena = &worker->part->arena;
	ssize_t len = xattrs_get(&worker->xattrs, entry->fd, entry->name, name);

	if (len < 0) {
		char what[XATTR_NAME_MAX + 32];

		snprintf(what, sizeof(what), "read the attribute %s of", name);
		return scan_fail(worker->scan, entry, (int)-len, what);
	}
	*xattr = (struct kataimg_xattr){
		.name = arena_text(arena, name, strlen(name)),
		.value = arena_text(arena, worker->xattrs.value, (size_t)len),
		.name_len = (uint32_t)strlen(name),
		.value_len = (uint32_t)len,
	};
	return xattr->name && xattr->value ? 0 : -ENOMEM;
}

static int set_xattrs(struct scan_worker *worker, const struct scan_entry *entry,
		      struct tree_node *node)
{
	ssize_t len = xattrs_list(&worker->xattrs, entry->fd, entry->name);
	const char *name = worker->xattrs.names;
	struct kataimg_xattr *xattrs;
	uint32_t count = 0;

	if (len < 0)
		return scan_fail(worker->scan, entry, (int)-len, "list the attributes of");
	for (ssize_t i = 0; i < len; i++)
		count += name[i] == '\0';
	if (count == 0)
		return 0;
	xattrs = arena_array(&worker->part->arena, count, sizeof(*xattrs));
	if (!xattrs)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++, name += strlen(name) + 1) {
		int ret = set_xattr(worker, entry, name, &xattrs[i]);

		if (ret < 0)
			return ret;
	}
	tree_set_xattrs(node, xattrs, count);
	return 0;
}

/* A mount point stays; what is mounted there is not part of the source. */
static bool is_left_out(const struct scan *scan, const struct scan_entry *entry)
{
	char path[PATH_MESSAGE_BYTES];

	if (!scan->options->one_filesystem || scan_mount_id(entry) == scan->mount_id)
		return false;
	log_warning("%s is a mount point: left empty (one-filesystem = no takes it in)",
		    entry_path(scan, entry, path, sizeof(path)));
	return true;
}

int scan_fill_node(struct scan_worker *worker, const struct scan_entry *entry,
		   struct tree_node *node)
{
	uint8_t type = node->pub.type;
	int ret = 0;

	set_attributes(node, &entry->stat);
	if (type == KATAIMG_LNK)
		ret = set_target(worker, entry, node);
	else if (type == KATAIMG_REG && !is_left_out(worker->scan, entry))
		ret = set_data(worker, entry, node);
	else if (type == KATAIMG_DIR && !is_left_out(worker->scan, entry))
		ret = add_found(worker, entry, node);
	return ret < 0 ? ret : set_xattrs(worker, entry, node);
}
