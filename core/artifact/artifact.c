/* SPDX-License-Identifier: Apache-2.0 */
#include "core/artifact/artifact.h"

#include <stdio.h>
#include <string.h>

#include "core/artifact/layer.h"
#include "core/artifact/manifest.h"

const char *artifact_suffix(enum compress_form compress)
{
	static const char *const suffixes[] = {
		[COMPRESS_NONE] = "", [COMPRESS_GZIP] = ".gz", [COMPRESS_ZSTD] = ".zst"
	};

	return suffixes[compress];
}

static int make_hash(const struct artifact_request *request, struct artifact_blob *hash,
		     struct error *error)
{
	autofree char *line = NULL;

	if (!request->hash_line)
		return 0;
	if (asprintf(&line, "%s\n", request->hash_line) < 0)
		return error_nomem(error);
	return artifact_blob_of_bytes(hash, request->image, line, strlen(line), error);
}

static int make_json(const struct artifact_request *request, const struct artifact *artifact,
		     json_object *(*make)(const struct artifact_request *request,
					  const struct artifact *artifact),
		     struct artifact_blob *blob, struct error *error)
{
	json_object *json = make(request, artifact);
	int ret = artifact_blob_of_json(blob, request->image, json, error);

	json_object_put(json);
	return ret;
}

int artifact_make(const struct artifact_request *request, struct artifact *artifact,
		  struct error *error)
{
	int ret = artifact_layer_make(request, &artifact->layer, artifact->content, error);

	snprintf(artifact->arch, sizeof(artifact->arch), "%s", request->arch);
	if (ret == 0 && request->form == ARTIFACT_FILES)
		ret = make_hash(request, &artifact->hash, error);
	if (ret == 0)
		ret = make_json(request, artifact, artifact_make_config, &artifact->config, error);
	if (ret == 0)
		ret = make_json(request, artifact, artifact_make_manifest, &artifact->manifest,
				error);
	return ret;
}

int artifact_put(struct artifact *artifact, struct artifact_layout *layout, const char *tag,
		 struct error *error)
{
	struct artifact_blob *blobs[] = { &artifact->layer, &artifact->hash, &artifact->config,
					  &artifact->manifest };
	json_object *entry;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < sizeof(blobs) / sizeof(blobs[0]); i++)
		if (blobs[i]->file)
			ret = artifact_layout_put(layout, blobs[i], error);
	if (ret < 0)
		return ret;
	entry = artifact_make_entry(artifact);
	return entry ? artifact_layout_add(layout, tag, entry, artifact->index, error)
		     : error_nomem(error);
}

void artifact_free(struct artifact *artifact)
{
	artifact_blob_free(&artifact->layer);
	artifact_blob_free(&artifact->hash);
	artifact_blob_free(&artifact->config);
	artifact_blob_free(&artifact->manifest);
}
