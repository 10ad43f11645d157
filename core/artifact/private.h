/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a layout, for its parts: its files, its tags, its sweeper. */
#ifndef ARTIFACT_PRIVATE_H
#define ARTIFACT_PRIVATE_H

#include "core/artifact/layout.h"
#include "lib/array.h"

typedef ARRAY(char *) artifact_texts; /* owned, with their strings */

struct artifact_layout {
	char *path;
	struct artifact_manner manner;
	bool made;               /* the directory, by this build */
	int dir, blobs, sha256;  /* it, blobs/ with the lock, blobs/sha256/ */
	json_object *index;      /* index.json, changed as it is to be */
	struct output *file;     /* of it */
	artifact_texts put;      /* names of blobs that were not there before */
	artifact_texts replaced; /* digests of manifests and indexes */
	bool settled;
};

struct oci_blob;

/* A blob that is JSON, to be put, and is what is said of it. -ENOENT: there is none. */
int artifact_layout_read(const struct artifact_layout *layout, const struct oci_blob *blob,
			 json_object **json, struct error *error);

int artifact_texts_add(artifact_texts *texts, const char *text); /* -ENOMEM */
void artifact_texts_free(artifact_texts *texts);

/* Is it of an index? NULL: no. */
bool artifact_is_index(const char *media_type);

/* Removes blobs as artifact_layout_settle says. When in doubt, none. */
void artifact_sweep(const struct artifact_layout *layout);

#endif
