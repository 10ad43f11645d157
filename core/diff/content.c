/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of files, a piece a thread. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/cancel.h"
#include "core/base/pool.h"
#include "core/diff/private.h"
#include "core/tree/reader.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"

#define PIECE_BYTES ((uint64_t)4 << 20)
#define CHUNK_BYTES ((size_t)128 << 10)

struct piece {
	uint32_t job;
	uint64_t from, to;
};

struct contents {
	struct diff *diff;
	const struct diff_options *options;
	ARRAY(struct piece) pieces;
	atomic_bool *differs; /* owned; by job */
	atomic_uint_fast64_t next;
	atomic_bool failed;
	uint64_t total_bytes;

	pthread_mutex_t lock; /* guards all that follows */
	uint64_t done_bytes;
	struct error error;
};

/* One of the two files, in a thread. */
struct side {
	const struct tree *tree;
	struct tree_reader *reader;
	const struct kataimg_node *node;
	char *buffer;
	int fd;         /* once it is open */
	struct stat st; /* of it */
	struct tree_extent extent;
	bool has_extent; /* else no more data */
	bool in_extent;
};

struct worker {
	struct contents *contents;
	struct side a, b;
};

/* ---- Where data is ---- */

static void find_extent(struct side *side, uint64_t at, uint64_t to)
{
	side->has_extent = tree_next_extent(side->tree, side->node, at, to, &side->extent);
	side->in_extent = side->has_extent && side->extent.file_off <= at;
}

/* How far what is at `at` goes on: data or hole. */
static uint64_t end_of(const struct side *side, uint64_t to)
{
	if (!side->has_extent)
		return to;
	return side->in_extent ? side->extent.file_off + side->extent.len : side->extent.file_off;
}

static int add_pieces(struct contents *contents, uint32_t number, const struct diff_job *job)
{
	struct side a = { .tree = contents->diff->a, .node = job->a };
	struct side b = { .tree = contents->diff->b, .node = job->b };
	uint64_t at = 0, size = job->a->size;

	for (;;) {
		struct piece *piece;
		uint64_t from;

		find_extent(&a, at, size);
		find_extent(&b, at, size);
		if (!a.has_extent && !b.has_extent)
			return 0;
		from = a.has_extent ? a.extent.file_off : size;
		if (b.has_extent && b.extent.file_off < from)
			from = b.extent.file_off;
		at = size - from < PIECE_BYTES ? size : from + PIECE_BYTES;
		piece = array_add(&contents->pieces);
		if (!piece)
			return -ENOMEM;
		*piece = (struct piece){ number, from, at };
		contents->total_bytes += at - from;
	}
}

/* ---- Comparing ---- */

static int open_side(struct side *side, struct error *error)
{
	side->fd = tree_reader_open(side->reader, side->node, error);
	if (side->fd < 0)
		return side->fd;
	if (fstat(side->fd, &side->st) < 0)
		return error_errno(error, errno, "cannot read a source");
	return 0;
}

/* Are the bytes of both those at one place of one file? */
static bool is_same_place(const struct side *a, const struct side *b)
{
	return a->in_extent && b->in_extent && a->st.st_dev == b->st.st_dev &&
	       a->st.st_ino == b->st.st_ino && a->extent.source_off < TREE_DECODED_OFF &&
	       b->extent.source_off < TREE_DECODED_OFF &&
	       a->extent.source_off - a->extent.file_off ==
		       b->extent.source_off - b->extent.file_off;
}

static int read_side(struct side *side, uint64_t at, size_t len, struct error *error)
{
	if (side->in_extent)
		return tree_reader_read(side->reader, side->buffer, len,
					side->extent.source_off + (at - side->extent.file_off),
					error);
	memset(side->buffer, 0, len);
	return 0;
}

/* 1: they differ; 0: they do not; or -errno. *at: how far that is known. */
static int compare_some(struct worker *worker, uint64_t *at, uint64_t to, struct error *error)
{
	struct side *a = &worker->a, *b = &worker->b;
	uint64_t end, len;
	int ret;

	find_extent(a, *at, to);
	find_extent(b, *at, to);
	end = end_of(a, to) < end_of(b, to) ? end_of(a, to) : end_of(b, to);
	if ((!a->in_extent && !b->in_extent) || is_same_place(a, b)) {
		*at = end;
		return 0;
	}
	len = end - *at < CHUNK_BYTES ? end - *at : CHUNK_BYTES;
	ret = read_side(a, *at, (size_t)len, error);
	if (ret == 0)
		ret = read_side(b, *at, (size_t)len, error);
	*at += len;
	return ret < 0 ? ret : memcmp(a->buffer, b->buffer, (size_t)len) != 0;
}

static int compare_piece(struct worker *worker, const struct piece *piece, struct error *error)
{
	struct contents *contents = worker->contents;
	const struct diff_job *job = &contents->diff->jobs.items[piece->job];
	uint64_t at = piece->from;
	int ret;

	if (atomic_load(&contents->differs[piece->job]))
		return 0;
	worker->a.node = job->a;
	worker->b.node = job->b;
	ret = open_side(&worker->a, error);
	if (ret == 0)
		ret = open_side(&worker->b, error);
	while (ret == 0 && at < piece->to) {
		ret = cancel_check(error);
		if (ret == 0)
			ret = compare_some(worker, &at, piece->to, error);
	}
	if (ret > 0)
		atomic_store(&contents->differs[piece->job], true);
	if (ret >= 0)
		ret = tree_reader_check(worker->a.reader, error);
	return ret < 0 ? ret : tree_reader_check(worker->b.reader, error);
}

/* ---- Threads ---- */

static void report(struct contents *contents, uint64_t bytes)
{
	const struct diff_options *options = contents->options;

	pthread_mutex_lock(&contents->lock);
	contents->done_bytes += bytes;
	if (options->progress)
		options->progress(options->progress_arg, contents->done_bytes,
				  contents->total_bytes);
	pthread_mutex_unlock(&contents->lock);
}

static void worker_release(struct worker *worker)
{
	tree_reader_free(worker->a.reader);
	tree_reader_free(worker->b.reader);
	free(worker->a.buffer);
	free(worker->b.buffer);
}

static int run_pieces(struct worker *worker, struct error *error)
{
	struct contents *contents = worker->contents;
	int ret = 0;

	if (!worker->a.reader || !worker->b.reader || !worker->a.buffer || !worker->b.buffer)
		return error_nomem(error);
	while (ret == 0 && !atomic_load(&contents->failed)) {
		uint64_t index = atomic_fetch_add(&contents->next, 1);

		if (index >= contents->pieces.count)
			return 0;
		ret = compare_piece(worker, &contents->pieces.items[index], error);
		report(contents,
		       contents->pieces.items[index].to - contents->pieces.items[index].from);
	}
	return ret;
}

static int run_thread(void *arg, uint64_t thread)
{
	struct contents *contents = arg;
	struct worker worker __attribute__((cleanup(worker_release))) = {
		.contents = contents,
		.a = { .tree = contents->diff->a,
		       .reader = tree_reader_new(contents->diff->a),
		       .buffer = malloc(CHUNK_BYTES) },
		.b = { .tree = contents->diff->b,
		       .reader = tree_reader_new(contents->diff->b),
		       .buffer = malloc(CHUNK_BYTES) },
	};
	autoerror struct error error = ERROR_INIT;
	int ret = run_pieces(&worker, &error);

	(void)thread; /* all do the same */
	if (ret < 0) {
		atomic_store(&contents->failed, true);
		pthread_mutex_lock(&contents->lock);
		error_take(&contents->error, &error);
		pthread_mutex_unlock(&contents->lock);
	}
	return ret;
}

static int compare_all(struct contents *contents, struct error *error)
{
	struct diff *diff = contents->diff;
	unsigned int threads = contents->options->threads;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < diff->jobs.count; i++)
		ret = add_pieces(contents, (uint32_t)i, &diff->jobs.items[i]);
	if (ret < 0)
		return error_nomem(error);
	ret = pool_run(threads, threads, run_thread, contents);
	if (contents->error.code)
		return error_take(error, &contents->error);
	for (size_t i = 0; i < diff->jobs.count; i++)
		diff->jobs.items[i].differs = atomic_load(&contents->differs[i]);
	return ret < 0 ? cancel_check(error) : 0;
}

int diff_contents(struct diff *diff, const struct diff_options *options, struct error *error)
{
	struct contents contents = { .diff = diff, .options = options };
	int ret;

	if (diff->jobs.count == 0)
		return 0;
	contents.differs = calloc(diff->jobs.count, sizeof(*contents.differs));
	if (!contents.differs)
		return error_nomem(error);
	pthread_mutex_init(&contents.lock, NULL);
	ret = compare_all(&contents, error);
	pthread_mutex_destroy(&contents.lock);
	error_clear(&contents.error);
	array_free(&contents.pieces);
	free(contents.differs);
	return ret;
}
