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
#include "lib/cleanup.h"
#include "lib/round.h"

/* A job hashes the data below so many hash blocks: 8 MiB, read in pieces of 512 KiB. */
#define JOB_BLOCKS 16
#define PIECE_BYTES ((size_t)VERITY_DIGESTS_PER_BLOCK * VERITY_BLOCK_BYTES)

DEFINE_CLEANUP(struct verity_hasher, verity_hasher_free)

/* The digests of the level in the making; each job fills hash blocks of its own. */
struct level {
	const struct measure_area *area;
	const struct verity_params *params;
	uint64_t below_off; /* of the blocks to hash, in the file */
	uint64_t below_blocks;
	uint8_t *hash_blocks; /* of this level, zeroed */
	uint64_t hash_block_count;
	uint8_t zero_digest[DIGEST_BYTES]; /* of a block of zeros: holes need no reading */
	pthread_mutex_t lock;
	uint64_t done_bytes;
};

static bool is_hole(int fd, uint64_t off, size_t len)
{
	off_t data = lseek(fd, (off_t)off, SEEK_DATA);

	return data < 0 ? errno == ENXIO : (uint64_t)data >= off + len;
}

static int hash_piece(struct level *level, struct verity_hasher *hasher, uint8_t *piece,
		      uint64_t hash_block)
{
	uint64_t first = hash_block * VERITY_DIGESTS_PER_BLOCK;
	uint64_t left = level->below_blocks - first;
	size_t count = left < VERITY_DIGESTS_PER_BLOCK ? (size_t)left : VERITY_DIGESTS_PER_BLOCK;
	uint64_t off = level->below_off + first * VERITY_BLOCK_BYTES;
	uint8_t *digests = level->hash_blocks + hash_block * VERITY_BLOCK_BYTES;
	bool hole = is_hole(level->area->fd, off, count * VERITY_BLOCK_BYTES);
	int ret = hole ? 0 : io_pread(level->area->fd, piece, count * VERITY_BLOCK_BYTES, off);

	for (size_t i = 0; ret == 0 && i < count; i++) {
		if (hole)
			memcpy(digests + i * DIGEST_BYTES, level->zero_digest, DIGEST_BYTES);
		else
			ret = verity_hash_block(hasher, piece + i * VERITY_BLOCK_BYTES,
						digests + i * DIGEST_BYTES);
	}
	return ret;
}

static void report_progress(struct level *level, uint64_t bytes)
{
	const struct measure_area *area = level->area;

	if (!area->progress)
		return;
	pthread_mutex_lock(&level->lock);
	level->done_bytes += bytes;
	area->progress(area->progress_arg, level->done_bytes,
		       level->below_blocks * VERITY_BLOCK_BYTES);
	pthread_mutex_unlock(&level->lock);
}

static int run_job(void *arg, uint64_t index)
{
	struct level *level = arg;
	struct verity_hasher *hasher autocall(cleanup_verity_hasher_free) =
		verity_hasher_new(level->params);
	autofree uint8_t *piece = malloc(PIECE_BYTES);
	uint64_t end = (index + 1) * JOB_BLOCKS;
	int ret = hasher && piece ? 0 : -ENOMEM;

	if (end > level->hash_block_count)
		end = level->hash_block_count;
	for (uint64_t at = index * JOB_BLOCKS; ret == 0 && at < end; at++) {
		ret = cancel_requested() ? -ECANCELED : hash_piece(level, hasher, piece, at);
		report_progress(level, PIECE_BYTES);
	}
	return ret;
}

static int hash_zeros(struct level *level)
{
	struct verity_hasher *hasher autocall(cleanup_verity_hasher_free) =
		verity_hasher_new(level->params);
	static const uint8_t zeros[VERITY_BLOCK_BYTES];

	return hasher ? verity_hash_block(hasher, zeros, level->zero_digest) : -ENOMEM;
}

/* Hashes all blocks below a level into its hash blocks. */
static int hash_level(struct level *level)
{
	uint64_t jobs = div_up(level->hash_block_count, JOB_BLOCKS);
	int ret = hash_zeros(level);

	pthread_mutex_init(&level->lock, NULL);
	if (ret == 0)
		ret = pool_run(level->area->threads, jobs, run_job, level);
	pthread_mutex_destroy(&level->lock);
	return ret;
}

/* What is done with a level's hash blocks once they are computed. */
typedef int (*level_fn)(const struct level *level, uint64_t off, struct error *error);

static int write_level(const struct level *level, uint64_t off, struct error *error)
{
	int ret = io_pwrite(level->area->fd, level->hash_blocks,
			    level->hash_block_count * VERITY_BLOCK_BYTES, off);

	return ret < 0 ? error_errno(error, -ret, "cannot write the hash tree") : 0;
}

static int compare_level(const struct level *level, uint64_t off, struct error *error)
{
	uint8_t stored[VERITY_BLOCK_BYTES];

	for (uint64_t i = 0; i < level->hash_block_count; i++) {
		int ret = io_pread(level->area->fd, stored, sizeof(stored),
				   off + i * VERITY_BLOCK_BYTES);

		if (ret < 0)
			return error_errno(error, -ret, "cannot read the hash tree");
		if (memcmp(stored, level->hash_blocks + i * VERITY_BLOCK_BYTES, sizeof(stored)))
			return error_set(error, EBADMSG,
					 "the hash tree's block at byte %" PRIu64
					 " contradicts what is below it: blocks from byte %" PRIu64,
					 off + i * VERITY_BLOCK_BYTES,
					 level->below_off + i * PIECE_BYTES);
	}
	return 0;
}

static int process_level(struct level *level, uint64_t off, level_fn use, struct error *error)
{
	int ret;

	level->hash_blocks = calloc(level->hash_block_count, VERITY_BLOCK_BYTES);
	if (!level->hash_blocks)
		return error_nomem(error);
	ret = hash_level(level);
	if (ret == -ECANCELED)
		ret = error_set(error, ECANCELED, "interrupted");
	else if (ret < 0)
		ret = error_errno(error, -ret, "cannot compute the hash tree");
	else
		ret = use(level, off, error);
	free(level->hash_blocks);
	return ret;
}

/* The root digest is that of the one block on top. */
static int hash_top(const struct measure_area *area, const struct verity_params *params,
		    uint64_t off, uint8_t root[DIGEST_BYTES], struct error *error)
{
	struct verity_hasher *hasher autocall(cleanup_verity_hasher_free) =
		verity_hasher_new(params);
	uint8_t block[VERITY_BLOCK_BYTES];
	int ret = hasher ? io_pread(area->fd, block, sizeof(block), off) : -ENOMEM;

	if (ret == 0)
		ret = verity_hash_block(hasher, block, root);
	return ret < 0 ? error_errno(error, -ret, "cannot compute the root hash") : 0;
}

static int measure(const struct measure_area *area, const struct verity_params *params,
		   level_fn use, uint8_t root[DIGEST_BYTES], struct error *error)
{
	struct verity_layout layout;
	uint64_t below_off = area->data_off, below_blocks = params->data_blocks;

	verity_layout(params->data_blocks, &layout);
	for (unsigned int i = 0; i < layout.levels; i++) {
		uint64_t off = area->tree_off + layout.first_block[i] * VERITY_BLOCK_BYTES;
		struct level level = { .area = area,
				       .params = params,
				       .below_off = below_off,
				       .below_blocks = below_blocks,
				       .hash_block_count = layout.blocks[i] };
		int ret = process_level(&level, off, use, error);

		if (ret < 0)
			return ret;
		below_off = off;
		below_blocks = layout.blocks[i];
	}
	return hash_top(area, params, below_off, root, error);
}

int measure_write(const struct measure_area *area, const struct verity_params *params,
		  uint8_t root[DIGEST_BYTES], struct error *error)
{
	return measure(area, params, write_level, root, error);
}

int measure_check(const struct measure_area *area, const struct verity_params *params,
		  const uint8_t root[DIGEST_BYTES], struct error *error)
{
	uint8_t found[DIGEST_BYTES];
	int ret = measure(area, params, compare_level, found, error);

	if (ret == 0 && memcmp(found, root, DIGEST_BYTES) != 0)
		ret = error_set(error, EBADMSG,
				"the hash tree is whole, but its root hash is another one");
	return ret;
}
