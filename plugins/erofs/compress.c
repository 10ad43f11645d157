/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/compress.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	struct segment *segments;
	size_t count, capacity;
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
	struct erofs *fs;
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
		free(segments->segments[i].extents);
	free(segments->segments);
	free(segments);
}

static void free_worker(struct worker *worker)
{
	erofs_lz4_free(worker->lz4);
	free(worker);
}

static struct worker *new_worker(const struct erofs *fs)
{
	struct worker *worker = malloc(sizeof(*worker));

	if (worker) {
		worker->lz4 = erofs_lz4_new(fs->options.compress, fs->options.level);
		if (worker->lz4)
			return worker;
	}
	free(worker);
	erofs_error(fs, "out of memory");
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
	return worker ? worker : new_worker(work->fs);
}

static void put_worker(struct compression *work, struct worker *worker, uint32_t done_bytes)
{
	pthread_mutex_lock(&work->lock);
	worker->next = work->idle;
	work->idle = worker;
	work->done_bytes += done_bytes;
	work->fs->host->progress(work->fs->host->ctx, work->done_bytes, work->total_bytes);
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
	const struct erofs *fs = work->fs;
	uint64_t data_bytes = (uint64_t)worker->blocks * EROFS_BLOCK_BYTES;

	segment->extents = erofs_alloc(fs, worker->extent_count, sizeof(*segment->extents));
	if (!segment->extents)
		return -ENOMEM;
	segment->extent_count = worker->extent_count;
	memcpy(segment->extents, worker->extents, worker->extent_count * sizeof(*segment->extents));
	pthread_mutex_lock(&work->lock);
	segment->scratch_off = work->scratch_end;
	work->scratch_end += data_bytes;
	pthread_mutex_unlock(&work->lock);
	return fs->host->scratch_write(fs->host->ctx, fs->segments->scratch, segment->scratch_off,
				       worker->out, data_bytes);
}

static uint32_t segment_len(const struct kataimg_node *node, const struct segment *segment)
{
	uint64_t rest = node->size - (uint64_t)segment->number * EROFS_SEGMENT_BYTES;

	return rest < EROFS_SEGMENT_BYTES ? (uint32_t)rest : EROFS_SEGMENT_BYTES;
}

static int compress_segment(void *arg, uint64_t index)
{
	struct compression *work = arg;
	const struct kataimg_host *host = work->fs->host;
	struct segment *segment = &work->fs->segments->segments[index];
	const struct kataimg_node *node = work->fs->tree->nodes[segment->node];
	uint32_t len = segment_len(node, segment);
	struct worker *worker = get_worker(work);
	int err;

	if (!worker)
		return -ENOMEM;
	err = host->source_read(host->ctx, node, (uint64_t)segment->number * EROFS_SEGMENT_BYTES,
				worker->in, len);
	if (!err) {
		compress_bytes(worker, work->fs->options.cluster_blocks, len);
		segment->blocks = worker->blocks;
		segment->big = worker->big;
		if (is_worth_keeping(node, segment))
			err = keep_segment(work, worker, segment);
	}
	put_worker(work, worker, len);
	return err;
}

/* Compressing can pay above a block; a file that is mostly holes is better off with chunks. */
static bool is_candidate(const struct erofs *fs, const struct kataimg_node *node)
{
	const struct erofs_inode *inode = &fs->inodes[node->index];

	return node->type == KATAIMG_REG && inode->owner == node->index &&
	       node->size > EROFS_BLOCK_BYTES && node->size <= CANDIDATE_BYTES_MAX &&
	       (inode->layout != EROFS_CHUNK_BASED ||
		inode->blocks > erofs_blocks_of(node->size) / 2);
}

static int add_segments(struct erofs *fs, const struct kataimg_node *node)
{
	struct erofs_segments *all = fs->segments;
	uint64_t count = div_up(node->size, EROFS_SEGMENT_BYTES);

	for (uint32_t i = 0; i < count; i++) {
		int err = erofs_grow(fs, &all->segments, &all->capacity, all->count,
				     sizeof(*all->segments));

		if (err)
			return err;
		all->segments[all->count++] = (struct segment){ .node = node->index, .number = i };
	}
	return 0;
}

/* What the file takes when it is not compressed. */
static uint64_t plain_bytes(const struct erofs *fs, const struct erofs_inode *inode)
{
	uint32_t tail = inode->size % EROFS_BLOCK_BYTES;

	if (inode->layout == EROFS_CHUNK_BASED)
		return (uint64_t)inode->blocks * EROFS_BLOCK_BYTES + inode->index_bytes;
	if (fs->options.data == EROFS_DATA_PACKED && inode->copies == 1 &&
	    erofs_inode_head_bytes(inode) + tail <= EROFS_BLOCK_BYTES)
		return inode->size;
	return round_up(inode->size, EROFS_BLOCK_BYTES);
}

/* Makes the inode a compressed one if its segments, from first on, are smaller. */
static void choose(struct erofs *fs, struct erofs_inode *inode, uint32_t first, uint32_t count)
{
	struct erofs_inode compressed = *inode;
	uint64_t blocks = 0;

	for (uint32_t i = first; i < first + count; i++) {
		blocks += fs->segments->segments[i].blocks;
		compressed.big_clusters |= fs->segments->segments[i].big;
	}
	compressed.layout = EROFS_COMPRESSED_COMPACT;
	compressed.index_bytes = erofs_zmap_bytes(&compressed);
	compressed.blocks = (uint32_t)blocks;
	compressed.detail = first;
	compressed.detail_count = count;
	if (blocks * EROFS_BLOCK_BYTES + compressed.index_bytes < plain_bytes(fs, inode))
		*inode = compressed;
}

static void choose_all(struct erofs *fs)
{
	const struct erofs_segments *all = fs->segments;

	for (uint32_t first = 0; first < all->count;) {
		uint32_t end = first + 1;

		while (end < all->count && all->segments[end].number)
			end++;
		choose(fs, &fs->inodes[all->segments[first].node], first, end - first);
		first = end;
	}
}

static void report(const struct erofs *fs)
{
	const struct kataimg_host *host = fs->host;
	uint64_t files = 0, bytes = 0, blocks = 0;
	char text[32];

	for (uint64_t i = 0; i < fs->tree->node_count; i++) {
		if (fs->inodes[i].layout != EROFS_COMPRESSED_COMPACT)
			continue;
		files++;
		bytes += fs->inodes[i].size;
		blocks += fs->inodes[i].blocks;
	}
	snprintf(text, sizeof(text), "%" PRIu64, files);
	host->fact(host->ctx, "compressed_files", text);
	snprintf(text, sizeof(text), "%" PRIu64, bytes);
	host->fact(host->ctx, "compressed_from_bytes", text);
	snprintf(text, sizeof(text), "%" PRIu64, blocks * EROFS_BLOCK_BYTES);
	host->fact(host->ctx, "compressed_to_bytes", text);
}

static int compress_all(struct erofs *fs)
{
	const struct kataimg_host *host = fs->host;
	struct compression work = { .fs = fs, .lock = PTHREAD_MUTEX_INITIALIZER };
	int err = host->scratch_create(host->ctx, &fs->segments->scratch);

	for (size_t i = 0; i < fs->segments->count; i++) {
		const struct segment *segment = &fs->segments->segments[i];

		work.total_bytes += segment_len(fs->tree->nodes[segment->node], segment);
	}
	if (!err)
		err = host->parallel(host->ctx, fs->segments->count, compress_segment, &work);
	while (work.idle) {
		struct worker *worker = work.idle;

		work.idle = worker->next;
		free_worker(worker);
	}
	return err;
}

int erofs_compress_plan(struct erofs *fs)
{
	int err = 0;

	if (fs->options.compress == EROFS_COMPRESS_NONE)
		return 0;
	fs->segments = erofs_alloc(fs, 1, sizeof(*fs->segments));
	if (!fs->segments)
		return -ENOMEM;
	for (uint64_t i = 0; i < fs->tree->node_count && !err; i++)
		if (is_candidate(fs, fs->tree->nodes[i]))
			err = add_segments(fs, fs->tree->nodes[i]);
	if (!err && fs->segments->count)
		err = compress_all(fs);
	if (err)
		return err;
	choose_all(fs);
	report(fs);
	return 0;
}

int erofs_compress_place(const struct erofs *fs, const struct erofs_inode *inode)
{
	const struct kataimg_host *host = fs->host;
	uint64_t off = (uint64_t)inode->start_block * EROFS_BLOCK_BYTES;
	int err = 0;

	for (uint32_t i = 0; i < inode->detail_count && !err; i++) {
		const struct segment *segment = &fs->segments->segments[inode->detail + i];
		uint64_t len = (uint64_t)segment->blocks * EROFS_BLOCK_BYTES;

		err = host->place_scratch(host->ctx, off, fs->segments->scratch,
					  segment->scratch_off, len);
		off += len;
	}
	return err;
}

bool erofs_extent_next(const struct erofs *fs, const struct erofs_inode *inode,
		       struct erofs_extent_cursor *cursor, struct erofs_extent *extent)
{
	const struct erofs_inode *owner = erofs_owner(fs, inode);
	const struct segment *segment;
	uint32_t packed;

	if (cursor->segment == owner->detail_count)
		return false;
	segment = &fs->segments->segments[owner->detail + cursor->segment];
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
