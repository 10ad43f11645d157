/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree as a directory: first all directories, open to nobody else; then, on all threads, files
 * and what has no content; then large files, a piece a thread; hard links; and last the attributes
 * of directories, which everything before would change or be kept out by.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/cancel.h"
#include "core/base/pool.h"
#include "core/extract/private.h"
#include "core/tree/walk.h"
#include "lib/calloc64.h"
#include "lib/cleanup.h"

/* One thread's share: neighbours are in one directory, which it would else wait for. */
#define SHARE_NODES 32

/* ---- Threads ---- */

static void worker_free(struct extract_worker *worker)
{
	if (!worker)
		return;
	tree_reader_free(worker->reader);
	dirs_release(&worker->dirs);
	free(worker->buffer);
	free(worker);
}
DEFINE_CLEANUP(struct extract_worker, worker_free)

static struct extract_worker *worker_new(struct extract *extract)
{
	struct extract_worker *worker autocall(cleanup_worker_free) = calloc(1, sizeof(*worker));

	if (!worker)
		return NULL;
	worker->extract = extract;
	dirs_init(&worker->dirs, extract->target->fd);
	worker->reader = tree_reader_new(extract->tree);
	worker->buffer = malloc(EXTRACT_BUFFER_BYTES);
	return worker->reader && worker->buffer ? steal_ptr(&worker) : NULL;
}

/* The first error is the one that counts. */
static int keep_error(struct extract *extract, struct error *error)
{
	int code = error->code;

	pthread_mutex_lock(&extract->lock);
	error_take(&extract->error, error);
	pthread_mutex_unlock(&extract->lock);
	error_clear(error);
	atomic_store(&extract->failed, true);
	return -code;
}

/* ---- Phases ---- */

static int make_directories(struct extract_worker *worker, struct error *error)
{
	struct extract *extract = worker->extract;
	int ret = 0;

	extract->made[0] = 1;
	for (uint64_t i = 1; ret == 0 && i < extract->pub->node_count; i++) {
		const struct kataimg_node *node = extract->pub->nodes[i];

		if (node->type != KATAIMG_DIR)
			continue;
		ret = cancel_check(error);
		if (ret == 0)
			ret = extract_make_directory(worker, node, error);
		if (ret == 0)
			extract->made[i] = 1;
	}
	return ret;
}

static int make_share(struct extract_worker *worker, uint64_t share, struct error *error)
{
	const struct kataimg_tree *tree = worker->extract->pub;
	uint64_t end = (share + 1) * SHARE_NODES;
	int ret = 0;

	for (uint64_t i = share * SHARE_NODES; ret == 0 && i < end && i < tree->node_count; i++) {
		ret = cancel_check(error);
		if (ret == 0)
			ret = extract_make_node(worker, tree->nodes[i], error);
	}
	return ret;
}

static int open_made(struct extract_worker *worker, const struct kataimg_node *node, int flags,
		     struct extract_place *place)
{
	place->name = node->name;
	place->dir_fd = dirs_get(&worker->dirs, node->parent);
	place->fd = place->dir_fd < 0
			    ? place->dir_fd
			    : openat(place->dir_fd, node->name, flags | O_NOFOLLOW | O_CLOEXEC);
	if (place->dir_fd < 0)
		return place->dir_fd;
	return place->fd < 0 ? -errno : place->fd;
}

static int fill_piece(struct extract_worker *worker, uint64_t index, struct error *error)
{
	const struct extract_piece *piece = &worker->extract->pieces.items[index];
	struct extract_place place;
	autoclose int fd = open_made(worker, piece->node, O_WRONLY, &place);

	if (fd < 0)
		return extract_fail(piece->node, -fd, "open", error);
	return extract_copy(worker, piece->node, fd, piece->from, piece->to, error);
}

/* Runs work(worker, 0) ... work(worker, count - 1) on all threads. */
struct phase {
	struct extract *extract;
	int (*work)(struct extract_worker *worker, uint64_t index, struct error *error);
	uint64_t count;
};

static int run_thread(void *arg, uint64_t thread)
{
	const struct phase *phase = arg;
	struct extract *extract = phase->extract;
	struct extract_worker *worker autocall(cleanup_worker_free) = worker_new(extract);
	autoerror struct error error = ERROR_INIT;
	uint64_t index;
	int ret = worker ? 0 : error_nomem(&error);

	(void)thread; /* all do the same */
	while (ret == 0 && !atomic_load(&extract->failed)) {
		index = atomic_fetch_add(&extract->next, 1);
		if (index >= phase->count)
			return 0;
		ret = phase->work(worker, index, &error);
	}
	return ret < 0 ? keep_error(extract, &error) : 0;
}

static int run_phase(struct extract *extract, uint64_t count,
		     int (*work)(struct extract_worker *worker, uint64_t index,
				 struct error *error),
		     struct error *error)
{
	struct phase phase = { extract, work, count };
	unsigned int threads = extract->options->threads;
	int ret;

	atomic_store(&extract->next, 0);
	ret = pool_run(threads, threads, run_thread, &phase);
	if (extract->error.code)
		return error_take(error, &extract->error);
	return ret < 0 ? cancel_check(error) : 0;
}

static int by_index(const void *a, const void *b)
{
	const struct kataimg_node *const *one = a, *const *other = b;

	return ((*one)->index > (*other)->index) - ((*one)->index < (*other)->index);
}

/* Pieces are of data: a hole of any size is none. */
static int cut_file(struct extract *extract, const struct kataimg_node *node, struct error *error)
{
	uint64_t from = 0;
	struct tree_extent extent;

	while (tree_next_extent(extract->tree, node, from, node->size, &extent)) {
		struct extract_piece *piece = array_add(&extract->pieces);
		uint64_t left = node->size - extent.file_off;

		if (!piece)
			return error_nomem(error);
		from = extent.file_off + (left < EXTRACT_LARGE_BYTES ? left : EXTRACT_LARGE_BYTES);
		*piece = (struct extract_piece){ node, extent.file_off, from };
	}
	return 0;
}

static int cut_large(struct extract *extract, struct error *error)
{
	int ret = 0;

	if (extract->large.count > 0)
		qsort(extract->large.items, extract->large.count, sizeof(*extract->large.items),
		      by_index);
	for (size_t i = 0; ret == 0 && i < extract->large.count; i++)
		ret = cut_file(extract, extract->large.items[i], error);
	return ret;
}

static int finish_opened(struct extract_worker *worker, const struct kataimg_node *node, int flags,
			 struct error *error)
{
	struct extract_place place;
	autoclose int fd = open_made(worker, node, flags, &place);

	if (fd < 0)
		return extract_fail(node, -fd, "open", error);
	return extract_set_attributes(worker->extract, node, &place, error);
}

static int finish_large(struct extract_worker *worker, struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < worker->extract->large.count; i++)
		ret = finish_opened(worker, worker->extract->large.items[i], O_WRONLY, error);
	return ret;
}

static int link_at(int from_fd, const char *from, int to_fd, const char *to, bool force)
{
	int ret = linkat(from_fd, from, to_fd, to, 0);

	if (ret < 0 && errno == EEXIST && force && unlinkat(to_fd, to, 0) == 0)
		ret = linkat(from_fd, from, to_fd, to, 0);
	return ret < 0 ? -errno : 0;
}

static int link_entry(struct extract_worker *worker, const struct tree_walk *walk,
		      struct error *error)
{
	const struct kataimg_node *node = walk->entry->node;
	int from = dirs_get(&worker->dirs, node->parent), to;
	/* The way to the second directory may close the first. */
	autoclose int kept = from < 0 ? from : openat(from, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (kept < 0)
		return error_errno(error, from < 0 ? -from : errno, "cannot link %s", walk->path);
	to = dirs_get(&worker->dirs, walk->dir);
	if (to >= 0)
		to = link_at(kept, node->name, to, walk->entry->name,
			     worker->extract->options->force);
	return to < 0 ? error_errno(error, -to, "cannot link %s", walk->path) : 0;
}

static int make_links(struct extract_worker *worker, struct error *error)
{
	struct extract *extract = worker->extract;
	struct tree_walk walk __attribute__((cleanup(tree_walk_end)));
	int ret;

	tree_walk_begin(&walk, extract->pub->nodes[0]);
	while ((ret = tree_walk_next(&walk)) > 0) {
		if (!tree_walk_is_link(&walk) || !extract->made[walk.entry->node->index])
			continue;
		ret = cancel_check(error);
		if (ret == 0)
			ret = link_entry(worker, &walk, error);
		if (ret < 0)
			return ret;
	}
	return ret < 0 ? error_nomem(error) : 0;
}

static int finish_root(struct extract_worker *worker, struct error *error)
{
	struct extract *extract = worker->extract;
	const struct extract_place place = { extract->target->fd, ".", extract->target->fd };

	if (extract->options->partial && !extract->target->is_new)
		return 0;
	return extract_set_attributes(extract, extract->pub->nodes[0], &place, error);
}

/* From the leaves to the root: who may not look into a directory any more need not. */
static int finish_directories(struct extract_worker *worker, struct error *error)
{
	const struct kataimg_tree *tree = worker->extract->pub;
	int ret = 0;

	for (uint64_t i = tree->node_count; ret == 0 && --i > 0;) {
		if (tree->nodes[i]->type != KATAIMG_DIR)
			continue;
		ret = cancel_check(error);
		if (ret == 0)
			ret = finish_opened(worker, tree->nodes[i], O_RDONLY | O_DIRECTORY, error);
	}
	return ret < 0 ? ret : finish_root(worker, error);
}

static int run(struct extract *extract, struct error *error)
{
	struct extract_worker *worker autocall(cleanup_worker_free) = worker_new(extract);
	uint64_t shares = extract->pub->node_count / SHARE_NODES + 1;
	int ret = worker ? make_directories(worker, error) : error_nomem(error);

	if (ret == 0)
		ret = run_phase(extract, shares, make_share, error);
	if (ret == 0)
		ret = cut_large(extract, error);
	if (ret == 0)
		ret = run_phase(extract, extract->pieces.count, fill_piece, error);
	if (ret == 0)
		ret = finish_large(worker, error);
	if (ret == 0)
		ret = make_links(worker, error);
	return ret < 0 ? ret : finish_directories(worker, error);
}

static uint64_t count_made(const struct extract *extract)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i < extract->pub->node_count; i++)
		count += extract->made[i];
	return count;
}

/* ---- All of it ---- */

static int extract_into(struct extract *extract, struct error *error)
{
	int ret;

	if (!extract->options->partial || extract->target->is_new)
		extract_clear_attributes(extract->target->fd);
	ret = run(extract, error);

	if (ret == 0)
		extract_warn(extract);
	else
		error_append(error,
			     "; %" PRIu64 " of %" PRIu64 " files and directories are left in %s, "
			     "not all of them complete",
			     count_made(extract), extract->pub->node_count, extract->target->path);
	return ret;
}

int extract_to_directory(const struct tree *tree, const struct extract_target *target,
			 const struct extract_options *options, struct error *error)
{
	struct extract extract = {
		.tree = tree, .pub = tree_public(tree), .options = options, .target = target
	};
	struct tree_counts counts;
	int ret;

	tree_count(tree, &counts);
	extract.total_bytes = counts.data_bytes;
	atomic_init(&extract.reflink, true);
	extract.made = calloc64(extract.pub->node_count, 1);
	if (!extract.made)
		return error_nomem(error);
	pthread_mutex_init(&extract.lock, NULL);
	ret = extract_into(&extract, error);
	pthread_mutex_destroy(&extract.lock);
	for (int i = 0; i < MISSED_KINDS; i++)
		free(extract.missed[i].first);
	error_clear(&extract.error);
	array_free(&extract.pieces);
	array_free(&extract.large);
	free(extract.made);
	return ret;
}
