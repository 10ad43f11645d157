/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/segments.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/cleanup.h"
#include "lib/round.h"
#include "plugins/erofs/zmap.h"

#define SEGMENT_BYTES_MIN (UINT64_C(16) << 20)
#define SEGMENT_BYTES_MAX (UINT64_C(64) << 20)
#define SEGMENT_PART 16u
/* So little is better off with the segment before it. */
#define REST_BYTES_MAX (UINT64_C(4) << 20)

/* Segments that differ by less are compressed in the order of the tree, as files lie on a disk. */
#define ORDER_BYTES (UINT32_C(1) << 20)

struct compression {
	const struct erofs_layout *layout;
	struct erofs_segments *segments;
	struct erofs_segment **order; /* those that are compressed, the longest first */
	unsigned int workers_max;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t idled;
	struct erofs_worker *idle;
	unsigned int workers;
	uint64_t done_bytes, total_bytes;
};

/* What becomes of one segment. */
struct task {
	struct compression *work;
	struct erofs_segment *segment;
	ARRAY(struct erofs_run) runs;
};

static const struct erofs_source *source_of(const struct compression *work)
{
	return work->layout->source;
}

static const struct kataimg_node *node_of(const struct task *task)
{
	return erofs_layout_node(task->work->layout, task->segment->node);
}

/* ---- Their lengths, and their order ---- */

/* Of the next segment of a file that has so many bytes left. */
static uint32_t segment_len(uint64_t left)
{
	uint64_t len = round_up(left / SEGMENT_PART, REST_BYTES_MAX);

	if (len < SEGMENT_BYTES_MIN)
		len = SEGMENT_BYTES_MIN;
	if (len > SEGMENT_BYTES_MAX)
		len = SEGMENT_BYTES_MAX;
	return (uint32_t)(left <= len + REST_BYTES_MAX ? left : len);
}

int erofs_segments_add(struct erofs_segments *segments, const struct kataimg_node *node)
{
	for (uint64_t off = 0; off < node->size;) {
		struct erofs_segment *segment = array_add(segments);

		if (!segment)
			return -ENOMEM;
		segment->node = node->index;
		segment->off = off;
		segment->len = segment_len(node->size - off);
		off += segment->len;
	}
	return 0;
}

static int compare_segments(const void *a, const void *b)
{
	const struct erofs_segment *x = *(struct erofs_segment *const *)a;
	const struct erofs_segment *y = *(struct erofs_segment *const *)b;
	uint32_t x_len = x->len / ORDER_BYTES, y_len = y->len / ORDER_BYTES;

	return x_len == y_len ? (x > y) - (x < y) : (x_len < y_len) - (x_len > y_len);
}

/* A long one that was begun last would be waited for. */
static int order_segments(struct compression *work, size_t first)
{
	size_t count = work->segments->count - first;

	work->order = calloc(count + 1, sizeof(struct erofs_segment *));
	if (!work->order)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		work->order[i] = &work->segments->items[first + i];
		work->total_bytes += work->order[i]->len;
	}
	qsort(work->order, count, sizeof(struct erofs_segment *), compare_segments);
	return 0;
}

/* ---- Workers ---- */

/*
 * There are more threads than processors where those are few, for what waits for a disk. libzstd
 * keeps its own busy, and takes 10 MiB and more for each.
 */
static unsigned int most_workers(const struct erofs_options *options)
{
	cpu_set_t set;

	if (options->compress != EROFS_COMPRESS_ZSTD || sched_getaffinity(0, sizeof(set), &set) < 0)
		return UINT_MAX;
	return (unsigned int)CPU_COUNT(&set);
}

/* One that is idle, NULL when another may be made; waits while neither is so. */
static struct erofs_worker *await_worker(struct compression *work)
{
	struct erofs_worker *worker;

	pthread_mutex_lock(&work->lock);
	while (!work->idle && work->workers >= work->workers_max)
		pthread_cond_wait(&work->idled, &work->lock);
	worker = work->idle;
	if (worker)
		work->idle = worker->next;
	else
		work->workers++;
	pthread_mutex_unlock(&work->lock);
	return worker;
}

static struct erofs_worker *get_worker(struct compression *work)
{
	struct erofs_worker *worker = await_worker(work);

	if (worker)
		return worker;
	worker = erofs_worker_new(&source_of(work)->options);
	if (worker)
		return worker;
	pthread_mutex_lock(&work->lock);
	work->workers--;
	pthread_cond_signal(&work->idled);
	pthread_mutex_unlock(&work->lock);
	return NULL;
}

static void put_worker(struct compression *work, struct erofs_worker *worker)
{
	pthread_mutex_lock(&work->lock);
	worker->next = work->idle;
	work->idle = worker;
	pthread_cond_signal(&work->idled);
	pthread_mutex_unlock(&work->lock);
}

static void free_workers(struct compression *work)
{
	while (work->idle) {
		struct erofs_worker *worker = work->idle;

		work->idle = worker->next;
		erofs_worker_free(worker);
	}
}

/* ---- One segment ---- */

static bool is_of_pack(const struct task *task)
{
	return task->segment->node == source_of(task->work)->tree->node_count;
}

static void add_progress(struct compression *work, uint32_t bytes)
{
	const struct kataimg_host *host = source_of(work)->host;

	pthread_mutex_lock(&work->lock);
	work->done_bytes += bytes;
	host->progress(host->ctx, work->done_bytes, work->total_bytes);
	pthread_mutex_unlock(&work->lock);
}

static int read_part(void *arg, uint64_t off, uint8_t *buf, uint32_t len)
{
	const struct task *task = arg;
	const struct kataimg_host *host = source_of(task->work)->host;

	add_progress(task->work, len);
	off += task->segment->off;
	if (is_of_pack(task))
		return erofs_pack_read(task->work->layout->pack, off, buf, len);
	return host->source_read(host->ctx, node_of(task), off, buf, len);
}

static int add_run(struct task *task, uint64_t scratch_off, uint32_t blocks)
{
	struct erofs_run *run = task->runs.count ? &task->runs.items[task->runs.count - 1] : NULL;

	if (!run || run->scratch_off + (uint64_t)run->blocks * EROFS_BLOCK_BYTES != scratch_off) {
		run = array_add(&task->runs);
		if (!run)
			return -ENOMEM;
		run->scratch_off = scratch_off;
	}
	run->blocks += blocks;
	return 0;
}

static int store_blocks(void *arg, const uint8_t *blocks, uint32_t count)
{
	struct task *task = arg;
	struct erofs_segments *segments = task->work->segments;
	const struct kataimg_host *host = source_of(task->work)->host;
	size_t bytes = (size_t)count * EROFS_BLOCK_BYTES;
	uint64_t off;
	int ret;

	pthread_mutex_lock(&task->work->lock);
	off = segments->scratch_end;
	segments->scratch_end += bytes;
	pthread_mutex_unlock(&task->work->lock);
	ret = add_run(task, off, count);
	return ret < 0 ? ret
		       : host->scratch_write(host->ctx, segments->scratch, off, blocks, bytes);
}

/* What is to become of the segment's end: only the last one's can be elsewhere. The packed file's
 * goes into no packed file. */
static enum erofs_end choose_end(const struct task *task)
{
	const struct erofs_options *options = &source_of(task->work)->options;
	const struct erofs_segment *segment = task->segment;

	if (segment->off + segment->len < node_of(task)->size)
		return EROFS_END_BLOCK;
	if (options->fragments != EROFS_FRAGMENTS_NO && !is_of_pack(task))
		return EROFS_END_FRAGMENT;
	/* What several files share lies in blocks. */
	return options->tail == EROFS_TAILS_INLINE &&
			       task->work->layout->inodes[segment->node].copies == 1
		       ? EROFS_END_INLINE
		       : EROFS_END_BLOCK;
}

/* A file of one segment is not kept when it did not shrink; of others only the sum decides. */
static bool is_worth_keeping(const struct task *task)
{
	const struct erofs_segment *segment = task->segment;

	return is_of_pack(task) || segment->len < node_of(task)->size || segment->end_bytes ||
	       segment->blocks < erofs_blocks_of(segment->len);
}

static int keep_segment(struct task *task, struct erofs_worker *worker)
{
	struct erofs_segment *segment = task->segment;
	int ret = erofs_worker_flush(worker);

	if (ret < 0)
		return ret;
	/* One more, since there may be none. */
	segment->extents = calloc(worker->extents.count + 1, sizeof(*segment->extents));
	if (!segment->extents)
		return -ENOMEM;
	segment->extent_count = (uint32_t)worker->extents.count;
	memcpy(segment->extents, worker->extents.items,
	       worker->extents.count * sizeof(*segment->extents));
	array_trim(&task->runs);
	segment->runs = steal_ptr(&task->runs.items);
	segment->run_count = (uint32_t)task->runs.count;
	return 0;
}

static int compress_with(struct task *task, struct erofs_worker *worker)
{
	struct erofs_segment *segment = task->segment;
	const struct erofs_inode *inode = &task->work->layout->inodes[segment->node];
	const struct erofs_work work = { .len = segment->len,
					 .end = choose_end(task),
					 .inline_max = erofs_zmap_room(inode),
					 .read = read_part,
					 .store = store_blocks,
					 .arg = task };
	int ret = erofs_worker_compress(worker, &work);

	if (ret < 0)
		return ret;
	segment->blocks = worker->blocks;
	segment->end_bytes = worker->end_bytes;
	segment->big = worker->big;
	return is_worth_keeping(task) ? keep_segment(task, worker) : 0;
}

static int compress_segment(void *arg, uint64_t index)
{
	struct compression *work = arg;
	struct task task = { .work = work, .segment = work->order[index] };
	struct erofs_worker *worker = get_worker(work);
	int ret;

	if (!worker)
		return -ENOMEM;
	ret = compress_with(&task, worker);
	put_worker(work, worker);
	array_free(&task.runs);
	return ret;
}

int erofs_segments_compress(const struct erofs_layout *layout, struct erofs_segments *segments,
			    size_t first)
{
	struct compression work = { .layout = layout,
				    .segments = segments,
				    .workers_max = most_workers(&layout->source->options),
				    .lock = PTHREAD_MUTEX_INITIALIZER,
				    .idled = PTHREAD_COND_INITIALIZER };
	const struct kataimg_host *host = layout->source->host;
	int ret = order_segments(&work, first);

	if (ret < 0)
		return ret;
	ret = host->parallel(host->ctx, segments->count - first, compress_segment, &work);
	free_workers(&work);
	free(work.order);
	return ret;
}
