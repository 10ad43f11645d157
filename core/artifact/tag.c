/* SPDX-License-Identifier: Apache-2.0 */
/* What a tag of a layout has: an index of images, one an architecture. */
#include <errno.h>
#include <string.h>

#include "core/artifact/private.h"
#include "core/oci/image.h"
#include "core/oci/mediatype.h"

typedef ARRAY(json_object *) descriptors; /* references of their own */

static const char *arch_of(json_object *descriptor)
{
	return oci_json_text(oci_json_object(descriptor, "platform"), "architecture");
}

static bool is_for_linux(json_object *descriptor)
{
	const char *os = oci_json_text(oci_json_object(descriptor, "platform"), "os");

	return !os || strcmp(os, "linux") == 0;
}

static bool has_tag(json_object *descriptor, const char *tag)
{
	const char *name = oci_json_text(oci_json_object(descriptor, "annotations"), OCI_REF_NAME);

	return name && strcmp(name, tag) == 0;
}

static int replace(struct artifact_layout *layout, json_object *descriptor)
{
	const char *digest = oci_json_text(descriptor, "digest");

	return digest ? artifact_texts_add(&layout->replaced, digest) : 0;
}

static int keep(descriptors *members, json_object *descriptor)
{
	json_object **member = array_add(members);

	if (!member)
		return -ENOMEM;
	*member = json_object_get(descriptor);
	return 0;
}

static void forget_tag(json_object *descriptor)
{
	json_object *annotations = oci_json_object(descriptor, "annotations");

	if (!annotations)
		return;
	json_object_object_del(annotations, OCI_REF_NAME);
	if (json_object_object_length(annotations) == 0)
		json_object_object_del(descriptor, "annotations");
}

/* One image of the tag. What says not for what it is cannot stand in an index beside others. */
static int sort_out(struct artifact_layout *layout, json_object *descriptor, const char *arch,
		    descriptors *members)
{
	const char *its = arch_of(descriptor);

	if (!its || (is_for_linux(descriptor) && strcmp(its, arch) == 0))
		return replace(layout, descriptor);
	forget_tag(descriptor);
	return keep(members, descriptor);
}

static int sort_out_index(struct artifact_layout *layout, json_object *descriptor, const char *arch,
			  descriptors *members, struct error *error)
{
	json_object *index = NULL, *manifests;
	struct oci_blob blob;
	int ret = oci_blob_take(&blob, descriptor, "an index", error);

	if (ret == 0)
		ret = artifact_layout_read(layout, &blob, &index, error);
	else
		error_prefix(error, "%s/index.json", layout->path);
	if (ret < 0)
		return ret;
	manifests = oci_json_array(index, "manifests");
	ret = replace(layout, descriptor);
	for (size_t i = 0; ret == 0 && manifests && i < json_object_array_length(manifests); i++)
		ret = sort_out(layout, json_object_array_get_idx(manifests, i), arch, members);
	json_object_put(index);
	return ret < 0 ? error_nomem(error) : 0;
}

/* index.json without the tag's entries; *place: where in rest the first one was, or its end. */
static int take_out(struct artifact_layout *layout, const char *tag, const char *arch,
		    json_object *rest, size_t *place, descriptors *members, struct error *error)
{
	json_object *manifests = oci_json_array(layout->index, "manifests");
	size_t count = json_object_array_length(manifests);
	int ret = 0;

	*place = count;
	for (size_t i = 0; ret == 0 && i < count; i++) {
		json_object *entry = json_object_array_get_idx(manifests, i);

		if (!has_tag(entry, tag)) {
			if (artifact_json_append(rest, json_object_get(entry)) < 0)
				ret = error_nomem(error);
			continue;
		}
		if (*place == count)
			*place = json_object_array_length(rest);
		if (artifact_is_index(oci_json_text(entry, "mediaType")))
			ret = sort_out_index(layout, entry, arch, members, error);
		else if (sort_out(layout, entry, arch, members) < 0)
			ret = error_nomem(error);
	}
	return ret;
}

/* Whatever the order in which they were built. */
static int compare(const void *a, const void *b)
{
	json_object *x = *(json_object *const *)a, *y = *(json_object *const *)b;
	int order = strcmp(arch_of(x), arch_of(y));
	const char *left = artifact_json_text(x), *right = artifact_json_text(y);

	return order || !left || !right ? order : strcmp(left, right);
}

static json_object *list_of(const descriptors *members)
{
	json_object *list = json_object_new_array();
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < members->count; i++)
		ret = artifact_json_append(list, json_object_get(members->items[i]));
	if (ret == 0)
		return list;
	json_object_put(list);
	return NULL;
}

static json_object *index_of(const descriptors *members)
{
	json_object *index = json_object_new_object();

	if (artifact_json_add(index, "schemaVersion", json_object_new_int(2)) == 0 &&
	    artifact_json_add(index, "mediaType", json_object_new_string(OCI_TYPE_INDEX)) == 0 &&
	    artifact_json_add(index, "manifests", list_of(members)) == 0)
		return index;
	json_object_put(index);
	return NULL;
}

static int put_index(struct artifact_layout *layout, descriptors *members,
		     struct artifact_blob *blob, struct error *error)
{
	struct output *beside autocall(cleanup_output_close) = NULL;
	autofree char *path = NULL;
	json_object *index;
	int ret;

	if (asprintf(&path, "%s/index.json", layout->path) < 0)
		return error_nomem(error);
	ret = output_open("the layout's file", path, NULL, &beside, error);
	if (ret < 0)
		return ret;
	qsort(members->items, members->count, sizeof(*members->items), compare);
	index = index_of(members);
	ret = artifact_blob_of_json(blob, beside, index, error);
	json_object_put(index);
	return ret < 0 ? ret : artifact_layout_put(layout, blob, error);
}

static json_object *entry_of(const struct artifact_blob *index, const char *tag)
{
	json_object *entry = artifact_descriptor(OCI_TYPE_INDEX, index);
	json_object *annotations = json_object_new_object();
	int ret = artifact_json_add(annotations, OCI_REF_NAME, json_object_new_string(tag));

	if (artifact_json_add(entry, "annotations", annotations) == 0 && ret == 0)
		return entry;
	json_object_put(entry);
	return NULL;
}

/* The list without the tag, with the new entry where the old one was. */
static int put_in(struct artifact_layout *layout, json_object *rest, size_t place,
		  json_object *entry, struct error *error)
{
	json_object *list = json_object_new_array();
	size_t count = json_object_array_length(rest);
	int ret = 0;

	for (size_t i = 0; ret == 0 && i <= count; i++) {
		if (i == place)
			ret = artifact_json_append(list, json_object_get(entry));
		if (ret == 0 && i < count)
			ret = artifact_json_append(
				list, json_object_get(json_object_array_get_idx(rest, i)));
	}
	if (ret < 0) {
		json_object_put(list);
		return error_nomem(error);
	}
	return artifact_json_add(layout->index, "manifests", list) < 0 ? error_nomem(error) : 0;
}

static int change(struct artifact_layout *layout, const char *tag, descriptors *members,
		  json_object *descriptor, struct artifact_blob *index, struct error *error)
{
	json_object *rest = json_object_new_array(), *entry = NULL;
	size_t place = 0;
	int ret = rest ? take_out(layout, tag, arch_of(descriptor), rest, &place, members, error)
		       : error_nomem(error);

	if (ret == 0 && keep(members, descriptor) < 0)
		ret = error_nomem(error);
	if (ret == 0)
		ret = put_index(layout, members, index, error);
	if (ret == 0) {
		entry = entry_of(index, tag);
		ret = put_in(layout, rest, place, entry, error);
	}
	json_object_put(entry);
	json_object_put(rest);
	return ret;
}

int artifact_layout_add(struct artifact_layout *layout, const char *tag, json_object *descriptor,
			char index[ARTIFACT_DIGEST_TEXT_BYTES], struct error *error)
{
	descriptors members = { 0 };
	struct artifact_blob blob = { 0 };
	int ret = change(layout, tag, &members, descriptor, &blob, error);

	memcpy(index, blob.digest, sizeof(blob.digest));
	artifact_blob_free(&blob);
	for (size_t i = 0; i < members.count; i++)
		json_object_put(members.items[i]);
	array_free(&members);
	json_object_put(descriptor);
	return ret;
}
