/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OCI image layout (image specification 1.1, image-layout.md) that gets further tags. It is
 * changed by one rename, of index.json: blobs come before it, under their names, and who is killed
 * between leaves a layout that says what it said. Builds change a layout one after the other: they
 * hold a lock (flock(2)) on its folder blobs.
 */
#ifndef ARTIFACT_LAYOUT_H
#define ARTIFACT_LAYOUT_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/artifact/blob.h"

struct artifact_layout;

/* What the files of a layout get. */
struct artifact_manner {
	uid_t owner; /* -1: the caller */
	gid_t group;
	bool sync; /* blobs are on the disk before index.json names them */
};

/* Is the directory, which is not empty, a layout? */
int artifact_layout_check(const char *dir, struct error *error);

/* Makes the layout if there is none, and locks it. Waits for other builds. */
int artifact_layout_open(const char *dir, const struct artifact_manner *manner,
			 struct artifact_layout **layout, struct error *error);

/* Gives the blob its name; what has the name is replaced. */
int artifact_layout_put(struct artifact_layout *layout, struct artifact_blob *blob,
			struct error *error);

/*
 * The tag gets an index with one more image: that of platform.architecture in descriptor, which is
 * taken. Of the tag's own images one for the same architecture goes, others stay. index: the tag's.
 */
int artifact_layout_add(struct artifact_layout *layout, const char *tag, json_object *descriptor,
			char index[ARTIFACT_DIGEST_TEXT_BYTES], struct error *error);

/* index.json as it is to be, complete, for core/image/publish.h. */
int artifact_layout_write_index(struct artifact_layout *layout, struct error *error);
/* The layout's; NULL: not written yet. */
struct output *artifact_layout_index(const struct artifact_layout *layout);

/* As it was opened. */
const char *artifact_layout_path(const struct artifact_layout *layout);

/* After it was published: removes the blobs that replaced images leave behind, but none that
 * anything in the layout still refers to. */
void artifact_layout_settle(struct artifact_layout *layout);

/* Removes what was put, unless it was settled, and unlocks. */
void artifact_layout_close(struct artifact_layout *layout);
DEFINE_CLEANUP(struct artifact_layout, artifact_layout_close)

#endif
