/* SPDX-License-Identifier: Apache-2.0 */
/* What an image has, against what was meant to be there. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "core/base/cancel.h"
#include "core/base/io.h"
#include "core/copy/private.h"
#include "lib/bytes.h"

#define ZEROS_BYTES 65536u
#define SHORT_BYTES 8192u

static int compare_job(const struct copy_job *a, const struct copy_job *b)
{
	bool same_source = a->fd < 0 ? b->fd < 0 && a->node == b->node : b->fd >= 0;

	return a->image_off == b->image_off && a->file_off == b->file_off && a->len == b->len &&
	       same_source;
}

/* The first job at or behind a place of the image; behind the last one: there is none. */
static size_t find_job(const struct copy *copy, uint64_t image_off)
{
	size_t low = 0, high = copy->jobs.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (copy->jobs.items[middle].image_off < image_off)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* No two jobs of a run have a byte in common: each of the first one is met once at most. */
void copy_check_job(struct copy *again, const struct copy_job *job)
{
	size_t number = find_job(again->first, job->image_off);
	bool found = number < again->first->jobs.count;
	const struct copy_job first = found ? copy_job_at(again->first, number) : *job;

	if (found && compare_job(&first, job))
		again->same++;
	else if (job->image_off < again->strange_off)
		again->strange_off = job->image_off;
}

/* The lowest place of a job that did not come again, nor anything else instead of it. */
static uint64_t first_missing(const struct copy *again)
{
	const struct copy *first = again->first;

	for (size_t i = 0; i < first->jobs.count; i++) {
		const struct copy_job job = copy_job_at(first, i);

		if (!ranges_touch_placed(again->claims, job.image_off, job.len))
			return job.image_off;
	}
	return UINT64_MAX;
}

int copy_check_same(const struct copy *again, struct error *error)
{
	uint64_t off = again->strange_off, missing;

	if (again->same == again->first->jobs.count && off == UINT64_MAX)
		return 0;
	missing = first_missing(again);
	return error_set(error, EUCLEAN,
			 "written again, file data would lie elsewhere (at byte "
			 "%" PRIu64 " of the image)",
			 missing < off ? missing : off);
}

/* The first data of the file at or behind from, at most `to`; a file without a map is all data. */
static uint64_t next_data(int fd, uint64_t from, uint64_t to)
{
	off_t data = lseek(fd, (off_t)from, SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? to : from;
	return (uint64_t)data < to ? (uint64_t)data : to;
}

static size_t first_nonzero(const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	while (at < len && bytes[at] == 0)
		at++;
	return at;
}

/* Are [from, to) zeros? what: whose they are, for the message. */
static int check_zeros(int fd, uint64_t from, uint64_t to, const char *what, struct error *error)
{
	uint8_t buf[ZEROS_BYTES];

	/* To ask for a hole costs more than to read what is short: the rest of a last block. */
	while (from < to && (to - from <= SHORT_BYTES || (from = next_data(fd, from, to)) < to)) {
		size_t len = to - from < sizeof(buf) ? (size_t)(to - from) : sizeof(buf);
		int ret = cancel_requested() ? -ECANCELED : io_pread(fd, buf, len, from);

		if (ret == -ECANCELED)
			return error_set(error, ECANCELED, "interrupted");
		if (ret < 0)
			return error_errno(error, -ret, "cannot read the image");
		if (!bytes_are_zero(buf, len))
			return error_set(error, EUCLEAN,
					 "byte %" PRIu64 " of the image, %s, is not zero",
					 from + first_nonzero(buf, len), what);
		from += len;
	}
	return 0;
}

int copy_check_unclaimed(struct copy *copy, int image_fd, uint64_t from, uint64_t to,
			 struct error *error)
{
	struct copy_claim claim;

	while (from < to && copy_next_claim(copy, from, &claim)) {
		uint64_t end = claim.image_off < to ? claim.image_off : to;
		int ret = from < end ? check_zeros(image_fd, from, end, "which belongs to nothing",
						   error)
				     : 0;

		if (ret < 0)
			return ret;
		from = claim.end;
	}
	return from < to ? check_zeros(image_fd, from, to, "which belongs to nothing", error) : 0;
}

static int check_holes_of(struct copy_run *run, const struct copy_job *job, struct error *error)
{
	uint64_t at = job->file_off, end = job->file_off + job->len;
	struct tree_extent extent;

	while (at < end) {
		int ret = copy_next_extent(run, job, at, &extent, error);
		uint64_t data = ret > 0 ? extent.file_off : end;
		uint64_t image_off = job->image_off + (at - job->file_off);

		if (ret >= 0)
			ret = check_zeros(run->image_fd, image_off, image_off + (data - at),
					  "a hole of a file", error);
		if (ret < 0)
			return ret;
		at = data == end ? end : extent.file_off + extent.len;
	}
	return 0;
}

int copy_check_holes(struct copy_run *run, struct error *error)
{
	for (size_t i = 0; i < run->copy->jobs.count; i++) {
		const struct copy_job job = copy_job_at(run->copy, i);
		int ret = check_holes_of(run, &job, error);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static const struct copy_piece *piece_at(const struct copy_batch *batch, uint64_t image_off)
{
	for (uint32_t i = 0; i < batch->piece_count; i++)
		if (image_off >= batch->pieces[i].image_off &&
		    image_off - batch->pieces[i].image_off < batch->pieces[i].len)
			return &batch->pieces[i];
	return NULL;
}

static int differ(const struct copy_run *run, const struct copy_batch *batch, uint64_t image_off,
		  struct error *error)
{
	const struct copy_piece *piece = piece_at(batch, image_off);
	const struct kataimg_node *node = piece ? piece->node : NULL;
	char path[4096];

	if (run->options->differs) {
		run->options->differs(run->options->differs_arg, image_off, node);
		return 0;
	}
	return error_set(error, EUCLEAN, "byte %" PRIu64 " of the image is not what %s has there",
			 image_off,
			 node ? tree_path(node, path, sizeof(path)) : "the backend's scratch file");
}

int copy_compare_bytes(const struct copy_run *run, const struct copy_batch *batch,
		       uint64_t image_off, const void *meant, const void *found, size_t len,
		       struct error *error)
{
	const uint8_t *a = meant, *b = found;
	size_t at = 0;

	if (memcmp(meant, found, len) == 0)
		return 0;
	while (a[at] == b[at])
		at++;
	return differ(run, batch, image_off + at, error);
}
