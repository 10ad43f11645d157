/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blobs of a replaced image. Only those that its own manifest names come into question, and of
 * these none stays away that the layout, read anew from its index.json downwards, still refers to.
 * Where a part of the layout cannot be read or understood, nothing is removed.
 */
#include <errno.h>
#include <string.h>

#include "core/artifact/private.h"
#include "core/oci/image.h"
#include "core/oci/mediatype.h"

#define DEPTH_MAX 8

int artifact_texts_add(artifact_texts *texts, const char *text)
{
	char **item = array_add(texts);

	if (item)
		*item = strdup(text);
	return item && *item ? 0 : -ENOMEM;
}

void artifact_texts_free(artifact_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->items[i]);
	array_free(texts);
}

bool artifact_is_index(const char *media_type)
{
	return media_type && (strcmp(media_type, OCI_TYPE_INDEX) == 0 ||
			      strcmp(media_type, OCI_TYPE_DOCKER_LIST) == 0);
}

static bool is_document(const char *media_type)
{
	return artifact_is_index(media_type) ||
	       (media_type && (strcmp(media_type, OCI_TYPE_MANIFEST) == 0 ||
			       strcmp(media_type, OCI_TYPE_DOCKER_MANIFEST) == 0));
}

static int name(json_object *descriptor, artifact_texts *digests)
{
	const char *digest = oci_json_text(descriptor, "digest");

	return digest ? artifact_texts_add(digests, digest) : 0;
}

/* What a manifest refers to, but for images of which it is a list. */
static int name_parts(json_object *manifest, artifact_texts *digests)
{
	json_object *layers = oci_json_array(manifest, "layers");
	int ret = name(oci_json_object(manifest, "config"), digests);

	if (ret == 0)
		ret = name(oci_json_object(manifest, "subject"), digests);
	for (size_t i = 0; ret == 0 && layers && i < json_object_array_length(layers); i++)
		ret = name(json_object_array_get_idx(layers, i), digests);
	return ret;
}

static int name_all(const struct artifact_layout *layout, json_object *document,
		    artifact_texts *digests, unsigned int depth);

static int name_below(const struct artifact_layout *layout, json_object *descriptor,
		      artifact_texts *digests, unsigned int depth)
{
	autoerror struct error ignored = ERROR_INIT;
	json_object *document = NULL;
	struct oci_blob blob;
	int ret = oci_blob_take(&blob, descriptor, "an image", &ignored);

	if (ret < 0 || !is_document(oci_json_text(descriptor, "mediaType")))
		return -EINVAL;
	ret = artifact_texts_add(digests, blob.digest);
	if (ret == 0)
		ret = artifact_layout_read(layout, &blob, &document, &ignored);
	/* A layout may leave out what its indexes name: then it refers to nothing more here. */
	if (ret == -ENOENT)
		return 0;
	if (ret == 0)
		ret = name_all(layout, document, digests, depth + 1);
	json_object_put(document);
	return ret;
}

static int name_all(const struct artifact_layout *layout, json_object *document,
		    artifact_texts *digests, unsigned int depth)
{
	json_object *manifests = oci_json_array(document, "manifests");
	int ret = depth < DEPTH_MAX ? name_parts(document, digests) : -ELOOP;

	for (size_t i = 0; ret == 0 && manifests && i < json_object_array_length(manifests); i++)
		ret = name_below(layout, json_object_array_get_idx(manifests, i), digests, depth);
	return ret;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool has(const artifact_texts *sorted, const char *text)
{
	return bsearch(&text, sorted->items, sorted->count, sizeof(*sorted->items), compare);
}

/* The replaced manifests and indexes themselves, and what the former name. */
static int name_replaced(const struct artifact_layout *layout, artifact_texts *digests)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < layout->replaced.count; i++) {
		autoerror struct error ignored = ERROR_INIT;
		json_object *document = NULL;
		const struct oci_blob blob = { layout->replaced.items[i], OCI_SIZE_UNSAID };

		ret = artifact_texts_add(digests, blob.digest);
		if (ret == 0 && artifact_layout_read(layout, &blob, &document, &ignored) == 0)
			ret = name_parts(document, digests);
		json_object_put(document);
	}
	return ret;
}

static void remove_blob(const struct artifact_layout *layout, const char *digest)
{
	autoerror struct error ignored = ERROR_INIT;
	autofree char *path = NULL;

	if (oci_blob_path(digest, &path, &ignored) == 0)
		unlinkat(layout->dir, path, 0);
}

void artifact_sweep(const struct artifact_layout *layout)
{
	artifact_texts kept = { 0 }, old = { 0 };
	int ret = name_replaced(layout, &old);

	if (ret == 0)
		ret = name_all(layout, layout->index, &kept, 0);
	if (ret == 0 && kept.count > 0)
		qsort(kept.items, kept.count, sizeof(*kept.items), compare);
	for (size_t i = 0; ret == 0 && i < old.count; i++)
		if (!has(&kept, old.items[i]))
			remove_blob(layout, old.items[i]);
	artifact_texts_free(&kept);
	artifact_texts_free(&old);
}
