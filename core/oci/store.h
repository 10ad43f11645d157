/* SPDX-License-Identifier: Apache-2.0 */
/* The files that an image consists of, in a directory or in a tar: a tree, in which they are found
 * by path. Errors name the path, the caller puts the image's name in front. */
#ifndef OCI_STORE_H
#define OCI_STORE_H

#include <json-c/json.h>

#include "core/archive/input.h"
#include "core/base/digest.h"
#include "core/tree/tree.h"
#include "lib/cleanup.h"

DEFINE_CLEANUP(json_object, json_object_put)

/* The path of a blob of an image layout, to be freed. What is no SHA-256 is an error. */
int oci_blob_path(const char *digest, char **path, struct error *error);

/* What a descriptor (descriptor.md of the image specification) says of a blob. */
struct oci_blob {
	const char *digest; /* the descriptor's; NULL: none */
	int64_t size;       /* in bytes; OCI_SIZE_UNSAID: the digest alone says what is meant */
};

#define OCI_SIZE_UNSAID (-1)

/* Is the input as long as it should be? */
int oci_check_size(const struct archive_input *input, int64_t size, struct error *error);

/* A JSON file of at most 4 MiB, and nothing behind it, to be put; blob NULL: not checked. */
int oci_read_json(const struct archive_input *input, const struct oci_blob *blob,
		  json_object **json, struct error *error);
/* The same of a path. */
int oci_store_json(const struct tree *store, const char *path, const struct oci_blob *blob,
		   json_object **json, struct error *error);

/* Where a file's bytes are. input->fd is the caller's to close, its label is path; *scratch: nobody
 * else can change the file. */
int oci_store_open(const struct tree *store, const char *path, struct archive_input *input,
		   bool *scratch, struct error *error);

/* Is this the digest of the input's bytes? */
int oci_check_digest(const struct archive_input *input, const char *digest, struct error *error);
/* Of what was fed to digest, which is good for nothing else then. */
int oci_compare_digest(const char *label, struct digest *digest, const char *expected,
		       struct error *error);

#endif
