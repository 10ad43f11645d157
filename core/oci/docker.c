/* SPDX-License-Identifier: Apache-2.0 */
/* What docker save writes: manifest.json has all images, each with its layers' paths. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/oci/image.h"

/* Does the image have the tag? All that it has go to the list of names. */
static bool has_tag(json_object *image, const char *tag, struct oci_names *names)
{
	json_object *tags = oci_json_array(image, "RepoTags");

	for (size_t i = 0; tags && i < json_object_array_length(tags); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(tags, i));

		if (tag && name && strcmp(name, tag) == 0)
			return true;
		oci_add_name(names, name);
	}
	return false;
}

static json_object *choose(json_object *images, const char *tag, struct error *error)
{
	struct oci_names names = { "" };
	size_t count =
		json_object_is_type(images, json_type_array) ? json_object_array_length(images) : 0;

	for (size_t i = 0; i < count; i++)
		if (has_tag(json_object_array_get_idx(images, i), tag, &names))
			return json_object_array_get_idx(images, i);
	if (!tag && count == 1)
		return json_object_array_get_idx(images, 0);
	oci_fail_choice(tag, count, &names, error);
	return NULL;
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
	json_object *images = NULL, *entry;
	int ret = oci_store_json(store, "manifest.json", NULL, &images, error);

	if (ret < 0)
		return ret;
	entry = choose(images, choice->tag, error);
	ret = entry ? take_image(store, entry, choice, image, error) : -error->code;
	json_object_put(images);
	return ret;
}
