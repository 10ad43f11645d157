/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/compress.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/round.h"
#include "plugins/erofs/inode.h"
#include "plugins/erofs/lz4.h"
#include "plugins/erofs/zmap.h"

/* An extent in memory: its bytes, blocks and whether it is plain. */
#define EXTENT_BLOCKS_SHIFT 23
#define EXTENT_BYTES_MASK ((UINT32_C(1) << EXTENT_BLOCKS_SHIFT) - 1)
#define EXTENT_PLAIN (UINT32_C(1) << 31)
/* The index of more, two bytes a block, could leave the 32 bits of its size. */
#define CANDIDATE_BYTES_MAX (UINT64_C(4) << 40)
#define SEGMENT_EXTENTS_MAX (EROFS_SEGMENT_BYTES / EROFS_BLOCK_BYTES)

struct segment {
	uint64_t scratch_off; /* of its clusters */
	uint32_t *extents;    /* NULL: it is not kept */
	uint32_t extent_count;
	uint32_t blocks;
	uint32_t node;
	uint32_t number; /* in its file */
	bool big;        /* some extent has more than one block */
};

struct erofs_segments {
	struct kataimg_scratch *scratch;
	struct segment *items;
	size_t count, room;
};

/* What a thread works with. */
struct worker {
	struct worker *next;
	struct erofs_lz4 *lz4;
	uint32_t extents[SEGMENT_EXTENTS_MAX];
	uint32_t extent_count;
	uint32_t blocks;
	bool big;
	bool dense; /* the last extent did not shrink */
	uint8_t in[EROFS_SEGMENT_BYTES];
	uint8_t out[EROFS_SEGMENT_BYTES];
};

struct compression {
	const struct erofs_source *source;
	struct erofs_segments *segments;
	pthread_mutex_t lock; /* of what follows */
	struct worker *idle;
	uint64_t scratch_end;
	uint64_t done_bytes, total_bytes;
};

void erofs_segments_free(struct erofs_segments *segments)
{
	if (!segments)
		return;
	for (size_t i = 0; i < segments->count; i++)
		free(segments->items[i].extents);
	array_free(segments);
	free(segments);
}

static void free_worker(struct worker *worker)
{
	erofs_lz4_free(worker->lz4);
	free(worker);
}

static struct worker *new_worker(const struct erofs_options *options)
{
	struct worker *worker = malloc(sizeof(*worker));

	if (!worker)
		return NULL;
	worker->lz4 = erofs_lz4_new(options->compress, options->level);
	if (worker->lz4)
		return worker;
	free(worker);
	return NULL;
}

static struct worker *get_worker(struct compression *work)
{
	struct worker *worker;

	pthread_mutex_lock(&work->lock);
	worker = work->idle;
	if (worker)
		work->idle = worker->next;
	pthread_mutex_unlock(&work->lock);
	return worker ? worker : new_worker(&work->source->options);
}

static void put_worker(struct compression *work, struct worker *worker, uint32_t done_bytes)
{
	const struct kataimg_host *host = work->source->host;

	pthread_mutex_lock(&work->lock);
	worker->next = work->idle;
	work->idle = worker;
	work->done_bytes += done_bytes;
	host->progress(host->ctx, work->done_bytes, work->total_bytes);
	pthread_mutex_unlock(&work->lock);
}

static void add_extent(struct worker *worker, uint32_t bytes, uint32_t blocks, bool plain)
{
	worker->extents[worker->extent_count++] =
		bytes | blocks << EXTENT_BLOCKS_SHIFT | (plain ? EXTENT_PLAIN : 0);
	worker->blocks += blocks;
	worker->big |= blocks > 1;
}

/* Stores blocks as they are, and the end of a segment padded with zeros. */
static void add_plain(struct worker *worker, const uint8_t *src, uint32_t len)
{
	while (len) {
		uint32_t bytes = len < EROFS_BLOCK_BYTES ? len : EROFS_BLOCK_BYTES;
		uint8_t *out = worker->out + (size_t)worker->blocks * EROFS_BLOCK_BYTES;

		memcpy(out, src, bytes);
		memset(out + bytes, 0, EROFS_BLOCK_BYTES - bytes);
		add_extent(worker, bytes, 1, true);
		src += bytes;
		len -= bytes;
	}
}

/* Adds extents for the start of src. Returns the bytes that they cover. */
static uint32_t compress_extent(struct worker *worker, uint32_t cluster_blocks, const uint8_t *src,
				uint32_t len)
{
	uint8_t *out = worker->out + (size_t)worker->blocks * EROFS_BLOCK_BYTES;
	uint32_t room = EROFS_SEGMENT_BYTES - worker->blocks * EROFS_BLOCK_BYTES;
	uint32_t limit = cluster_blocks * EROFS_BLOCK_BYTES;
	uint32_t size, consumed, bytes;

	size = erofs_lz4_fill(worker->lz4, src, len, out, limit < room ? limit : room,
			      worker->dense, &consumed);
	bytes = (uint32_t)round_up(size, EROFS_BLOCK_BYTES);
	worker->dense = !size || consumed <= bytes;
	if (!worker->dense) {
		/* A cluster's data ends where its last block does. */
		memmove(out + bytes - size, out, size);
		memset(out, 0, bytes - size);
		add_extent(worker, consumed, bytes / EROFS_BLOCK_BYTES, false);
		return consumed;
	}
	/* What a cluster without gain would hold is no larger in plain blocks. */
	bytes = consumed / EROFS_BLOCK_BYTES * EROFS_BLOCK_BYTES;
	if (!bytes)
		bytes = len < EROFS_BLOCK_BYTES ? len : EROFS_BLOCK_BYTES;
	add_plain(worker, src, bytes);
	return bytes;
}

static void compress_bytes(struct worker *worker, uint32_t cluster_blocks, uint32_t len)
{
	const uint8_t *src = worker->in;

	worker->extent_count = 0;
	worker->blocks = 0;
	worker->big = false;
	worker->dense = false;
	while (len > EROFS_BLOCK_BYTES) {
		uint32_t bytes = compress_extent(worker, cluster_blocks, src, len);

		src += bytes;
		len -= bytes;
	}
	add_plain(worker, src, len);
}

/* A file of one segment is not kept when it did not shrink; of others only the sum decides. */
static bool is_worth_keeping(const struct kataimg_node *node, const struct segment *segment)
{
	return node->size > EROFS_SEGMENT_BYTES || segment->blocks < erofs_blocks_of(node->size);
}

static int keep_segment(struct compression *work, const struct worker *worker,
			struct segment *segment)
{
	const struct kataimg_host *host = work->source->host;
	uint64_t data_bytes = (uint64_t)worker->blocks * EROFS_BLOCK_BYTES;

	segment->extents = calloc(worker->extent_count, sizeof(*segment->extents));
	if (!segment->extents)
		return -ENOMEM;
	segment->extent_count = worker->extent_count;
	memcpy(segment->extents, worker->extents, worker->extent_count * sizeof(*segment->extents));
	pthread_mutex_lock(&work->lock);
	segment->scratch_off = work->scratch_end;
	work->scratch_end += data_bytes;
	pthread_mutex_unlock(&work->lock);
	return host->scratch_write(host->ctx, work->segments->scratch, segment->scratch_off,
				   worker->out, data_bytes);
}

static uint32_t segment_len(const struct kataimg_node *node, const struct segment *segment)
{
	uint64_t rest = node->size - (uint64_t)segment->number * EROFS_SEGMENT_BYTES;

	return rest < EROFS_SEGMENT_BYTES ? (uint32_t)rest : EROFS_SEGMENT_BYTES;
}

static int compress_with(struct compression *work, struct worker *worker, struct segment *segment)
{
	const struct kataimg_host *host = work->source->host;
	const struct kataimg_node *node = work->source->tree->nodes[segment->node];
	uint32_t len = segment_len(node, segment);
	int ret = host->source_read(
		host->ctx, node, (uint64_t)segment->number * EROFS_SEGMENT_BYTES, worker->in, len);

	if (ret < 0)
		return ret;
	compress_bytes(worker, work->source->options.cluster_blocks, len);
	segment->blocks = worker->blocks;
	segment->big = worker->big;
	return is_worth_keeping(node, segment) ? keep_segment(work, worker, segment) : 0;
}

static int compress_segment(void *arg, uint64_t index)
{
	struct compression *work = arg;
	struct segment *segment = &work->segments->items[index];
	struct worker *worker = get_worker(work);
	int ret;

	if (!worker)
		return -ENOMEM;
	ret = compress_with(work, worker, segment);
	put_worker(work, worker, segment_len(work->source->tree->nodes[segment->node], segment));
	return ret;
}

/* Compressing can pay above a block; a file that is mostly holes is better off with chunks. */
static bool is_candidate(const struct kataimg_node *node, const struct erofs_inode *inode)
{
	return node->type == KATAIMG_REG && inode->owner == node->index &&
	       node->size > EROFS_BLOCK_BYTES && node->size <= CANDIDATE_BYTES_MAX &&
	       (inode->layout != EROFS_CHUNK_BASED ||
		inode->blocks > erofs_blocks_of(node->size) / 2);
}

static int add_segments(struct erofs_segments *segments, const struct kataimg_node *node)
{
	uint64_t count = div_up(node->size, EROFS_SEGMENT_BYTES);

	for (uint32_t i = 0; i < count; i++) {
		struct segment *segment = array_add(segments);

		if (!segment)
			return -ENOMEM;
		segment->node = node->index;
		segment->number = i;
	}
	return 0;
}

/* What the file takes when it is not compressed. */
static uint64_t plain_bytes(const struct erofs_source *source, const struct erofs_inode *inode)
{
	uint32_t tail = inode->size % EROFS_BLOCK_BYTES;

	if (inode->layout == EROFS_CHUNK_BASED)
		return (uint64_t)inode->blocks * EROFS_BLOCK_BYTES + inode->index_bytes;
	if (source->options.data == EROFS_DATA_PACKED && inode->copies == 1 &&
	    erofs_inode_head_bytes(inode) + tail <= EROFS_BLOCK_BYTES)
		return inode->size;
	return round_up(inode->size, EROFS_BLOCK_BYTES);
}

/* Makes the inode a compressed one if its segments, from first on, are smaller. */
static void choose(const struct erofs_source *source, const struct erofs_segments *segments,
		   struct erofs_inode *inode, uint32_t first, uint32_t count)
{
	struct erofs_inode compressed = *inode;
	uint64_t blocks = 0;

	for (uint32_t i = first; i < first + count; i++) {
		blocks += segments->items[i].blocks;
		compressed.big_clusters |= segments->items[i].big;
	}
	compressed.layout = EROFS_COMPRESSED_COMPACT;
	compressed.index_bytes = erofs_zmap_bytes(&compressed);
	compressed.blocks = (uint32_t)blocks;
	compressed.detail = first;
	compressed.detail_count = count;
	if (blocks * EROFS_BLOCK_BYTES + compressed.index_bytes < plain_bytes(source, inode))
		*inode = compressed;
}

static void choose_all(const struct erofs_source *source, const struct erofs_segments *segments,
		       struct erofs_inode *inodes)
{
	for (uint32_t first = 0; first < segments->count;) {
		uint32_t end = first + 1;

		while (end < segments->count && segments->items[end].number)
			end++;
		choose(source, segments, &inodes[segments->items[first].node], first, end - first);
		first = end;
	}
}

static int compress_all(const struct erofs_source *source, struct erofs_segments *segments)
{
	struct compression work = { .source = source,
				    .segments = segments,
				    .lock = PTHREAD_MUTEX_INITIALIZER };
	const struct kataimg_host *host = source->host;
	int ret = host->scratch_create(host->ctx, &segments->scratch);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < segments->count; i++)
		work.total_bytes += segment_len(source->tree->nodes[segments->items[i].node],
						&segments->items[i]);
	ret = host->parallel(host->ctx, segments->count, compress_segment, &work);
	while (work.idle) {
		struct worker *worker = work.idle;

		work.idle = worker->next;
		free_worker(worker);
	}
	return ret;
}

int erofs_compress_plan(const struct erofs_source *source, struct erofs_inode *inodes,
			struct erofs_segments **made)
{
	struct erofs_segments *segments = calloc(1, sizeof(*segments));
	const struct kataimg_tree *tree = source->tree;
	int ret = 0;

	*made = segments;
	if (!segments)
		return -ENOMEM;
	for (uint64_t i = 0; ret == 0 && i < tree->node_count; i++)
		if (is_candidate(tree->nodes[i], &inodes[i]))
			ret = add_segments(segments, tree->nodes[i]);
	if (ret < 0 || segments->count == 0)
		return ret;
	ret = compress_all(source, segments);
	if (ret < 0)
		return ret;
	choose_all(source, segments, inodes);
	return 0;
}

void erofs_compress_report(const struct erofs_source *source, const struct erofs_inode *inodes)
{
	const struct kataimg_host *host = source->host;
	uint64_t files = 0, bytes = 0, blocks = 0;
	char text[32];

	for (uint64_t i = 0; i < source->tree->node_count; i++) {
		if (inodes[i].layout != EROFS_COMPRESSED_COMPACT || inodes[i].owner != i)
			continue;
		files++;
		bytes += inodes[i].size;
		blocks += inodes[i].blocks;
	}
	snprintf(text, sizeof(text), "%" PRIu64, files);
	host->fact(host->ctx, "compressed_files", text);
	snprintf(text, sizeof(text), "%" PRIu64, bytes);
	host->fact(host->ctx, "compressed_from_bytes", text);
	snprintf(text, sizeof(text), "%" PRIu64, blocks * EROFS_BLOCK_BYTES);
	host->fact(host->ctx, "compressed_to_bytes", text);
}

int erofs_compress_place(const struct kataimg_host *host, const struct erofs_segments *segments,
			 const struct erofs_inode *owner)
{
	uint64_t off = (uint64_t)owner->start_block * EROFS_BLOCK_BYTES;
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < owner->detail_count; i++) {
		const struct segment *segment = &segments->items[owner->detail + i];
		uint64_t len = (uint64_t)segment->blocks * EROFS_BLOCK_BYTES;

		ret = host->place_scratch(host->ctx, off, segments->scratch, segment->scratch_off,
					  len);
		off += len;
	}
	return ret;
}

bool erofs_extent_next(const struct erofs_segments *segments, const struct erofs_inode *owner,
		       struct erofs_extent_cursor *cursor, struct erofs_extent *extent)
{
	const struct segment *segment;
	uint32_t packed;

	if (cursor->segment == owner->detail_count)
		return false;
	segment = &segments->items[owner->detail + cursor->segment];
	packed = segment->extents[cursor->extent++];
	*extent = (struct erofs_extent){
		.bytes = packed & EXTENT_BYTES_MASK,
		.blocks = (packed & ~EXTENT_PLAIN) >> EXTENT_BLOCKS_SHIFT,
		.plain = packed & EXTENT_PLAIN,
	};
	if (cursor->extent == segment->extent_count) {
		cursor->segment++;
		cursor->extent = 0;
	}
	return true;
}
