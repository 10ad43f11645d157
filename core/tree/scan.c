/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/cancel.h"
#include "core/base/pool.h"
#include "core/tree/exclude.h"
#include "lib/cleanup.h"
#include "lib/filetype.h"
#include "lib/libc.h"

#define RECORDS_BYTES 32768

/* ---- Entries ---- */

static struct tree_node *make_node(struct scan_worker *worker, const struct scan_entry *entry)
{
	return tree_add_node(worker->part, filetype_of_mode(entry->stat.stx_mode));
}

/* The node of a file with several names: *is_new for whoever meets it first, who fills it. */
static struct tree_node *share_node(struct scan_worker *worker, const struct scan_entry *entry,
				    bool *is_new)
{
	struct scan *scan = worker->scan;
	uint64_t device = scan_device(entry), inode = entry->stat.stx_ino;
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

/* 1: the entry is left out of the tree; 0: it is not; or -errno. */
static int is_excluded(const struct scan *scan, const struct scan_entry *entry)
{
	struct tree_excluder *excluder = scan->options->excluder;

	return excluder ? tree_excluder_matches(excluder, &entry->dir->pub, entry->name,
						S_ISDIR(entry->stat.stx_mode))
			: 0;
}

static int scan_entry(struct scan_worker *worker, struct scan_entry *entry)
{
	struct tree_node *node;
	bool is_new = true;
	int ret = scan_stat(worker->scan, entry);

	if (ret == 0)
		ret = is_excluded(worker->scan, entry);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	if (entry->stat.stx_nlink > 1 && !S_ISDIR(entry->stat.stx_mode))
		node = share_node(worker, entry, &is_new);
	else
		node = make_node(worker, entry);
	if (!node ||
	    tree_add_name(worker->part, &worker->tray, entry->name, strlen(entry->name), node) < 0)
		return -ENOMEM;
	if (!is_new)
		return 0;
	/* until tree_finish says which name is the first */
	node->pub.parent = &entry->dir->pub;
	node->pub.name = worker->tray.names->name;
	node->pub.name_len = (uint32_t)strlen(entry->name);
	return scan_fill_node(worker, entry, node);
}

/* ---- Directories ---- */

static int go_on_when_denied(int ret)
{
	return ret == -EACCES ? 0 : ret;
}

static bool is_self_or_parent(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

static int scan_records(struct scan_worker *worker, const struct scan_share *share,
			const char *records, size_t len)
{
	struct scan_entry entry = { .dir = share->dir, .fd = share->fd };
	const libc_dirent *record;
	int ret = cancel_requested() ? -ECANCELED : 0;

	for (size_t at = 0; ret == 0 && at < len; at += record->d_reclen) {
		record = (const void *)(records + at);
		entry.name = record->d_name;
		if (!is_self_or_parent(entry.name))
			ret = go_on_when_denied(scan_entry(worker, &entry));
	}
	return scan_give(worker, share->dir, ret);
}

/* The result is in scan->failure. */
static void scan_block(struct scan_worker *worker, struct scan_block *block)
{
	scan_records(worker, block->share, block->records, block->len);
	scan_end_block(worker->scan, block);
}

/* The directory's own entry, for messages. */
static struct scan_entry own_entry(const struct scan_pending *pending, int fd)
{
	return (struct scan_entry){ .dir = tree_node(pending->dir->pub.parent),
				    .name = pending->dir->pub.name,
				    .fd = fd };
}

/* Member by member: some machines have a gap between them, with anything in it. */
static bool is_same(const struct scan_pending *a, const struct scan_pending *b)
{
	return a->dir == b->dir && a->device == b->device && a->inode == b->inode &&
	       a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

static int check_unchanged(struct scan *scan, const struct scan_pending *pending, int fd)
{
	struct scan_entry own = own_entry(pending, fd);
	struct scan_pending now;

	if (libc_statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &own.stat) < 0)
		return scan_fail(scan, &own, errno, "read");
	now = scan_pending_of(&own, pending->dir);
	return is_same(&now, pending) ? 0 : scan_fail(scan, &own, ESTALE, "read");
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

static int read_directory(struct scan_worker *worker, struct scan_share *share,
			  const struct scan_entry *own)
{
	ssize_t len;
	int ret = 0;

	while (ret == 0 &&
	       (len = libc_getdents(share->fd, (void *)worker->records, RECORDS_BYTES)) != 0) {
		if (len < 0)
			return scan_fail(worker->scan, own, errno, "list");
		if (!scan_offer(worker, share, (size_t)len))
			ret = scan_records(worker, share, worker->records, (size_t)len);
	}
	return ret;
}

static int scan_directory(struct scan_worker *worker, const struct scan_pending *pending)
{
	struct scan_share share = { pending->dir, open_directory(worker, pending->dir), 0 };
	struct scan_entry own = own_entry(pending, share.fd);
	struct scan_block *block;
	int ret;

	if (share.fd < 0)
		return scan_fail(worker->scan, &own, -share.fd, "open");
	ret = read_directory(worker, &share, &own);
	/* The descriptor is the others' too until they are done. */
	while ((block = scan_take_block(worker->scan, &share)))
		scan_block(worker, block);
	if (ret == 0)
		ret = check_unchanged(worker->scan, pending, share.fd);
	/* Now it has all its names, and nobody else has anything to do with it. */
	return ret < 0 ? ret : tree_sort_directory(worker->part, pending->dir);
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
	array_free(&worker->found);
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

/* What the worker made becomes the tree's. */
static void absorb(struct scan_worker *worker)
{
	pthread_mutex_lock(&worker->scan->lock);
	tree_absorb(worker->scan->tree, worker->part);
	pthread_mutex_unlock(&worker->scan->lock);
}

static void run_task(struct scan_worker *worker, const struct scan_task *task)
{
	if (task->block) {
		scan_block(worker, task->block);
		return;
	}
	scan_give(worker, task->pending.dir,
		  go_on_when_denied(scan_directory(worker, &task->pending)));
	scan_leave(worker->scan);
}

/* A pool job: does what there is to do until nothing is left. */
static int scan_work(void *arg, uint64_t index)
{
	struct scan *scan = arg;
	struct scan_worker *worker autocall(cleanup_worker_free) = worker_new(scan);
	struct scan_task task;

	(void)index; /* all do the same */
	if (!worker)
		return -ENOMEM;
	while (scan_take(scan, &task))
		run_task(worker, &task);
	absorb(worker);
	return 0;
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
	ret = scan_give(worker, root, scan_fill_node(worker, &entry, root));
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

/* The first error has its message already: this adds how many entries could not be read. */
static int fail_denied(struct scan *scan)
{
	error_append(scan->error,
		     "; %" PRIu64 " %s of the source cannot be read by this user: build as root, "
		     "or from a tar or container image that root made, or leave them out "
		     "([tree] exclude)",
		     scan->denied, scan->denied == 1 ? "entry" : "entries");
	return -EACCES;
}

static int scan_all(struct scan *scan)
{
	unsigned int threads = scan->options->threads;
	int ret = scan_open(scan);

	if (ret == 0)
		ret = scan_root(scan);
	if (ret == 0)
		ret = pool_run(threads, threads, scan_work, scan);
	if (scan->failure)
		ret = scan->failure;
	if (ret == 0 && scan->denied > 0)
		return fail_denied(scan);
	if (ret == 0)
		return tree_finish(scan->tree, scan->error);
	if (ret == -ECANCELED) {
		error_clear(scan->error); /* of what was denied until then */
		return error_set(scan->error, ECANCELED, "interrupted");
	}
	/* Whatever else it was has its message; the first one counts. */
	return ret == -ENOMEM ? error_nomem(scan->error) : ret;
}

int tree_scan_directory(const char *path, const struct tree_options *options, struct tree **result,
			struct error *error)
{
	struct scan scan = { .path = path, .options = options, .uid = geteuid(), .error = error };
	int ret;

	pthread_mutex_init(&scan.lock, NULL);
	pthread_cond_init(&scan.changed, NULL);
	ret = scan_all(&scan);
	pthread_cond_destroy(&scan.changed);
	pthread_mutex_destroy(&scan.lock);
	links_free(&scan.links);
	array_free(&scan.pending);
	if (ret == 0)
		*result = steal_ptr(&scan.tree);
	tree_free(scan.tree);
	return ret;
}
