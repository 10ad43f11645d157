/* SPDX-License-Identifier: Apache-2.0 */
/* The OCI image layout: index.json, maybe further indexes, a manifest, its blobs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/oci/image.h"
#include "core/oci/mediatype.h"

/* Indexes in indexes; two are in use. */
#define INDEXES_MAX 8

#define VERSION_FILE "oci-layout"

/* The blob that a descriptor describes. */
static int read_blob(const struct tree *store, json_object *descriptor, json_object **json,
		     struct error *error)
{
	struct oci_blob blob;
	autofree char *path = NULL;
	int ret = oci_blob_take(&blob, descriptor, "a descriptor", error);

	if (ret == 0)
		ret = oci_blob_path(blob.digest, &path, error);
	return ret < 0 ? ret : oci_store_json(store, path, &blob, json, error);
}

static const char *tag_of(json_object *descriptor)
{
	return oci_json_text(oci_json_object(descriptor, "annotations"), OCI_REF_NAME);
}

static const char *arch_of(json_object *descriptor)
{
	return oci_json_text(oci_json_object(descriptor, "platform"), "architecture");
}

/* By tag; without one there must be no choice but of platforms, and a platform is never "unknown".
 */
static json_object *choose_tag(json_object *manifests, const char *tag, struct error *error)
{
	struct oci_names names = { "" };
	size_t count = json_object_array_length(manifests);

	for (size_t i = 0; i < count; i++) {
		json_object *descriptor = json_object_array_get_idx(manifests, i);
		const char *name = tag_of(descriptor);

		if (tag && name && strcmp(name, tag) == 0)
			return descriptor;
		oci_add_name(&names, name);
	}
	if (!tag && count == 1)
		return json_object_array_get_idx(manifests, 0);
	oci_fail_choice(tag, count, &names, error);
	return NULL;
}

static bool is_for(json_object *descriptor, const char *arch)
{
	const char *name = arch_of(descriptor);
	const char *os = oci_json_text(oci_json_object(descriptor, "platform"), "os");

	return name && strcmp(name, arch) == 0 && (!os || strcmp(os, "linux") == 0);
}

/* Variants ask for more the further they come in the order of letters: v6, v7; none, v2, v3. */
static bool asks_for_less(json_object *a, json_object *b)
{
	const char *x = oci_json_text(oci_json_object(a, "platform"), "variant");
	const char *y = oci_json_text(oci_json_object(b, "platform"), "variant");

	return strcmp(x ? x : "", y ? y : "") < 0;
}

/* The first of those that run on most machines. A single one that does not say for what it is has
 * an image, or an index, that does. */
static json_object *choose_platform(json_object *manifests, const char *wanted, struct error *error)
{
	struct utsname machine;
	const char *arch = oci_arch_name(wanted, &machine);
	struct oci_names names = { "" };
	size_t count = json_object_array_length(manifests);
	json_object *best = NULL;

	for (size_t i = 0; i < count; i++) {
		json_object *descriptor = json_object_array_get_idx(manifests, i);

		if (count == 1 && !arch_of(descriptor))
			return descriptor;
		if (is_for(descriptor, arch) && (!best || asks_for_less(descriptor, best)))
			best = descriptor;
		oci_add_name(&names, arch_of(descriptor));
	}
	if (best)
		return best;
	error_set(error, ENOENT, "no image is for linux on %s ([image] arch); there are: %s", arch,
		  *names.text ? names.text : "none that says for what");
	return NULL;
}

static bool has_platforms(json_object *manifests)
{
	for (size_t i = 0; i < json_object_array_length(manifests); i++)
		if (!arch_of(json_object_array_get_idx(manifests, i)))
			return false;
	return json_object_array_length(manifests) > 1;
}

/* A layout without the file that says its version is as good as one: what it has is proved by its
 * digests. */
static int check_version(const struct tree *store, struct error *error)
{
	json_object *version autocall(cleanup_json_object_put) = NULL;
	int ret = oci_store_json(store, VERSION_FILE, NULL, &version, error);

	if (ret == -ENOENT) {
		error_clear(error);
		return 0;
	}
	return ret < 0 ? ret : oci_check_version(version, VERSION_FILE, error);
}

/* Follows indexes down to a manifest, whose reference is the caller's (json_object_put). */
static int find_manifest(const struct tree *store, const struct oci_choice *choice,
			 json_object **manifest, struct error *error)
{
	json_object *index = NULL, *manifests, *descriptor;
	int ret = oci_store_json(store, "index.json", NULL, &index, error);

	if (ret == -ENOENT) {
		error_clear(error);
		return error_set(error, ENOENT,
				 "there is no index.json: it is no OCI image layout");
	}
	for (int depth = 0; ret == 0 && (manifests = oci_json_array(index, "manifests")); depth++) {
		json_object *next = NULL;
		bool by_tag = depth == 0 && (choice->tag || !has_platforms(manifests));

		if (depth == INDEXES_MAX)
			ret = error_set(error, ELOOP, "too many indexes in indexes");
		descriptor = by_tag ? choose_tag(manifests, choice->tag, error)
				    : choose_platform(manifests, choice->arch, error);
		if (ret == 0)
			ret = descriptor ? read_blob(store, descriptor, &next, error)
					 : -error->code;
		json_object_put(index);
		index = next;
	}
	*manifest = index;
	return ret;
}

static int take_layer(json_object *descriptor, struct oci_layer *layer, struct error *error)
{
	const char *type = oci_json_text(descriptor, "mediaType");
	json_object *urls = oci_json_array(descriptor, "urls");
	const char *url = urls ? json_object_get_string(json_object_array_get_idx(urls, 0)) : NULL;
	struct oci_blob blob;
	int ret = oci_blob_take(&blob, descriptor, "a layer", error);

	if (ret == 0)
		ret = oci_check_layer_type(type, blob.digest, error);
	if (ret < 0)
		return ret;
	layer->size = blob.size;
	layer->digest = strdup(blob.digest);
	if (oci_is_foreign_layer(type))
		layer->elsewhere = strdup(url ? url : "the registry that it came from");
	if (!layer->digest || (oci_is_foreign_layer(type) && !layer->elsewhere))
		return error_nomem(error);
	return oci_blob_path(blob.digest, &layer->path, error);
}

/* A file that a registry keeps, a disk image maybe, and what to do with that. */
static int refuse_artifact(json_object *manifest, const char *config_type, struct error *error)
{
	const char *type = oci_json_text(manifest, "artifactType");
	json_object *first = json_object_array_get_idx(oci_json_array(manifest, "layers"), 0);
	const char *digest = oci_json_text(first, "digest");
	const char *name = oci_json_text(oci_json_object(first, "annotations"), OCI_TITLE);
	const char *colon = digest ? strchr(digest, ':') : NULL;

	if (!config_type || strcmp(config_type, OCI_TYPE_EMPTY) != 0 || !colon)
		return 0;
	return error_set(error, EINVAL,
			 "it is no container image, but an artifact (%s) of files: if %s is a disk "
			 "image, give the layout's file blobs/sha256/%s, unpacked if it is "
			 "compressed, and as a source with image: in front",
			 type ? type : "of no type", name ? name : "the first one", colon + 1);
}

static int take_manifest(const struct tree *store, json_object *manifest,
			 const struct oci_choice *choice, struct oci_image *image,
			 struct error *error)
{
	json_object *layers = oci_json_array(manifest, "layers"), *config = NULL;
	json_object *descriptor = oci_json_object(manifest, "config");
	int ret;

	if (!layers)
		return error_set(error, EBADMSG, "a manifest without layers");
	ret = refuse_artifact(manifest, oci_json_text(descriptor, "mediaType"), error);
	if (ret == 0)
		ret = oci_check_config_type(oci_json_text(descriptor, "mediaType"), error);
	if (ret == 0)
		ret = read_blob(store, descriptor, &config, error);
	if (ret == 0)
		ret = oci_image_begin(image, config, json_object_array_length(layers), choice,
				      error);
	for (size_t i = 0; ret == 0 && i < image->layer_count; i++)
		ret = take_layer(json_object_array_get_idx(layers, i), &image->layers[i], error);
	json_object_put(config);
	return ret;
}

int oci_find_in_layout(const struct tree *store, const struct oci_choice *choice,
		       struct oci_image *image, struct error *error)
{
	json_object *manifest = NULL;
	int ret = check_version(store, error);

	if (ret == 0)
		ret = find_manifest(store, choice, &manifest, error);
	if (ret == 0)
		ret = take_manifest(store, manifest, choice, image, error);
	json_object_put(manifest);
	return ret;
}
