/* SPDX-License-Identifier: Apache-2.0 */
/* Digests of files' content, a file a thread. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/base/cancel.h"
#include "core/base/pool.h"
#include "core/mtree/mtree.h"
#include "lib/calloc64.h"
#include "lib/cleanup.h"

#define CHUNK_BYTES ((size_t)256 << 10)

static inline void free_digest(struct digest **digest)
{
	digest_free(*digest);
}

struct hash {
	const struct tree *tree;
	struct mtree_digest *digests;
	pthread_mutex_t lock; /* guards error */
	struct error *error;
};

static int hash_bytes_of(const struct hash *hash, const struct kataimg_node *file,
			 struct digest *digest, struct error *error)
{
	autofree char *bytes = malloc(CHUNK_BYTES);
	int ret = bytes ? 0 : error_nomem(error);

	for (uint64_t off = 0; ret == 0 && off < file->size; off += CHUNK_BYTES) {
		uint64_t left = file->size - off;
		size_t len = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;

		ret = cancel_check(error);
		if (ret == 0)
			ret = tree_read(hash->tree, file, off, bytes, len, error);
		if (ret == 0 && digest_update(digest, bytes, len) < 0)
			ret = error_set(error, EIO, "SHA-256 failed");
	}
	return ret;
}

static int hash_file(const struct hash *hash, const struct kataimg_node *file, uint8_t *bytes,
		     struct error *error)
{
	struct digest *digest autocall(free_digest) = digest_new();
	int ret = digest ? hash_bytes_of(hash, file, digest, error) : error_nomem(error);

	if (ret == 0 && digest_final(digest, bytes) < 0)
		ret = error_set(error, EIO, "SHA-256 failed");
	return ret;
}

static int hash_node(void *arg, uint64_t index)
{
	struct hash *hash = arg;
	const struct kataimg_node *node = tree_public(hash->tree)->nodes[index];
	autoerror struct error error = ERROR_INIT;
	int ret = 0;

	if (node->type == KATAIMG_REG)
		ret = hash_file(hash, node, hash->digests[index].bytes, &error);
	if (ret < 0) {
		pthread_mutex_lock(&hash->lock);
		error_take(hash->error, &error);
		pthread_mutex_unlock(&hash->lock);
	}
	return ret;
}

int mtree_hash(const struct tree *tree, unsigned int threads, struct mtree_digest **digests,
	       struct error *error)
{
	uint64_t count = tree_public(tree)->node_count;
	struct hash hash = { .tree = tree, .error = error };
	int ret;

	hash.digests = calloc64(count, sizeof(*hash.digests));
	if (!hash.digests)
		return error_nomem(error);
	pthread_mutex_init(&hash.lock, NULL);
	ret = pool_run(threads, count, hash_node, &hash);
	pthread_mutex_destroy(&hash.lock);
	if (ret == 0)
		*digests = hash.digests;
	else
		free(hash.digests);
	return ret < 0 && !error->code ? cancel_check(error) : ret;
}
