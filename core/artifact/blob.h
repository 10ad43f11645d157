/* SPDX-License-Identifier: Apache-2.0 */
/* The content of a layout: files that are named by what is in them. */
#ifndef ARTIFACT_BLOB_H
#define ARTIFACT_BLOB_H

#include <json-c/json.h>
#include <stdbool.h>

#include "core/base/digest.h"
#include "core/image/output.h"

/* "sha256:" and the digits, with a NUL. */
#define ARTIFACT_DIGEST_TEXT_BYTES (7 + 2 * DIGEST_BYTES + 1)

struct artifact_blob {
	struct output *file; /* complete, without its name */
	bool is_borrowed;    /* else the file is owned */
	char digest[ARTIFACT_DIGEST_TEXT_BYTES];
	uint64_t bytes;
};

/* Makes the blob's file, empty, beside another file. */
int artifact_blob_create(struct artifact_blob *blob, const struct output *beside,
			 struct error *error);

/* Ends digest, which all bytes of the blob were fed to, and sets both members. */
int artifact_blob_end(struct artifact_blob *blob, struct digest *digest, uint64_t bytes,
		      struct error *error);

int artifact_blob_of_bytes(struct artifact_blob *blob, const struct output *beside,
			   const void *bytes, size_t len, struct error *error);
/* Without white space, members in their order. */
int artifact_blob_of_json(struct artifact_blob *blob, const struct output *beside,
			  json_object *json, struct error *error);

void artifact_blob_free(const struct artifact_blob *blob);

/* The text that index.json and blobs have; of json. NULL when memory is out. */
const char *artifact_json_text(json_object *json);

/* { "mediaType", "digest", "size" }; NULL when memory is out. */
json_object *artifact_descriptor(const char *media_type, const struct artifact_blob *blob);

/* Gives object the member, which is taken in any case. -ENOMEM, of either. */
int artifact_json_add(json_object *object, const char *key, json_object *member);
/* The same of an array and an item. */
int artifact_json_append(json_object *array, json_object *item);

#endif
