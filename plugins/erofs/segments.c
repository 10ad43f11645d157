/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/segments.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/round.h"
#include "plugins/erofs/zmap.h"

struct compression {
	const struct erofs_layout *layout;
	struct erofs_segments *segments;
	struct erofs_segment *items; /* those that are compressed */
	pthread_mutex_t lock;        /* of what follows */
	struct erofs_worker *idle;
	uint64_t done_bytes, total_bytes;
};

static const struct erofs_source *source_of(const struct compression *work)
{
	return work->layout->source;
}

static const struct kataimg_node *node_of(const struct compression *work,
					  const struct erofs_segment *segment)
{
	return erofs_layout_node(work->layout, segment->node);
}

int erofs_segments_add(struct erofs_segments *segments, const struct kataimg_node *node)
{
	uint64_t count = div_up(node->size, EROFS_SEGMENT_BYTES);

	for (uint32_t i = 0; i < count; i++) {
		struct erofs_segment *segment = array_add(segments);

		if (!segment)
			return -ENOMEM;
		segment->node = node->index;
		segment->number = i;
	}
	return 0;
}

static struct erofs_worker *get_worker(struct compression *work)
{
	struct erofs_worker *worker;

	pthread_mutex_lock(&work->lock);
	worker = work->idle;
	if (worker)
		work->idle = worker->next;
	pthread_mutex_unlock(&work->lock);
	return worker ? worker : erofs_worker_new(&source_of(work)->options);
}

static void put_worker(struct compression *work, struct erofs_worker *worker, uint32_t done_bytes)
{
	const struct kataimg_host *host = source_of(work)->host;

	pthread_mutex_lock(&work->lock);
	worker->next = work->idle;
	work->idle = worker;
	work->done_bytes += done_bytes;
	host->progress(host->ctx, work->done_bytes, work->total_bytes);
	pthread_mutex_unlock(&work->lock);
}

static bool is_of_pack(const struct compression *work, const struct erofs_segment *segment)
{
	return segment->node == source_of(work)->tree->node_count;
}

/* A file of one segment is not kept when it did not shrink; of others only the sum decides. */
static bool is_worth_keeping(const struct compression *work, const struct erofs_segment *segment)
{
	uint64_t size = node_of(work, segment)->size;

	return is_of_pack(work, segment) || size > EROFS_SEGMENT_BYTES || segment->end_bytes ||
	       segment->blocks < erofs_blocks_of(size);
}

static int keep_segment(struct compression *work, const struct erofs_worker *worker,
			struct erofs_segment *segment)
{
	const struct kataimg_host *host = source_of(work)->host;
	uint64_t data_bytes = (uint64_t)worker->blocks * EROFS_BLOCK_BYTES;

	/* One more, since there may be none. */
	segment->extents = calloc(worker->extent_count + 1, sizeof(*segment->extents));
	if (!segment->extents)
		return -ENOMEM;
	segment->extent_count = worker->extent_count;
	memcpy(segment->extents, worker->extents, worker->extent_count * sizeof(*segment->extents));
	pthread_mutex_lock(&work->lock);
	segment->scratch_off = work->segments->scratch_end;
	work->segments->scratch_end += data_bytes;
	pthread_mutex_unlock(&work->lock);
	return host->scratch_write(host->ctx, work->segments->scratch, segment->scratch_off,
				   worker->out, (size_t)data_bytes);
}

static uint32_t segment_len(const struct kataimg_node *node, const struct erofs_segment *segment)
{
	uint64_t rest = node->size - (uint64_t)segment->number * EROFS_SEGMENT_BYTES;

	return rest < EROFS_SEGMENT_BYTES ? (uint32_t)rest : EROFS_SEGMENT_BYTES;
}

static int read_segment(const struct compression *work, const struct erofs_segment *segment,
			uint8_t *in, uint32_t len)
{
	const struct kataimg_host *host = source_of(work)->host;
	uint64_t off = (uint64_t)segment->number * EROFS_SEGMENT_BYTES;

	if (is_of_pack(work, segment))
		return erofs_pack_read(work->layout->pack, off, in, len);
	return host->source_read(host->ctx, node_of(work, segment), off, in, len);
}

/* What is to become of the segment's end: only the last one's can be elsewhere. The packed file's
 * goes into no packed file. */
static enum erofs_end choose_end(const struct compression *work,
				 const struct erofs_segment *segment, uint32_t len)
{
	const struct erofs_options *options = &source_of(work)->options;
	const struct kataimg_node *node = node_of(work, segment);

	if ((uint64_t)segment->number * EROFS_SEGMENT_BYTES + len < node->size)
		return EROFS_END_BLOCK;
	if (options->fragments != EROFS_FRAGMENTS_NO && !is_of_pack(work, segment))
		return EROFS_END_FRAGMENT;
	/* What several files share lies in blocks. */
	return options->tail == EROFS_TAILS_INLINE &&
			       work->layout->inodes[segment->node].copies == 1
		       ? EROFS_END_INLINE
		       : EROFS_END_BLOCK;
}

static int compress_with(struct compression *work, struct erofs_worker *worker,
			 struct erofs_segment *segment, uint32_t len)
{
	int ret = read_segment(work, segment, worker->in, len);

	if (ret < 0)
		return ret;
	erofs_worker_compress(worker, len, choose_end(work, segment, len),
			      erofs_zmap_room(&work->layout->inodes[segment->node]));
	segment->blocks = worker->blocks;
	segment->end_bytes = worker->end_bytes;
	segment->big = worker->big;
	return is_worth_keeping(work, segment) ? keep_segment(work, worker, segment) : 0;
}

static int compress_segment(void *arg, uint64_t index)
{
	struct compression *work = arg;
	struct erofs_segment *segment = &work->items[index];
	uint32_t len = segment_len(node_of(work, segment), segment);
	struct erofs_worker *worker = get_worker(work);
	int ret;

	if (!worker)
		return -ENOMEM;
	ret = compress_with(work, worker, segment, len);
	put_worker(work, worker, len);
	return ret;
}

int erofs_segments_compress(const struct erofs_layout *layout, struct erofs_segments *segments,
			    size_t first)
{
	struct compression work = { .layout = layout,
				    .segments = segments,
				    .items = segments->items + first,
				    .lock = PTHREAD_MUTEX_INITIALIZER };
	const struct kataimg_host *host = layout->source->host;
	size_t count = segments->count - first;
	int ret;

	for (size_t i = 0; i < count; i++)
		work.total_bytes += segment_len(node_of(&work, &work.items[i]), &work.items[i]);
	ret = host->parallel(host->ctx, count, compress_segment, &work);
	while (work.idle) {
		struct erofs_worker *worker = work.idle;

		work.idle = worker->next;
		erofs_worker_free(worker);
	}
	return ret;
}
