/* SPDX-License-Identifier: Apache-2.0 */
/* What a thread of the copy engine does. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "core/base/cancel.h"
#include "core/base/io.h"
#include "core/copy/private.h"

struct worker {
	struct copy_run *run;
	struct tree_reader *reader;
	char *buffer;
	char *found; /* with compare: what the image has */
	struct copy_batch batch;
	struct copy_ahead ahead;
	struct copy_stats stats;
};

static void worker_free(struct worker *worker)
{
	if (!worker)
		return;
	tree_reader_free(worker->reader);
	free(worker->buffer);
	free(worker->found);
	free(worker);
}
DEFINE_CLEANUP(struct worker, worker_free)

static struct worker *worker_new(struct copy_run *run)
{
	struct worker *worker autocall(cleanup_worker_free) = calloc(1, sizeof(*worker));

	if (!worker)
		return NULL;
	worker->run = run;
	worker->reader = tree_reader_new(run->copy->tree);
	worker->buffer = malloc(run->buffer_bytes);
	if (run->options->compare)
		worker->found = malloc(run->buffer_bytes);
	if (!worker->reader || !worker->buffer || (run->options->compare && !worker->found))
		return NULL;
	worker->ahead.reader = worker->reader;
	return steal_ptr(&worker);
}

static int read_fd(const struct copy_piece *piece, char *buf, struct error *error)
{
	int ret = io_pread(piece->fd, buf, (size_t)piece->len, piece->source_off);

	return ret < 0 ? error_errno(error, -ret, "cannot read a scratch file") : 0;
}

static int read_piece(struct worker *worker, const struct copy_piece *piece, char *buf,
		      struct error *error)
{
	int ret;

	if (!piece->node)
		return read_fd(piece, buf, error);
	ret = tree_reader_open(worker->reader, piece->node, error);
	if (ret >= 0)
		ret = tree_reader_read(worker->reader, buf, (size_t)piece->len, piece->source_off,
				       error);
	return ret < 0 ? ret : tree_reader_check(worker->reader, error);
}

static int write_image(struct worker *worker, uint64_t off, size_t len, struct error *error)
{
	const struct copy_run *run = worker->run;
	int ret = io_pwrite(run->image_fd, worker->buffer, len, off);

	if (ret < 0)
		return error_errno(error, -ret, "cannot write the image");
	worker->stats.writes++;
	worker->stats.written_bytes += len;
	/* This only begins early what the sync does: where it is not possible, nothing is lost. */
	if (run->options->writeback)
		sync_file_range(run->image_fd, (off_t)off, (off_t)len, SYNC_FILE_RANGE_WRITE);
	return 0;
}

static int compare_image(struct worker *worker, uint64_t off, size_t len, struct error *error)
{
	int ret = io_pread(worker->run->image_fd, worker->found, len, off);

	if (ret < 0)
		return error_errno(error, -ret, "cannot read the image");
	return copy_compare_bytes(worker->run, &worker->batch, off, worker->buffer, worker->found,
				  len, error);
}

/* The buffer's bytes belong at off of the image. */
static int settle(struct worker *worker, uint64_t off, size_t len, struct error *error)
{
	return worker->run->options->compare ? compare_image(worker, off, len, error)
					     : write_image(worker, off, len, error);
}

static int copy_pieces(struct worker *worker, struct error *error)
{
	const struct copy_batch *batch = &worker->batch;
	uint64_t filled = 0;

	for (uint32_t i = 0; i < batch->piece_count; i++) {
		const struct copy_piece *piece = &batch->pieces[i];
		uint64_t start = piece->image_off - batch->image_off;
		int ret;

		memset(worker->buffer + filled, 0, (size_t)(start - filled));
		ret = read_piece(worker, piece, worker->buffer + start, error);
		if (ret < 0)
			return ret;
		filled = start + piece->len;
		copy_ahead_look(&worker->ahead, batch, i + 1);
	}
	return settle(worker, batch->image_off, (size_t)batch->len, error);
}

/* A piece of any length, a write after the other. */
static int copy_large(struct worker *worker, const struct copy_piece *whole, struct error *error)
{
	struct copy_piece piece = *whole;
	uint64_t left = whole->len;
	int ret = 0;

	for (; ret == 0 && left > 0; left -= piece.len) {
		piece.len = left < worker->run->buffer_bytes ? left : worker->run->buffer_bytes;
		ret = cancel_requested() ? error_set(error, ECANCELED, "interrupted")
					 : read_piece(worker, &piece, worker->buffer, error);
		if (ret == 0)
			ret = settle(worker, piece.image_off, (size_t)piece.len, error);
		piece.image_off += piece.len;
		piece.source_off += piece.len;
	}
	return ret;
}

static int clone_piece(struct worker *worker, const struct copy_piece *piece, struct error *error)
{
	int fd = piece->node ? tree_reader_open(worker->reader, piece->node, error) : piece->fd;
	struct file_clone_range range = {
		.src_fd = fd,
		.src_offset = piece->source_off,
		.src_length = piece->len,
		.dest_offset = piece->image_off,
	};

	if (fd < 0)
		return fd;
	/* A filesystem that refuses to share once is not asked again: the reason stays the same. */
	if (!worker->run->reflink || ioctl(worker->run->image_fd, FICLONERANGE, &range) < 0) {
		worker->run->reflink = false;
		return copy_large(worker, piece, error);
	}
	worker->stats.reflinked_bytes += piece->len;
	return piece->node ? tree_reader_check(worker->reader, error) : 0;
}

/* Of all errors the one lowest in the image is kept. Lock held. */
static void keep_error(struct copy_run *run, uint64_t sequence, struct error *error)
{
	if (sequence < run->failed_sequence) {
		error_clear(&run->error);
		run->error = *error;
		run->failed_sequence = sequence;
	} else {
		error_clear(error);
	}
}

static void report_progress(struct copy_run *run, uint64_t passed_bytes)
{
	const struct copy_options *options = run->options;

	run->done_bytes += passed_bytes;
	if (options->progress)
		options->progress(options->progress_arg, run->done_bytes, run->copy->total_bytes);
}

/* 1: there is a batch, 0: no more, or -errno. */
static int take_batch(struct worker *worker)
{
	struct copy_run *run = worker->run;
	struct error error = ERROR_INIT;
	int ret = 0;

	if (cancel_requested())
		return -ECANCELED;
	pthread_mutex_lock(&run->lock);
	if (run->failed_sequence == UINT64_MAX)
		ret = copy_next_batch(run, &worker->batch, &error);
	if (ret < 0)
		keep_error(run, worker->batch.sequence, &error);
	if (ret == 0)
		report_progress(run, worker->batch.passed_bytes);
	pthread_mutex_unlock(&run->lock);
	return ret;
}

static int copy_batch(struct worker *worker, struct error *error)
{
	const struct copy_batch *batch = &worker->batch;

	copy_ahead_begin(&worker->ahead, batch);
	if (batch->clone)
		return clone_piece(worker, &batch->pieces[0], error);
	if (batch->large)
		return copy_large(worker, &batch->pieces[0], error);
	return copy_pieces(worker, error);
}

static int run_batch(struct worker *worker)
{
	struct copy_run *run = worker->run;
	struct error error = ERROR_INIT;
	int ret = copy_batch(worker, &error);

	pthread_mutex_lock(&run->lock);
	if (ret < 0)
		keep_error(run, worker->batch.sequence, &error);
	else
		report_progress(run, worker->batch.passed_bytes);
	pthread_mutex_unlock(&run->lock);
	return ret;
}

static void add_stats(struct copy_run *run, const struct copy_stats *stats)
{
	pthread_mutex_lock(&run->lock);
	run->stats.writes += stats->writes;
	run->stats.written_bytes += stats->written_bytes;
	run->stats.reflinked_bytes += stats->reflinked_bytes;
	pthread_mutex_unlock(&run->lock);
}

int copy_work(void *arg, uint64_t index)
{
	struct worker *worker autocall(cleanup_worker_free) = worker_new(arg);
	int ret;

	(void)index; /* all threads do the same */
	if (!worker)
		return -ENOMEM;
	while ((ret = take_batch(worker)) > 0) {
		ret = run_batch(worker);
		if (ret < 0)
			break;
	}
	add_stats(worker->run, &worker->stats);
	return ret;
}
