/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/cancel.h"
#include "core/base/cleanup.h"
#include "core/base/pool.h"

#define RECORDS_BYTES 32768

/* By the four type bits of a mode. */
static const uint8_t node_types[16] = {
	[S_IFREG >> 12] = KATAIMG_REG,  [S_IFDIR >> 12] = KATAIMG_DIR,
	[S_IFCHR >> 12] = KATAIMG_CHR,  [S_IFBLK >> 12] = KATAIMG_BLK,
	[S_IFIFO >> 12] = KATAIMG_FIFO, [S_IFSOCK >> 12] = KATAIMG_SOCK,
	[S_IFLNK >> 12] = KATAIMG_LNK,
};

static uint64_t time_ns(const struct statx_timestamp *time)
{
	return (uint64_t)time->tv_sec * 1000000000u + time->tv_nsec;
}

static uint64_t device_of(const struct statx *stat)
{
	return (uint64_t)stat->stx_dev_major << 32 | stat->stx_dev_minor;
}

static struct scan_pending pending_of(const struct statx *stat, struct tree_node *dir)
{
	return (struct scan_pending){
		.dir = dir,
		.device = device_of(stat),
		.inode = stat->stx_ino,
		.mtime_ns = time_ns(&stat->stx_mtime),
		.ctime_ns = time_ns(&stat->stx_ctime),
	};
}

/* Room for `more` behind `count`. */
static int grow(struct scan_pending **list, size_t *room, size_t count, size_t more)
{
	size_t larger = *room ? *room : 64;
	struct scan_pending *items;

	if (count + more <= *room)
		return 0;
	while (larger < count + more)
		larger *= 2;
	items = reallocarray(*list, larger, sizeof(*items));
	if (!items)
		return -ENOMEM;
	*list = items;
	*room = larger;
	return 0;
}

int scan_add_found(struct scan_worker *worker, const struct scan_entry *entry,
		   struct tree_node *dir)
{
	int ret = grow(&worker->found, &worker->found_room, worker->found_count, 1);

	if (ret == 0)
		worker->found[worker->found_count++] = pending_of(&entry->stat, dir);
	return ret;
}

/* ---- Entries ---- */

static struct tree_node *make_node(struct scan_worker *worker, const struct scan_entry *entry)
{
	return tree_add_node(worker->part, node_types[entry->stat.stx_mode >> 12]);
}

/* The node of a file with several names: *is_new for whoever meets it first, who fills it. */
static struct tree_node *share_node(struct scan_worker *worker, const struct scan_entry *entry,
				    bool *is_new)
{
	struct scan *scan = worker->scan;
	uint64_t device = device_of(&entry->stat), inode = entry->stat.stx_ino;
	struct tree_node *node;

	pthread_mutex_lock(&scan->lock);
	node = links_find(&scan->links, device, inode);
	*is_new = !node;
	if (!node) {
		node = make_node(worker, entry);
		if (node && links_add(&scan->links, device, inode, node) < 0)
			node = NULL;
	}
	pthread_mutex_unlock(&scan->lock);
	return node;
}

static int scan_entry(struct scan_worker *worker, struct scan_entry *entry)
{
	struct tree_node *node;
	bool is_new = true;
	int ret = scan_stat(worker->scan, entry);

	if (ret < 0)
		return ret;
	if (entry->stat.stx_nlink > 1 && !S_ISDIR(entry->stat.stx_mode))
		node = share_node(worker, entry, &is_new);
	else
		node = make_node(worker, entry);
	if (!node ||
	    tree_add_name(worker->part, entry->dir, entry->name, strlen(entry->name), node) < 0)
		return -ENOMEM;
	if (!is_new)
		return 0;
	/* until tree_finish says which name is the first */
	node->pub.parent = &entry->dir->pub;
	node->pub.name = entry->dir->names->name;
	node->pub.name_len = entry->dir->names->name_len;
	return scan_fill_node(worker, entry, node);
}

/* ---- Directories ---- */

static bool is_self_or_parent(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

static int scan_records(struct scan_worker *worker, struct scan_entry *entry, ssize_t len)
{
	const struct dirent64 *record;
	int ret = 0;

	for (ssize_t at = 0; ret == 0 && at < len; at += record->d_reclen) {
		record = (const void *)(worker->records + at);
		entry->name = record->d_name;
		if (!is_self_or_parent(entry->name))
			ret = scan_entry(worker, entry);
	}
	return ret;
}

/* The directory's own entry, for messages. */
static struct scan_entry own_entry(const struct scan_pending *pending, int fd)
{
	return (struct scan_entry){ .dir = tree_node(pending->dir->pub.parent),
				    .name = pending->dir->pub.name,
				    .fd = fd };
}

static int check_unchanged(struct scan *scan, const struct scan_pending *pending, int fd)
{
	struct scan_entry own = own_entry(pending, fd);
	struct scan_pending now;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &own.stat) < 0)
		return scan_fail(scan, &own, errno, "read");
	now = pending_of(&own.stat, pending->dir);
	return memcmp(&now, pending, sizeof(now)) ? scan_fail(scan, &own, ESTALE, "read") : 0;
}

static int open_directory(struct scan_worker *worker, const struct tree_node *dir)
{
	int fd = dirs_get(&worker->dirs, dir->pub.parent);

	if (fd < 0 || dir->pub.parent == &dir->pub)
		return fd;
	fd = openat(fd, dir->pub.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dirs_put(&worker->dirs, &dir->pub, fd);
	return fd;
}

static int scan_directory(struct scan_worker *worker, const struct scan_pending *pending)
{
	int fd = open_directory(worker, pending->dir), ret = 0;
	struct scan_entry own = own_entry(pending, fd);
	struct scan_entry entry = { .dir = pending->dir, .fd = fd };
	ssize_t len;

	if (fd < 0)
		return scan_fail(worker->scan, &own, -fd, "open");
	while (ret == 0 && (len = getdents64(fd, worker->records, RECORDS_BYTES)) != 0) {
		if (len < 0)
			return scan_fail(worker->scan, &own, errno, "list");
		ret = cancel_requested() ? -ECANCELED : scan_records(worker, &entry, len);
	}
	return ret < 0 ? ret : check_unchanged(worker->scan, pending, fd);
}

/* ---- Workers ---- */

static void worker_free(struct scan_worker *worker)
{
	if (!worker)
		return;
	tree_free(worker->part);
	dirs_release(&worker->dirs);
	xattrs_release(&worker->xattrs);
	free(worker->records);
	free(worker->target);
	free(worker->found);
	free(worker);
}
DEFINE_CLEANUP(struct scan_worker, worker_free)

static struct scan_worker *worker_new(struct scan *scan)
{
	struct scan_worker *worker autocall(cleanup_worker_free) = calloc(1, sizeof(*worker));

	if (!worker)
		return NULL;
	worker->scan = scan;
	dirs_init(&worker->dirs, scan->tree->root_fd);
	worker->part = tree_new();
	worker->records = malloc(RECORDS_BYTES);
	worker->target = malloc(PATH_MAX);
	worker->target_bytes = PATH_MAX;
	if (xattrs_init(&worker->xattrs, scan->tree->root_fd) < 0 || !worker->part ||
	    !worker->records || !worker->target)
		return NULL;
	return steal_ptr(&worker);
}

/* Waits while others may still find something. false: the scan is at its end. */
static bool take_pending(struct scan *scan, struct scan_pending *pending)
{
	bool taken;

	pthread_mutex_lock(&scan->lock);
	while (scan->pending_count == 0 && scan->busy > 0 && !scan->failed)
		pthread_cond_wait(&scan->changed, &scan->lock);
	taken = scan->pending_count > 0 && !scan->failed;
	if (taken) {
		*pending = scan->pending[--scan->pending_count];
		scan->busy++;
	}
	pthread_mutex_unlock(&scan->lock);
	return taken;
}

/* What was found goes on the stack; ret is how reading the directory ended. */
static int give_found(struct scan_worker *worker, int ret)
{
	struct scan *scan = worker->scan;
	size_t count = worker->found_count;

	pthread_mutex_lock(&scan->lock);
	if (ret == 0)
		ret = grow(&scan->pending, &scan->pending_room, scan->pending_count, count);
	if (ret == 0 && count > 0)
		memcpy(&scan->pending[scan->pending_count], worker->found,
		       count * sizeof(*worker->found));
	if (ret == 0)
		scan->pending_count += count;
	else
		scan->failed = true;
	scan->busy--;
	if (scan->failed || count > 1 || scan->busy == 0)
		pthread_cond_broadcast(&scan->changed);
	pthread_mutex_unlock(&scan->lock);
	worker->found_count = 0;
	return ret;
}

/* What the worker made becomes the tree's. */
static void absorb(struct scan_worker *worker)
{
	pthread_mutex_lock(&worker->scan->lock);
	tree_absorb(worker->scan->tree, worker->part);
	pthread_mutex_unlock(&worker->scan->lock);
}

static int scan_pending(struct scan_worker *worker)
{
	struct scan_pending pending;
	int ret = 0;

	while (ret == 0 && take_pending(worker->scan, &pending))
		ret = give_found(worker, scan_directory(worker, &pending));
	return ret;
}

/* A pool job: takes directories until nothing is left. */
static int scan_work(void *arg, uint64_t index)
{
	struct scan *scan = arg;
	struct scan_worker *worker autocall(cleanup_worker_free) = worker_new(scan);
	int ret = worker ? scan_pending(worker) : -ENOMEM;

	(void)index; /* all do the same */
	if (worker)
		absorb(worker);
	return ret;
}

/* The source's own entry, with which the stack begins. */
static int scan_root(struct scan *scan)
{
	struct scan_worker *worker autocall(cleanup_worker_free) = worker_new(scan);
	struct tree_node *root = scan->tree->root;
	struct scan_entry entry = { .dir = root, .name = "", .fd = scan->tree->root_fd };
	int ret = worker ? scan_stat(scan, &entry) : -ENOMEM;

	if (ret < 0)
		return ret;
	scan->mount_id = scan_mount_id(&entry);
	scan->busy = 1;
	ret = give_found(worker, scan_fill_node(worker, &entry, root));
	absorb(worker);
	return ret;
}

static int scan_open(struct scan *scan)
{
	struct tree_node *root;

	scan->tree = tree_new();
	root = scan->tree ? tree_add_node(scan->tree, KATAIMG_DIR) : NULL;
	if (!root)
		return -ENOMEM;
	root->pub.parent = &root->pub;
	root->pub.name = "";
	scan->tree->root_fd = open(scan->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (scan->tree->root_fd < 0)
		return error_errno(scan->error, errno, "cannot read the source %s", scan->path);
	return 0;
}

static int scan_all(struct scan *scan)
{
	unsigned int threads = scan->options->threads;
	int ret = scan_open(scan);

	if (ret == 0)
		ret = scan_root(scan);
	if (ret == 0)
		ret = pool_run(threads, threads, scan_work, scan);
	if (ret == 0)
		return tree_finish(scan->tree, scan->error);
	if (ret == -ECANCELED)
		return error_set(scan->error, ECANCELED, "interrupted");
	/* Whatever else it was has its message; the first one counts. */
	return ret == -ENOMEM ? error_nomem(scan->error) : ret;
}

int tree_scan_directory(const char *path, const struct tree_scan_options *options,
			struct tree **result, struct error *error)
{
	struct scan scan = { .path = path, .options = options, .uid = geteuid(), .error = error };
	int ret;

	pthread_mutex_init(&scan.lock, NULL);
	pthread_cond_init(&scan.changed, NULL);
	ret = scan_all(&scan);
	pthread_cond_destroy(&scan.changed);
	pthread_mutex_destroy(&scan.lock);
	links_free(&scan.links);
	free(scan.pending);
	if (ret == 0)
		*result = steal_ptr(&scan.tree);
	tree_free(scan.tree);
	return ret;
}
