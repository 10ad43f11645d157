/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure/measure.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/cancel.h"
#include "core/base/io.h"
#include "core/base/pool.h"
#include "lib/calloc64.h"
#include "lib/cleanup.h"
#include "lib/round.h"

/* A job hashes so much of what is below, in pieces of what one hash block has digests of: of 512
 * KiB at most, and at least 4 KiB. */
#define JOB_BYTES (8u << 20)
#define PIECE_MAX_BYTES ((size_t)VERITY_BLOCK_MAX_BYTES / DIGEST_BYTES * VERITY_BLOCK_MAX_BYTES)

/* The progress of all levels together. */
struct meter {
	pthread_mutex_t lock;
	uint64_t done_bytes, total_bytes;
};

/* The digests of the level in the making; each job fills hash blocks of its own. */
struct level {
	const struct measure_area *area;
	struct meter *meter;
	const struct verity_params *params;
	size_t digest_bytes;
	uint64_t per_block; /* digests in a hash block */
	int below_fd;       /* of the blocks to hash */
	uint64_t below_off;
	uint32_t below_bytes; /* of each */
	uint64_t below_blocks;
	uint8_t *hash_blocks; /* of this level, zeroed */
	uint64_t hash_block_count;
	uint8_t zero_digest[VERITY_DIGEST_MAX_BYTES]; /* of zeros: holes need no reading */
};

struct worker {
	struct level *level;
	struct verity_hasher *hasher;
	uint8_t piece[PIECE_MAX_BYTES];
};

static bool is_hole(int fd, uint64_t off, size_t len)
{
	off_t data = lseek(fd, (off_t)off, SEEK_DATA);

	return data < 0 ? errno == ENXIO : (uint64_t)data >= off + len;
}

/* How many blocks have their digests in a hash block: as many as fit, but fewer in the last one. */
static size_t count_below(const struct level *level, uint64_t hash_block)
{
	uint64_t left = level->below_blocks - hash_block * level->per_block;

	return left < level->per_block ? (size_t)left : (size_t)level->per_block;
}

static uint8_t *hash_block_at(const struct level *level, uint64_t hash_block)
{
	return level->hash_blocks + hash_block * level->params->hash_block_bytes;
}

static int hash_piece(struct worker *worker, uint64_t hash_block)
{
	const struct level *level = worker->level;
	size_t count = count_below(level, hash_block), bytes = count * level->below_bytes;
	uint64_t off = level->below_off + hash_block * level->per_block * level->below_bytes;
	uint8_t *digest = hash_block_at(level, hash_block);
	bool hole = is_hole(level->below_fd, off, bytes);
	int ret = hole ? 0 : io_pread(level->below_fd, worker->piece, bytes, off);

	for (size_t i = 0; ret == 0 && i < count; i++, digest += level->digest_bytes) {
		if (hole)
			memcpy(digest, level->zero_digest, level->digest_bytes);
		else
			ret = verity_hash_block(worker->hasher,
						worker->piece + i * level->below_bytes,
						level->below_bytes, digest);
	}
	return ret;
}

static void report_progress(struct level *level, uint64_t bytes)
{
	const struct measure_area *area = level->area;
	struct meter *meter = level->meter;

	if (!area->progress)
		return;
	pthread_mutex_lock(&meter->lock);
	meter->done_bytes += bytes;
	area->progress(area->progress_arg, meter->done_bytes, meter->total_bytes);
	pthread_mutex_unlock(&meter->lock);
}

static void free_worker(void *arg)
{
	struct worker *worker = arg;

	if (!worker)
		return;
	verity_hasher_free(worker->hasher);
	free(worker);
}

DEFINE_CLEANUP(struct worker, free_worker)

static void *make_worker(void *arg)
{
	struct worker *worker autocall(cleanup_free_worker) = calloc(1, sizeof(*worker));

	if (!worker)
		return NULL;
	worker->level = arg;
	worker->hasher = verity_hasher_new(worker->level->params);
	return worker->hasher ? steal_ptr(&worker) : NULL;
}

/* How many hash blocks a job fills. */
static uint64_t job_blocks(const struct level *level)
{
	return JOB_BYTES / (level->per_block * level->below_bytes);
}

static int run_job(void *arg, uint64_t index)
{
	struct worker *worker = arg;
	struct level *level = worker->level;
	uint64_t end = (index + 1) * job_blocks(level);
	int ret = 0;

	if (end > level->hash_block_count)
		end = level->hash_block_count;
	for (uint64_t at = index * job_blocks(level); ret == 0 && at < end; at++) {
		ret = cancel_requested() ? -ECANCELED : hash_piece(worker, at);
		report_progress(level, count_below(level, at) * level->below_bytes);
	}
	return ret;
}

static int hash_zeros(struct level *level)
{
	struct verity_hasher *hasher autocall(cleanup_verity_hasher_free) =
		verity_hasher_new(level->params);
	static const uint8_t zeros[VERITY_BLOCK_MAX_BYTES];

	return hasher ? verity_hash_block(hasher, zeros, level->below_bytes, level->zero_digest)
		      : -ENOMEM;
}

/* Hashes all blocks below a level into its hash blocks. */
static int hash_level(struct level *level)
{
	static const struct pool_workers workers = { make_worker, run_job, free_worker };
	uint64_t jobs = div_up(level->hash_block_count, job_blocks(level));
	int ret = hash_zeros(level);

	return ret < 0 ? ret : pool_run_workers(level->area->threads, jobs, &workers, level);
}

/* Hashes all blocks below a level into its hash blocks, which are allocated. */
static int compute_level(struct level *level, struct error *error)
{
	int ret;

	level->hash_blocks = calloc64(level->hash_block_count, level->params->hash_block_bytes);
	if (!level->hash_blocks)
		return error_nomem(error);
	ret = hash_level(level);
	if (ret == -ECANCELED)
		return error_set(error, ECANCELED, "interrupted");
	return ret < 0 ? error_errno(error, -ret, "cannot compute the hash tree") : 0;
}

/* The digest of the hash block at off. */
static int hash_at(const struct measure_area *area, const struct verity_params *params,
		   uint64_t off, uint8_t *digest, struct error *error)
{
	struct verity_hasher *hasher autocall(cleanup_verity_hasher_free) =
		verity_hasher_new(params);
	uint8_t block[VERITY_BLOCK_MAX_BYTES];
	int ret = hasher ? io_pread(area->tree_fd, block, params->hash_block_bytes, off) : -ENOMEM;

	if (ret == 0)
		ret = verity_hash_block(hasher, block, params->hash_block_bytes, digest);
	return ret < 0 ? error_errno(error, -ret, "cannot compute the root hash") : 0;
}

static uint64_t level_off(const struct measure_area *area, const struct verity_params *params,
			  const struct verity_layout *layout, unsigned int level)
{
	return area->area_off + verity_tree_start(params) +
	       layout->first_block[level] * params->hash_block_bytes;
}

/* A level whose hash blocks are still to be computed. */
static struct level begin_level(const struct measure_area *area, const struct verity_params *params,
				const struct verity_layout *layout, unsigned int number,
				struct meter *meter)
{
	struct level level = {
		.area = area,
		.meter = meter,
		.params = params,
		.digest_bytes = verity_digest_bytes(params->hash),
		.per_block = verity_digests_per_block(params),
		.below_fd = area->data_fd,
		.below_off = area->data_off,
		.below_bytes = params->data_block_bytes,
		.below_blocks = params->data_blocks,
		.hash_block_count = layout->blocks[number],
	};

	if (number == 0)
		return level;
	level.below_fd = area->tree_fd;
	level.below_off = level_off(area, params, layout, number - 1);
	level.below_bytes = params->hash_block_bytes;
	level.below_blocks = layout->blocks[number - 1];
	return level;
}

/* The digest of every block lies in a block of the level above, but that of the one on top. */
static void begin_meter(struct meter *meter, const struct verity_params *params,
			const struct verity_layout *layout)
{
	pthread_mutex_init(&meter->lock, NULL);
	meter->done_bytes = 0;
	meter->total_bytes = params->data_blocks * params->data_block_bytes +
			     (layout->total_blocks - 1) * params->hash_block_bytes;
}

static int write_level(struct level *level, uint64_t off, struct error *error)
{
	int ret = compute_level(level, error);

	if (ret < 0)
		return ret;
	ret = io_pwrite(level->area->tree_fd, level->hash_blocks,
			(size_t)(level->hash_block_count * level->params->hash_block_bytes), off);
	return ret < 0 ? error_errno(error, -ret, "cannot write the hash tree") : 0;
}

int measure_write(const struct measure_area *area, const struct verity_params *params,
		  uint8_t root[VERITY_DIGEST_MAX_BYTES], struct error *error)
{
	struct verity_layout layout;
	struct meter meter;
	int ret = 0;

	verity_layout(params, &layout);
	begin_meter(&meter, params, &layout);
	for (unsigned int i = 0; ret == 0 && i < layout.levels; i++) {
		struct level level = begin_level(area, params, &layout, i, &meter);

		ret = write_level(&level, level_off(area, params, &layout, i), error);
		free(level.hash_blocks);
	}
	pthread_mutex_destroy(&meter.lock);
	return ret < 0 ? ret : measure_root(area, params, root, error);
}

int measure_root(const struct measure_area *area, const struct verity_params *params,
		 uint8_t root[VERITY_DIGEST_MAX_BYTES], struct error *error)
{
	struct verity_layout layout;

	verity_layout(params, &layout);
	return hash_at(area, params, level_off(area, params, &layout, layout.levels - 1), root,
		       error);
}

/* What a check knows of the blocks of one level: those that are not what is above them says. */
struct verdict {
	bool *wrong;
	uint64_t blocks;
};

/* Are the digests that a hash block holds those of the blocks below? */
static void judge_block(const struct level *level, uint64_t hash_block, const uint8_t *stored,
			struct verdict *below)
{
	const uint8_t *computed = hash_block_at(level, hash_block);
	size_t digest_bytes = level->digest_bytes;

	for (size_t i = 0; i < count_below(level, hash_block); i++)
		if (memcmp(stored + i * digest_bytes, computed + i * digest_bytes, digest_bytes))
			below->wrong[hash_block * level->per_block + i] = true;
}

/* A hash block that is wrong itself says nothing of what is below it. */
static int judge_level(struct level *level, uint64_t off, const struct verdict *own,
		       struct verdict *below, struct error *error)
{
	const uint32_t block_bytes = level->params->hash_block_bytes;
	uint8_t stored[VERITY_BLOCK_MAX_BYTES];
	int ret = compute_level(level, error);

	for (uint64_t i = 0; ret == 0 && i < level->hash_block_count; i++) {
		if (cancel_requested())
			return cancel_check(error);
		if (own->wrong[i])
			continue;
		ret = io_pread(level->area->tree_fd, stored, block_bytes, off + i * block_bytes);
		if (ret < 0)
			return error_errno(error, -ret, "cannot read the hash tree");
		judge_block(level, i, stored, below);
	}
	return ret;
}

static void count_wrong(const struct verdict *verdict, uint64_t off, uint32_t block_bytes,
			struct measure_wrong *wrong)
{
	for (uint64_t i = 0; i < verdict->blocks; i++)
		if (verdict->wrong[i] && wrong->count++ == 0)
			*wrong = (struct measure_wrong){ 1, i, off + i * block_bytes };
}

/* Judges what is below a level; own, its own blocks' verdict, is replaced by that. */
static int descend(struct level *level, uint64_t off, struct verdict *own,
		   struct measure_wrong *wrong, struct error *error)
{
	struct verdict below = { calloc64(level->below_blocks, sizeof(bool)), level->below_blocks };
	int ret = below.wrong ? judge_level(level, off, own, &below, error) : error_nomem(error);

	free(own->wrong);
	*own = below;
	if (ret == 0)
		count_wrong(&below, level->below_off, level->below_bytes, wrong);
	return ret;
}

/* From the top down: the block on top is taken for right, whatever its digest is. */
static int check_levels(const struct measure_area *area, const struct verity_params *params,
			struct meter *meter, struct measure_findings *findings, struct error *error)
{
	struct verdict own = { calloc(1, sizeof(bool)), 1 };
	struct verity_layout layout;
	int ret = own.wrong ? 0 : error_nomem(error);

	verity_layout(params, &layout);
	for (unsigned int i = layout.levels; ret == 0 && i > 0; i--) {
		struct level level = begin_level(area, params, &layout, i - 1, meter);

		ret = descend(&level, level_off(area, params, &layout, i - 1), &own,
			      i > 1 ? &findings->tree : &findings->data, error);
		free(level.hash_blocks);
	}
	free(own.wrong);
	return ret;
}

int measure_check(const struct measure_area *area, const struct verity_params *params,
		  const uint8_t *root, struct measure_findings *findings, struct error *error)
{
	struct verity_layout layout;
	struct meter meter;
	int ret;

	*findings = (struct measure_findings){ 0 };
	verity_layout(params, &layout);
	begin_meter(&meter, params, &layout);
	ret = check_levels(area, params, &meter, findings, error);
	pthread_mutex_destroy(&meter.lock);
	if (ret == 0)
		ret = measure_root(area, params, findings->root, error);
	findings->root_right = memcmp(findings->root, root, verity_digest_bytes(params->hash)) == 0;
	return ret;
}
