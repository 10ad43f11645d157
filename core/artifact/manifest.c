/* SPDX-License-Identifier: Apache-2.0 */
#include "core/artifact/manifest.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "core/oci/mediatype.h"

/* Base64 of "{}", which is the whole configuration of an artifact: the specification lets it stand
 * in its descriptor, and oras puts it there. */
#define EMPTY_DATA "e30="

static int add_text(json_object *object, const char *key, const char *text)
{
	return artifact_json_add(object, key, json_object_new_string(text));
}

/* The member, which is not used when ret is an error. */
static int add(int ret, json_object *object, const char *key, json_object *member)
{
	int added = artifact_json_add(object, key, member);

	return ret < 0 ? ret : added;
}

static json_object *finish(int ret, json_object *object)
{
	if (ret == 0)
		return object;
	json_object_put(object);
	return NULL;
}

/* RFC 3339, of any year that a file may be of. */
static json_object *time_text(int64_t seconds)
{
	const time_t at = (time_t)seconds;
	struct tm tm;
	char text[64];

	if (!gmtime_r(&at, &tm) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return json_object_new_string("1970-01-01T00:00:00Z");
	return json_object_new_string(text);
}

static json_object *one_item(json_object *item)
{
	json_object *array = json_object_new_array();

	return finish(artifact_json_append(array, item), array);
}

static json_object *rootfs_of(const struct artifact *artifact)
{
	json_object *rootfs = json_object_new_object();
	int ret = add_text(rootfs, "type", "layers");

	ret = add(ret, rootfs, "diff_ids", one_item(json_object_new_string(artifact->content)));
	return finish(ret, rootfs);
}

static json_object *history_of(const struct artifact_request *request)
{
	json_object *step = json_object_new_object();
	int ret = artifact_json_add(step, "created", time_text(request->created));

	ret = add(ret, step, "created_by", json_object_new_string("kataimg"));
	return one_item(finish(ret, step));
}

json_object *artifact_make_config(const struct artifact_request *request,
				  const struct artifact *artifact)
{
	json_object *config = json_object_new_object();
	int ret;

	if (request->form == ARTIFACT_FILES)
		return config;
	ret = artifact_json_add(config, "created", time_text(request->created));
	ret = add(ret, config, "architecture", json_object_new_string(request->arch));
	ret = add(ret, config, "os", json_object_new_string("linux"));
	ret = add(ret, config, "config", json_object_new_object());
	ret = add(ret, config, "rootfs", rootfs_of(artifact));
	ret = add(ret, config, "history", history_of(request));
	return finish(ret, config);
}

/* A compressed file is no longer of the type that oras gives every file: what it is has types of
 * its own (RFC 6713, RFC 8878). */
static const char *layer_type(const struct artifact_request *request)
{
	static const char *const types[][3] = {
		[ARTIFACT_FILES] = { OCI_TYPE_LAYER, "application/gzip", "application/zstd" },
		[ARTIFACT_CONTAINERDISK] = { OCI_TYPE_LAYER, OCI_TYPE_LAYER "+gzip",
					     OCI_TYPE_LAYER "+zstd" },
	};

	return types[request->form][request->compress];
}

static json_object *title_of(const char *name, const char *suffix)
{
	json_object *annotations = json_object_new_object();
	autofree char *title = NULL;

	if (asprintf(&title, "%s%s", name, suffix) < 0)
		return finish(-ENOMEM, annotations);
	return finish(add_text(annotations, OCI_TITLE, title), annotations);
}

static json_object *layer_of(const char *type, const struct artifact_blob *blob, const char *name,
			     const char *suffix)
{
	json_object *layer = artifact_descriptor(type, blob);

	if (!name)
		return layer;
	return finish(artifact_json_add(layer, "annotations", title_of(name, suffix)), layer);
}

static json_object *layers_of(const struct artifact_request *request,
			      const struct artifact *artifact)
{
	const bool is_disk = request->form == ARTIFACT_CONTAINERDISK;
	json_object *layers = one_item(layer_of(layer_type(request), &artifact->layer,
						is_disk ? NULL : request->name,
						artifact_suffix(request->compress)));

	if (!layers || !artifact->hash.file)
		return layers;
	return finish(artifact_json_append(layers, layer_of(OCI_TYPE_LAYER, &artifact->hash,
							    request->hash_name, "")),
		      layers);
}

static json_object *config_of(const struct artifact_request *request,
			      const struct artifact *artifact)
{
	const bool is_disk = request->form == ARTIFACT_CONTAINERDISK;
	json_object *config =
		artifact_descriptor(is_disk ? OCI_TYPE_CONFIG : OCI_TYPE_EMPTY, &artifact->config);

	if (is_disk)
		return config;
	return finish(add_text(config, "data", EMPTY_DATA), config);
}

static json_object *annotations_of(const struct artifact_request *request)
{
	json_object *annotations = json_object_new_object();
	int ret = 0;

	if (request->hash_line) {
		ret = add_text(annotations, ARTIFACT_ROOT_HASH, request->root_hash);
		ret = add(ret, annotations, ARTIFACT_VERITY_PARAMS,
			  json_object_new_string(request->hash_line));
	}
	ret = add(ret, annotations, OCI_CREATED, time_text(request->created));
	return finish(ret, annotations);
}

json_object *artifact_make_manifest(const struct artifact_request *request,
				    const struct artifact *artifact)
{
	json_object *manifest = json_object_new_object();
	int ret = artifact_json_add(manifest, "schemaVersion", json_object_new_int(2));

	ret = add(ret, manifest, "mediaType", json_object_new_string(OCI_TYPE_MANIFEST));
	if (request->form == ARTIFACT_FILES)
		ret = add(ret, manifest, "artifactType", json_object_new_string(request->type));
	ret = add(ret, manifest, "config", config_of(request, artifact));
	ret = add(ret, manifest, "layers", layers_of(request, artifact));
	ret = add(ret, manifest, "annotations", annotations_of(request));
	return finish(ret, manifest);
}

json_object *artifact_make_entry(const struct artifact *artifact)
{
	json_object *entry = artifact_descriptor(OCI_TYPE_MANIFEST, &artifact->manifest);
	json_object *platform = json_object_new_object();
	int ret = add_text(platform, "architecture", artifact->arch);

	ret = add(ret, platform, "os", json_object_new_string("linux"));
	return finish(add(ret, entry, "platform", finish(ret, platform)), entry);
}
