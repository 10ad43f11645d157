/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers are unpacked side by side, each by itself, the highest first; then they are put over each
 * other, the lowest first. What is wrong is told as if one came after the other: of several faults
 * it is always the same one.
 */
#include "core/oci/layers.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "core/archive/cover.h"
#include "core/archive/plain.h"
#include "core/archive/unpack.h"
#include "core/base/pathname.h"
#include "core/base/pool.h"

/* Each one that is unpacked takes one or two MiB, and its compression's window. */
#define SIDE_BY_SIDE_MAX 8

/* A layer that is a plain archive, or why it is none. */
struct unpacked {
	struct archive_plain plain; /* owned */
	struct error error;         /* owned */
	struct cover cover;         /* owned: what it hides; of use when */
	atomic_bool is_covering;    /* all of it was seen */
};

struct layers {
	const struct tree *store;
	const struct oci_image *image;
	struct tree_options options; /* the caller's, whose scratch files come one at a time */
	const struct tree_scratch *scratch;
	pthread_mutex_t lock;      /* of scratch */
	struct unpacked *unpacked; /* owned; one for each layer */
};

struct job {
	struct layers *layers;
	size_t number; /* of the layer */
};

static int put_layer(struct archive_plain *plain, struct tree *tree, struct tree_edit *edit,
		     struct error *error)
{
	struct unpack unpack = { .tree = tree, .edit = edit, .input = &plain->input };
	int source = archive_plain_give(plain, tree, error);

	if (source < 0)
		return source;
	unpack.source = (uint16_t)source;
	return unpack_layer(&unpack, error);
}

/* ---- Unpacking ---- */

static int open_scratch(void *arg)
{
	struct layers *layers = arg;
	int fd;

	pthread_mutex_lock(&layers->lock);
	fd = layers->scratch->open(layers->scratch->arg);
	pthread_mutex_unlock(&layers->lock);
	return fd;
}

static int open_layer(const struct tree *store, const struct oci_layer *layer,
		      struct archive_plain *plain, struct error *error)
{
	int ret = oci_store_open(store, layer->path, &plain->input, &plain->scratch, error);

	if (ret == 0)
		return oci_check_size(&plain->input, layer->size, error);
	if (ret == -ENOENT && layer->elsewhere)
		return error_append(error,
				    ": a layer that stays behind when its image is copied: "
				    "put it there from %s",
				    layer->elsewhere);
	return ret;
}

/* What a damaged file unpacks to is nobody's business: its digest is what is told of. */
static int blame_file(const struct archive_plain *plain, const struct oci_layer *layer,
		      struct error *error)
{
	autoerror struct error found = ERROR_INIT;

	if (!layer->digest || error->code == ECANCELED || error->code == ENOMEM ||
	    oci_check_digest(&plain->input, layer->digest, &found) == 0)
		return -error->code;
	error_clear(error);
	return error_take(error, &found);
}

/* The bytes of the file, and those that it unpacks to, are the ones that the image speaks of. */
static int compare_digests(const struct archive_plain *plain, const struct oci_layer *layer,
			   struct digest *packed, struct digest *unpacked, struct error *error)
{
	const struct archive_input *input = &plain->input;
	int ret = 0;

	if (layer->digest && plain->unpacked)
		ret = oci_compare_digest(input->label, packed, layer->digest, error);
	else if (layer->digest)
		ret = oci_check_digest(input, layer->digest, error);
	if (ret < 0)
		return ret;
	if (plain->unpacked)
		return oci_compare_digest(input->label, unpacked, layer->diff_id, error);
	return layer->digest && strcmp(layer->digest, layer->diff_id) == 0
		       ? 0
		       : oci_check_digest(input, layer->diff_id, error);
}

/* Asked of each member of a layer: what one above it hides is not needed, as far as that one was
 * unpacked already. */
static int needs(void *arg, const struct archive_member *member)
{
	const struct job *job = arg;
	const struct layers *layers = job->layers;
	char plain[PATH_MAX];
	int ret = job->number > 0 ? cover_add(&layers->unpacked[job->number].cover, member) : 0;

	if (ret < 0)
		return ret;
	if (member->bytes == 0 || !pathname_plain(member->path, plain, sizeof(plain)))
		return 1;
	for (size_t i = job->number + 1; i < layers->image->layer_count; i++)
		if (atomic_load(&layers->unpacked[i].is_covering) &&
		    cover_hides(&layers->unpacked[i].cover, plain))
			return 0;
	return 1;
}

static int make_plain(struct archive_plain *plain, const struct oci_layer *layer,
		      const struct job *job, struct error *error)
{
	struct digest *packed autocall(cleanup_digest_free) = digest_new();
	struct digest *unpacked autocall(cleanup_digest_free) = digest_new();
	const size_t count = job->layers->image->layer_count;
	const struct archive_plain_options how = {
		.tree = &job->layers->options,
		.layer = true,
		.digest = unpacked,
		.beside = (unsigned int)count - 1,
		.needs = count > 1 ? needs : NULL,
		.needs_arg = (void *)(uintptr_t)job,
	};
	int ret;

	if (!packed || !unpacked)
		return error_nomem(error);
	plain->input.digest = layer->digest ? packed : NULL;
	ret = archive_plain_make(plain, &how, error);
	plain->input.digest = NULL;
	return ret < 0 ? blame_file(plain, layer, error)
		       : compare_digests(plain, layer, packed, unpacked, error);
}

/* A pool job, whose fault waits for its turn. */
static int unpack_one(void *arg, uint64_t index)
{
	struct layers *layers = arg;
	const struct job job = { layers, layers->image->layer_count - 1 - (size_t)index };
	const struct oci_layer *layer = &layers->image->layers[job.number];
	struct unpacked *unpacked = &layers->unpacked[job.number];

	if (open_layer(layers->store, layer, &unpacked->plain, &unpacked->error) == 0 &&
	    make_plain(&unpacked->plain, layer, &job, &unpacked->error) == 0)
		atomic_store(&unpacked->is_covering, true);
	return 0;
}

static int unpack_all(struct layers *layers, struct error *error)
{
	unsigned int threads = layers->options.threads;
	int ret = pool_run(threads < SIDE_BY_SIDE_MAX ? threads : SIDE_BY_SIDE_MAX,
			   layers->image->layer_count, unpack_one, layers);

	return ret == -ECANCELED ? error_set(error, ECANCELED, "interrupted") : ret;
}

/* ---- Putting them over each other ---- */

static int put_one(struct unpacked *unpacked, struct tree *tree, struct tree_edit *edit,
		   struct error *error)
{
	if (unpacked->error.code)
		return error_take(error, &unpacked->error);
	/* A layer of no byte at all has no entries; others want an end mark of a tar. */
	return unpacked->plain.input.bytes == 0 ? 0
						: put_layer(&unpacked->plain, tree, edit, error);
}

static int put_all(const struct layers *layers, struct tree *tree, struct error *error)
{
	struct tree_edit *edit autocall(cleanup_tree_edit_free) = tree_edit_new(tree);
	int ret = edit ? 0 : error_nomem(error);

	for (size_t i = 0; ret == 0 && i < layers->image->layer_count; i++) {
		ret = put_one(&layers->unpacked[i], tree, edit, error);
		archive_plain_release(&layers->unpacked[i].plain);
	}
	return ret < 0 ? ret : tree_edit_finish(edit, error);
}

static void release(struct layers *layers)
{
	for (size_t i = 0; layers->unpacked && i < layers->image->layer_count; i++) {
		archive_plain_release(&layers->unpacked[i].plain);
		error_clear(&layers->unpacked[i].error);
		cover_release(&layers->unpacked[i].cover);
	}
	free(layers->unpacked);
	pthread_mutex_destroy(&layers->lock);
}

int oci_apply_layers(const struct tree *store, const struct oci_image *image,
		     const struct tree_options *options, struct tree *tree, struct error *error)
{
	struct layers layers autocall(release) = {
		.store = store,
		.image = image,
		.options = *options,
		.scratch = &options->scratch,
		.unpacked = calloc(image->layer_count + 1, sizeof(*layers.unpacked)),
	};
	int ret;

	pthread_mutex_init(&layers.lock, NULL);
	if (!layers.unpacked)
		return error_nomem(error);
	layers.options.scratch.open = open_scratch;
	layers.options.scratch.arg = &layers;
	for (size_t i = 0; i < image->layer_count; i++)
		layers.unpacked[i].plain.input.fd = -1;
	ret = unpack_all(&layers, error);
	return ret < 0 ? ret : put_all(&layers, tree, error);
}
