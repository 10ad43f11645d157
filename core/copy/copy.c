/* SPDX-License-Identifier: Apache-2.0 */
#include "core/copy/copy.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/base/pool.h"
#include "core/copy/private.h"

/* Larger writes gain nothing; with many threads, smaller ones keep the buffers in bounds. */
#define BUFFER_BYTES_MAX ((size_t)1 << 20)
#define BUFFER_BYTES_MIN ((size_t)128 << 10)
#define BUFFERS_BYTES ((size_t)3 << 20)

static int compare_jobs(const void *a, const void *b)
{
	const struct copy_kept_job *x = a, *y = b;

	return (x->image_off > y->image_off) - (x->image_off < y->image_off);
}

/* By their place in the image. */
static void sort_jobs(struct copy *copy)
{
	if (!copy->sorted)
		qsort(copy->jobs.items, copy->jobs.count, sizeof(*copy->jobs.items), compare_jobs);
	copy->sorted = true;
}

struct copy *copy_new(const struct tree *tree)
{
	struct copy *copy autocall(cleanup_copy_free) = calloc(1, sizeof(*copy));

	if (!copy)
		return NULL;
	copy->tree = tree;
	copy->sorted = true;
	copy->strange_off = UINT64_MAX;
	copy->claims = ranges_new();
	pthread_mutex_init(&copy->lock, NULL);
	return copy->claims ? steal_ptr(&copy) : NULL;
}

struct copy *copy_new_again(struct copy *first)
{
	struct copy *again = copy_new(first->tree);

	sort_jobs(first);
	if (again)
		again->first = first;
	return again;
}

void copy_drop_claims(struct copy *copy)
{
	ranges_free(steal_ptr(&copy->claims));
}

void copy_free(struct copy *copy)
{
	if (!copy)
		return;
	array_free(&copy->jobs);
	array_free(&copy->parts);
	ranges_free(copy->claims);
	pthread_mutex_destroy(&copy->lock);
	free(copy);
}

static uint64_t size_of_node(const struct copy *copy, uint32_t node)
{
	return tree_public(copy->tree)->nodes[node]->size;
}

struct copy_job copy_job_at(const struct copy *copy, size_t number)
{
	const struct copy_kept_job *job = &copy->jobs.items[number];
	const struct copy_part whole = { 0, size_of_node(copy, job->node), -1 };
	const struct copy_part *part =
		job->part == COPY_WHOLE ? &whole : &copy->parts.items[job->part];

	return (struct copy_job){ job->image_off, part->file_off, part->len, job->node, part->fd };
}

static int reserve_job(struct copy *copy)
{
	if (copy->first)
		return 0;
	if (copy->parts.count == COPY_WHOLE || array_reserve(&copy->jobs, 1) < 0)
		return -ENOMEM;
	return array_reserve(&copy->parts, 1);
}

/* There is room. */
static void keep_job(struct copy *copy, const struct copy_job *job)
{
	bool whole = job->fd < 0 && job->file_off == 0 && job->len == size_of_node(copy, job->node);
	uint32_t part = whole ? COPY_WHOLE : (uint32_t)copy->parts.count;

	if (!whole)
		copy->parts.items[copy->parts.count++] =
			(struct copy_part){ job->file_off, job->len, job->fd };
	if (copy->jobs.count > 0 &&
	    job->image_off < copy->jobs.items[copy->jobs.count - 1].image_off)
		copy->sorted = false;
	copy->total_bytes += job->len;
	copy->jobs.items[copy->jobs.count++] =
		(struct copy_kept_job){ job->image_off, job->node, part };
}

static int add_job_locked(struct copy *copy, const struct copy_job *job)
{
	int ret = reserve_job(copy);

	if (ret == 0)
		ret = ranges_add(copy->claims, job->image_off, job->len, RANGE_PLACED);
	if (ret < 0)
		return ret;
	if (copy->first)
		copy_check_job(copy, job);
	else
		keep_job(copy, job);
	return 0;
}

static int add_job(struct copy *copy, const struct copy_job *job)
{
	int ret;

	if (job->len == 0)
		return 0;
	pthread_mutex_lock(&copy->lock);
	ret = add_job_locked(copy, job);
	pthread_mutex_unlock(&copy->lock);
	return ret;
}

int copy_add_node(struct copy *copy, uint64_t image_off, const struct kataimg_node *node,
		  uint64_t file_off, uint64_t len)
{
	return add_job(copy, &(struct copy_job){ image_off, file_off, len, node->index, -1 });
}

int copy_add_fd(struct copy *copy, uint64_t image_off, int fd, uint64_t fd_off, uint64_t len)
{
	return add_job(copy, &(struct copy_job){ image_off, fd_off, len, 0, fd });
}

int copy_add_written(struct copy *copy, uint64_t image_off, uint64_t len)
{
	int ret;

	pthread_mutex_lock(&copy->lock);
	ret = ranges_add(copy->claims, image_off, len, RANGE_WRITTEN);
	pthread_mutex_unlock(&copy->lock);
	return ret;
}

bool copy_touches_data(struct copy *copy, uint64_t image_off, uint64_t len)
{
	bool touches;

	pthread_mutex_lock(&copy->lock);
	touches = ranges_touch_placed(copy->claims, image_off, len);
	pthread_mutex_unlock(&copy->lock);
	return touches;
}

bool copy_next_claim(struct copy *copy, uint64_t image_off, struct copy_claim *claim)
{
	struct ranges_item item;
	bool found;

	pthread_mutex_lock(&copy->lock);
	found = ranges_next(copy->claims, image_off, &item);
	pthread_mutex_unlock(&copy->lock);
	if (found)
		*claim = (struct copy_claim){ item.start, item.end, item.kind == RANGE_PLACED };
	return found;
}

static size_t buffer_bytes(unsigned int threads)
{
	size_t share = BUFFERS_BYTES / threads & ~(size_t)(COPY_BLOCK_BYTES - 1);

	if (share > BUFFER_BYTES_MAX)
		return BUFFER_BYTES_MAX;
	return share < BUFFER_BYTES_MIN ? BUFFER_BYTES_MIN : share;
}

static int take_error(struct copy_run *run, int ret, struct error *error)
{
	if (run->failed_sequence != UINT64_MAX) {
		*error = run->error;
		return -error->code;
	}
	if (ret == -ECANCELED)
		return error_set(error, ECANCELED, "interrupted");
	return ret < 0 ? error_nomem(error) : 0;
}

int copy_run(struct copy *copy, int image_fd, const struct copy_options *options,
	     struct copy_stats *stats, struct error *error)
{
	struct copy_run run = {
		.copy = copy,
		.options = options,
		.image_fd = image_fd,
		.buffer_bytes = buffer_bytes(options->threads),
		.reflink = options->reflink,
		.failed_sequence = UINT64_MAX,
	};
	int ret;

	sort_jobs(copy);
	pthread_mutex_init(&run.lock, NULL);
	run.stats.jobs = copy->jobs.count;
	ret = pool_run(options->threads, options->threads, copy_work, &run);
	pthread_mutex_destroy(&run.lock);
	*stats = run.stats;
	ret = take_error(&run, ret, error);
	return ret == 0 && options->compare ? copy_check_holes(&run, error) : ret;
}
