/* SPDX-License-Identifier: Apache-2.0 */
#include "core/artifact/blob.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/hex.h"

int artifact_blob_create(struct artifact_blob *blob, const struct output *beside,
			 struct error *error)
{
	int ret = output_open_beside("a blob of the layout", beside, &blob->file, error);

	return ret < 0 ? ret : output_create(blob->file, 0, error);
}

int artifact_blob_end(struct artifact_blob *blob, struct digest *digest, uint64_t bytes,
		      struct error *error)
{
	uint8_t hash[DIGEST_BYTES];
	int ret = digest_final(digest, hash);

	if (ret < 0)
		return error_set(error, -ret, "SHA-256 failed");
	hex_format(hash, sizeof(hash), stpcpy(blob->digest, "sha256:"));
	blob->bytes = bytes;
	return 0;
}

int artifact_blob_of_bytes(struct artifact_blob *blob, const struct output *beside,
			   const void *bytes, size_t len, struct error *error)
{
	struct digest *digest autocall(cleanup_digest_free) = digest_new();
	int ret = digest ? artifact_blob_create(blob, beside, error) : error_nomem(error);

	if (ret == 0)
		ret = output_write(blob->file, bytes, len, 0, error);
	if (ret < 0)
		return ret;
	ret = digest_update(digest, bytes, len);
	return ret < 0 ? error_set(error, -ret, "SHA-256 failed")
		       : artifact_blob_end(blob, digest, len, error);
}

int artifact_blob_of_json(struct artifact_blob *blob, const struct output *beside,
			  json_object *json, struct error *error)
{
	const char *text = json ? artifact_json_text(json) : NULL;

	return text ? artifact_blob_of_bytes(blob, beside, text, strlen(text), error)
		    : error_nomem(error);
}

void artifact_blob_free(const struct artifact_blob *blob)
{
	if (!blob->is_borrowed)
		output_close(blob->file);
}

/* json-c leaves out what it has no memory for, and does not say so: the text is read again. */
const char *artifact_json_text(json_object *json)
{
	const char *text = json_object_to_json_string_ext(
		json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	json_object *again = text ? json_tokener_parse(text) : NULL;
	bool is_whole = again && json_object_equal(again, json);

	json_object_put(again);
	return is_whole ? text : NULL;
}

int artifact_json_add(json_object *object, const char *key, json_object *member)
{
	if (object && member && json_object_object_add(object, key, member) == 0)
		return 0;
	json_object_put(member);
	return -ENOMEM;
}

int artifact_json_append(json_object *array, json_object *item)
{
	if (array && item && json_object_array_add(array, item) == 0)
		return 0;
	json_object_put(item);
	return -ENOMEM;
}

json_object *artifact_descriptor(const char *media_type, const struct artifact_blob *blob)
{
	json_object *descriptor = json_object_new_object();

	if (artifact_json_add(descriptor, "mediaType", json_object_new_string(media_type)) == 0 &&
	    artifact_json_add(descriptor, "digest", json_object_new_string(blob->digest)) == 0 &&
	    artifact_json_add(descriptor, "size", json_object_new_int64((int64_t)blob->bytes)) == 0)
		return descriptor;
	json_object_put(descriptor);
	return NULL;
}
