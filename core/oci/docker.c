/* SPDX-License-Identifier: Apache-2.0 */
/* What docker save writes: manifest.json has all images, each with its layers' paths. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/oci/image.h"

/*
 * A name as "docker pull" completes it, to be freed: without a registry in front it is of
 * docker.io, where one of no group is in library/, and without a tag it is the latest.
 */
static char *complete_name(const char *name)
{
	const char *slash = strchr(name, '/'), *last = strrchr(name, '/');
	size_t first_len = slash ? (size_t)(slash - name) : 0;
	bool has_registry =
		slash && (memchr(name, '.', first_len) || memchr(name, ':', first_len) ||
			  strncmp(name, "localhost/", first_len + 1) == 0);
	bool has_tag = strpbrk(last ? last + 1 : name, ":@") != NULL;
	const char *registry = has_registry ? "" : slash ? "docker.io/" : "docker.io/library/";
	char *completed;

	return asprintf(&completed, "%s%s%s", registry, name, has_tag ? "" : ":latest") < 0
		       ? NULL
		       : completed;
}

static int is_same_name(const char *name, const char *completed, struct error *error)
{
	autofree char *other = complete_name(name);

	return other ? strcmp(other, completed) == 0 : error_nomem(error);
}

/* 1: one of the image's names is tag, which was completed before. */
static int has_tag(json_object *image, const char *tag, struct error *error)
{
	json_object *tags = oci_json_array(image, "RepoTags");
	int found = 0;

	for (size_t i = 0; tags && found == 0 && i < json_object_array_length(tags); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(tags, i));

		if (name)
			found = is_same_name(name, tag, error);
	}
	return found;
}

static void add_tags(json_object *image, struct oci_names *names)
{
	json_object *tags = oci_json_array(image, "RepoTags");

	for (size_t i = 0; tags && i < json_object_array_length(tags); i++)
		oci_add_name(names, json_object_get_string(json_object_array_get_idx(tags, i)));
}

static int choose_tag(json_object *images, size_t count, const char *tag, json_object **chosen,
		      struct error *error)
{
	autofree char *completed = complete_name(tag);
	int found = completed ? 0 : error_nomem(error);

	for (size_t i = 0; found == 0 && i < count; i++) {
		*chosen = json_object_array_get_idx(images, i);
		found = has_tag(*chosen, completed, error);
	}
	return found;
}

static int choose(json_object *images, const char *tag, json_object **chosen, struct error *error)
{
	struct oci_names names = { "" };
	size_t count =
		json_object_is_type(images, json_type_array) ? json_object_array_length(images) : 0;
	int found = tag ? choose_tag(images, count, tag, chosen, error) : count == 1;

	if (!tag && count == 1)
		*chosen = json_object_array_get_idx(images, 0);
	if (found != 0)
		return found < 0 ? found : 0;
	for (size_t i = 0; i < count; i++)
		add_tags(json_object_array_get_idx(images, i), &names);
	return oci_fail_choice(tag, count, &names, error);
}

static int take_paths(json_object *layers, struct oci_image *image, struct error *error)
{
	for (size_t i = 0; i < image->layer_count; i++) {
		const char *path = json_object_get_string(json_object_array_get_idx(layers, i));

		image->layers[i].path = strdup(path ? path : "");
		if (!image->layers[i].path)
			return error_nomem(error);
	}
	return 0;
}

static int take_image(const struct tree *store, json_object *entry, const struct oci_choice *choice,
		      struct oci_image *image, struct error *error)
{
	json_object *layers = oci_json_array(entry, "Layers"), *config = NULL;
	const char *path = oci_json_text(entry, "Config");
	int ret;

	if (!layers || !path)
		return error_set(error, EBADMSG,
				 "manifest.json: an image without Config or Layers");
	ret = oci_store_json(store, path, NULL, &config, error);
	if (ret == 0)
		ret = oci_image_begin(image, config, json_object_array_length(layers), choice,
				      error);
	json_object_put(config);
	return ret < 0 ? ret : take_paths(layers, image, error);
}

int oci_find_in_docker(const struct tree *store, const struct oci_choice *choice,
		       struct oci_image *image, struct error *error)
{
	json_object *images = NULL, *entry = NULL;
	int ret = oci_store_json(store, "manifest.json", NULL, &images, error);

	if (ret == -ENOENT) {
		error_clear(error);
		return error_set(error, ENOENT,
				 "there is no manifest.json: docker save did not write it");
	}
	if (ret < 0)
		return ret;
	ret = choose(images, choice->tag, &entry, error);
	if (ret == 0)
		ret = take_image(store, entry, choice, image, error);
	json_object_put(images);
	return ret;
}
