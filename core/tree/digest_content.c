/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data of all files, in tree order without holes, is cut into stretches of STRETCH_BYTES,
 * whatever files they are of: threads have even work with a million small files and with a single
 * large one. The result is the digest of the stretches' digests. Where one file ends and the next
 * begins, and where holes are, is said by the tree's own digest.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/base/cancel.h"
#include "core/base/digest.h"
#include "core/base/pool.h"
#include "core/tree/model.h"
#include "core/tree/reader.h"
#include "lib/array.h"

#define STRETCH_BYTES (UINT64_C(1) << 20)
#define CHUNK_BYTES ((size_t)128 << 10)

struct place {
	const struct kataimg_node *file;
	uint32_t segment;
	uint64_t off; /* in the segment */
};

struct digests {
	uint8_t bytes[DIGEST_BYTES];
};

struct hashing {
	const struct tree *tree;
	ARRAY(struct place) starts; /* of the stretches */
	struct digests *digests;    /* likewise; owned */
	uint64_t total;             /* bytes */

	pthread_mutex_t lock; /* guards what follows */
	uint64_t done;
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	void *progress_arg;
	struct error *error;
};

/* ---- Where stretches begin ---- */

static int add_segment(struct hashing *hashing, const struct kataimg_node *file, uint32_t segment)
{
	uint64_t len = file->segments[segment].len, off = 0;

	while (off < len) {
		uint64_t room = STRETCH_BYTES - hashing->total % STRETCH_BYTES;
		uint64_t step = len - off < room ? len - off : room;
		struct place *start = NULL;

		if (room == STRETCH_BYTES) {
			start = array_add(&hashing->starts);
			if (!start)
				return -ENOMEM;
			*start = (struct place){ file, segment, off };
		}
		off += step;
		hashing->total += step;
	}
	return 0;
}

static int find_starts(struct hashing *hashing)
{
	const struct kataimg_tree *tree = tree_public(hashing->tree);
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < tree->node_count; i++)
		for (uint32_t j = 0; ret == 0 && j < tree->nodes[i]->segment_count; j++)
			ret = add_segment(hashing, tree->nodes[i], j);
	return ret;
}

/* ---- One stretch ---- */

struct worker {
	struct hashing *hashing;
	struct tree_reader *reader;
	uint8_t *chunk;
};

/* As much as lies together, is wanted, and fits into the chunk; *len: how much. */
static int hash_piece(struct worker *worker, struct place *at, uint64_t left, struct digest *digest,
		      size_t *len, struct error *error)
{
	const struct kataimg_segment *segment = &at->file->segments[at->segment];
	uint64_t most = segment->len - at->off < left ? segment->len - at->off : left;
	int ret;

	*len = most < CHUNK_BYTES ? (size_t)most : CHUNK_BYTES;
	ret = tree_reader_get(worker->reader, at->file, segment->file_off + at->off, worker->chunk,
			      *len, error);
	if (ret < 0)
		return ret;
	if (digest_update(digest, worker->chunk, *len) < 0)
		return error_set(error, EIO, "SHA-256 failed");
	at->off += *len;
	if (at->off == segment->len)
		*at = (struct place){ at->file, at->segment + 1, 0 };
	return 0;
}

static int hash_stretch(struct worker *worker, uint64_t index, struct error *error)
{
	struct hashing *hashing = worker->hashing;
	const struct kataimg_tree *tree = tree_public(hashing->tree);
	struct digest *digest autocall(cleanup_digest_free) = digest_new();
	uint64_t left = hashing->total - index * STRETCH_BYTES;
	struct place at = hashing->starts.items[index];
	int ret = digest ? 0 : error_nomem(error);

	if (left > STRETCH_BYTES)
		left = STRETCH_BYTES;
	while (ret == 0 && left > 0) {
		size_t len = 0;

		if (at.segment == at.file->segment_count)
			at = (struct place){ tree->nodes[at.file->index + 1], 0, 0 };
		else
			ret = hash_piece(worker, &at, left, digest, &len, error);
		left -= len;
	}
	if (ret == 0 && digest_final(digest, hashing->digests[index].bytes) < 0)
		ret = error_set(error, EIO, "SHA-256 failed");
	return ret;
}

/* ---- All of them ---- */

static void free_worker(void *arg)
{
	struct worker *worker = arg;

	tree_reader_free(worker->reader);
	free(worker->chunk);
	free(worker);
}

static void *make_worker(void *arg)
{
	struct hashing *hashing = arg;
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return NULL;
	worker->hashing = hashing;
	worker->reader = tree_reader_new(hashing->tree);
	worker->chunk = malloc(CHUNK_BYTES);
	if (worker->reader && worker->chunk)
		return worker;
	free_worker(worker);
	return NULL;
}

static int run_worker(void *arg, uint64_t index)
{
	struct worker *worker = arg;
	struct hashing *hashing = worker->hashing;
	autoerror struct error error = ERROR_INIT;
	int ret = hash_stretch(worker, index, &error);

	pthread_mutex_lock(&hashing->lock);
	if (ret < 0)
		error_take(hashing->error, &error);
	hashing->done += STRETCH_BYTES;
	if (hashing->progress)
		hashing->progress(hashing->progress_arg,
				  hashing->done < hashing->total ? hashing->done : hashing->total,
				  hashing->total);
	pthread_mutex_unlock(&hashing->lock);
	return ret;
}

static int hash_all(struct hashing *hashing, unsigned int threads, uint8_t out[TREE_DIGEST_BYTES])
{
	static const struct pool_workers workers = { make_worker, run_worker, free_worker };
	struct digest *digest autocall(cleanup_digest_free) = digest_new();
	int ret = pool_run_workers(threads, hashing->starts.count, &workers, hashing);

	if (ret < 0 && !hashing->error->code)
		return ret == -ENOMEM ? error_nomem(hashing->error) : cancel_check(hashing->error);
	if (ret < 0)
		return ret;
	if (!digest)
		return error_nomem(hashing->error);
	ret = digest_update(digest, hashing->digests,
			    hashing->starts.count * sizeof(*hashing->digests));
	if (ret == 0)
		ret = digest_final(digest, out);
	return ret < 0 ? error_set(hashing->error, EIO, "SHA-256 failed") : 0;
}

int tree_digest_content(const struct tree *tree, const struct tree_digest_options *options,
			uint8_t out[TREE_DIGEST_BYTES], struct error *error)
{
	struct hashing hashing = { .tree = tree,
				   .progress = options->progress,
				   .progress_arg = options->progress_arg,
				   .error = error };
	int ret = find_starts(&hashing);

	hashing.digests = calloc(hashing.starts.count + 1, sizeof(*hashing.digests));
	pthread_mutex_init(&hashing.lock, NULL);
	if (ret < 0 || !hashing.digests)
		ret = error_nomem(error);
	else
		ret = hash_all(&hashing, options->threads, out);
	pthread_mutex_destroy(&hashing.lock);
	array_free(&hashing.starts);
	free(hashing.digests);
	return ret;
}
