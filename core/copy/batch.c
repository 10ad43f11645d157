/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts the sorted jobs into batches, in the order of the image, one at a time: a job may be larger
 * than anything that could be listed. */
#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/copy/private.h"

#define CLONE_BYTES_MIN 65536u

/* One worker gets so much of a file in one piece, so that it is read from its start to its end. */
#define LARGE_BYTES ((uint64_t)8 << 20)

/* Finds the first data of an open file at or behind from. 0: there is none. */
static int find_data(int fd, uint64_t from, struct copy_stretch *data)
{
	off_t start = lseek(fd, (off_t)from, SEEK_DATA);
	off_t end = start < 0 ? start : lseek(fd, start, SEEK_HOLE);

	if (end < 0)
		return start < 0 && errno == ENXIO ? 0 : -errno;
	*data = (struct copy_stretch){ fd, (uint64_t)start, (uint64_t)end };
	return 1;
}

/*
 * The first data of an open file in [from, to); 0: all of it is zeros. -ENODATA: it ends before.
 * What was found is remembered: a scratch file is mostly one long stretch with many jobs, and some
 * filesystems walk to its end to find it.
 */
static int next_extent_of_fd(struct copy_run *run, int fd, uint64_t from, uint64_t to,
			     struct tree_extent *extent)
{
	struct copy_stretch *data = &run->data;
	uint64_t end;

	if (fd != data->fd || from < data->start || from >= data->end) {
		int ret = find_data(fd, from, data);

		if (ret < 0)
			return ret;
		if (!ret)
			return lseek(fd, 0, SEEK_END) < (off_t)to ? -ENODATA : 0;
	}
	if (data->start >= to)
		return 0;
	if (from < data->start)
		from = data->start;
	end = data->end < to ? data->end : to;
	*extent = (struct tree_extent){ from, end - from, from };
	return 1;
}

int copy_next_extent(struct copy_run *run, const struct copy_job *job, uint64_t from,
		     struct tree_extent *extent, struct error *error)
{
	const struct tree *tree = run->copy->tree;
	uint64_t to = job->file_off + job->len;
	int ret;

	if (job->fd < 0)
		return tree_next_extent(tree, tree_public(tree)->nodes[job->node], from, to,
					extent);
	ret = next_extent_of_fd(run, job->fd, from, to, extent);
	if (ret == -ENODATA)
		return error_set(error, ENODATA, "a scratch file ends before what is placed of it");
	return ret < 0 ? error_errno(error, -ret, "cannot find the data of a scratch file") : ret;
}

/* Marks everything up to `until` of the current job as handed out. */
static void pass(struct copy_run *run, struct copy_batch *batch, uint64_t until)
{
	const struct copy_job job = copy_job_at(run->copy, run->job);

	if (run->job_done == 0 && until > 0 && job.fd < 0 && job.file_off == 0)
		run->stats.files++;
	batch->passed_bytes += until - run->job_done;
	run->job_done = until;
	if (until == job.len) {
		run->job++;
		run->job_done = 0;
	}
}

/*
 * The next data of the sorted jobs, which stays to be handed out; holes in front of it are passed.
 * 0: there is none.
 */
static int peek_piece(struct copy_run *run, struct copy_batch *batch, struct copy_piece *piece,
		      struct error *error)
{
	const struct kataimg_tree *tree = tree_public(run->copy->tree);

	while (run->job < run->copy->jobs.count) {
		const struct copy_job job = copy_job_at(run->copy, run->job);
		uint64_t from = job.file_off + run->job_done, skipped;
		struct tree_extent extent;
		int ret = copy_next_extent(run, &job, from, &extent, error);

		if (ret < 0)
			return ret;
		skipped = ret ? extent.file_off - from : job.len - run->job_done;
		run->stats.hole_bytes += skipped;
		pass(run, batch, run->job_done + skipped);
		if (!ret)
			continue;
		*piece = (struct copy_piece){
			.node = job.fd < 0 ? tree->nodes[job.node] : NULL,
			.fd = job.fd,
			.image_off = job.image_off + (extent.file_off - job.file_off),
			.source_off = extent.source_off,
			.len = extent.len,
		};
		return 1;
	}
	return 0;
}

/* Only whole blocks can be shared, and only when they begin at a block of the source and at one
 * of the image. Copying a small file is faster. */
static bool can_clone(const struct copy_run *run, const struct copy_piece *piece)
{
	uint64_t size = piece->node ? piece->node->size : piece->len;

	return run->reflink && piece->source_off < TREE_DECODED_OFF && size >= CLONE_BYTES_MIN &&
	       piece->len >= COPY_BLOCK_BYTES &&
	       (piece->image_off | piece->source_off) % COPY_BLOCK_BYTES == 0;
}

static uint64_t batch_end(const struct copy_batch *batch)
{
	return batch->image_off + batch->len;
}

/* Can one write hold what the batch has, and the piece? That is so when only the rest of a
 * file's last block lies between them: nobody claims that, and it is written as zeros. */
static bool adjoins(const struct copy_run *run, const struct copy_batch *batch,
		    const struct copy_piece *piece)
{
	uint64_t end = batch_end(batch), gap = piece->image_off - end;

	if (gap == 0)
		return true;
	return gap < COPY_BLOCK_BYTES && piece->image_off % COPY_BLOCK_BYTES == 0 &&
	       !ranges_touch_any(run->copy->claims, end, gap);
}

static bool is_large(const struct copy_run *run, const struct copy_piece *piece)
{
	return piece->len > run->buffer_bytes;
}

/* Does the piece belong in one write with what the batch has? */
static bool belongs(const struct copy_run *run, const struct copy_batch *batch,
		    const struct copy_piece *piece)
{
	return batch->piece_count < COPY_BATCH_PIECES && !can_clone(run, piece) &&
	       piece->image_off + piece->len - batch->image_off <= run->buffer_bytes &&
	       adjoins(run, batch, piece);
}

/* How much of a large piece one worker gets: whole blocks to share, or up to a multiple of
 * LARGE_BYTES in the image. */
static uint64_t share_of(const struct copy_run *run, const struct copy_piece *piece)
{
	uint64_t share = LARGE_BYTES - piece->image_off % LARGE_BYTES;

	if (can_clone(run, piece))
		return piece->len & ~(uint64_t)(COPY_BLOCK_BYTES - 1);
	return share < piece->len ? share : piece->len;
}

static void take_piece(struct copy_run *run, struct copy_batch *batch,
		       const struct copy_piece *piece, uint64_t len)
{
	struct copy_piece *taken = &batch->pieces[batch->piece_count++];

	*taken = *piece;
	taken->len = len;
	batch->len = piece->image_off + len - batch->image_off;
	pass(run, batch, run->job_done + len);
}

int copy_next_batch(struct copy_run *run, struct copy_batch *batch, struct error *error)
{
	struct copy_piece piece;
	int ret;

	batch->sequence = run->sequence++;
	batch->piece_count = 0;
	batch->passed_bytes = 0;
	ret = peek_piece(run, batch, &piece, error);
	if (ret <= 0)
		return ret;
	batch->image_off = piece.image_off;
	batch->clone = can_clone(run, &piece);
	batch->large = batch->clone || is_large(run, &piece);
	if (batch->large) {
		take_piece(run, batch, &piece, share_of(run, &piece));
		return 1;
	}
	do {
		take_piece(run, batch, &piece, piece.len);
		ret = peek_piece(run, batch, &piece, error);
	} while (ret > 0 && belongs(run, batch, &piece));
	return ret < 0 ? ret : 1;
}
