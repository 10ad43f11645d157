/* SPDX-License-Identifier: Apache-2.0 */
/* What an image's JSON files say: which layers there are, in which order. */
#ifndef OCI_IMAGE_H
#define OCI_IMAGE_H

#include <sys/utsname.h>

#include "core/oci/store.h"

struct oci_layer {
	char *path;      /* owned; in the store */
	char *digest;    /* owned; of that file; NULL: not known */
	int64_t size;    /* of that file, or OCI_SIZE_UNSAID */
	char *diff_id;   /* owned; the digest of its content without compression */
	char *elsewhere; /* owned; where it may have stayed when the image was copied; NULL: it
			    should be in the store */
};

struct oci_image {
	struct oci_layer *layers; /* owned; the lowest first */
	size_t layer_count;
};

/* What to choose where there is a choice; NULL: nothing was said. */
struct oci_choice {
	const char *tag, *arch;
};

/* By index.json, of an image layout. */
int oci_find_in_layout(const struct tree *store, const struct oci_choice *choice,
		       struct oci_image *image, struct error *error);

/* By manifest.json, of docker save. */
int oci_find_in_docker(const struct tree *store, const struct oci_choice *choice,
		       struct oci_image *image, struct error *error);

void oci_image_free(struct oci_image *image);

/* ---- Of image.c, for both ---- */

/* "amd64" out of "x86_64" or itself; of this machine, for which machine is room, when arch is NULL
 * or empty. */
const char *oci_arch_name(const char *arch, struct utsname *machine);

/* A member of an object: NULL when it is missing or of another type. */
const char *oci_json_text(json_object *object, const char *key);
json_object *oci_json_array(json_object *object, const char *key);
json_object *oci_json_object(json_object *object, const char *key);

/* What a descriptor says, which is told of as what ("a layer") when it has no digest. A size that
 * is no number of bytes is an error; to have none is not, as the digest says all. */
int oci_blob_take(struct oci_blob *blob, json_object *descriptor, const char *what,
		  struct error *error);

/* Can a layout that says so of itself (oci-layout) be read? label: where it says so. */
int oci_check_version(json_object *version, const char *label, struct error *error);

/* The names that there are, for messages; cut to size. */
struct oci_names {
	char text[512];
};

void oci_add_name(struct oci_names *names, const char *name); /* NULL: none */

/* No tag was given where one is needed, or one that none of the count images has. */
int oci_fail_choice(const char *tag, size_t count, const struct oci_names *names,
		    struct error *error);

/* Makes count layers whose diff_ids are those of the configuration, which must have as many, and
 * whose architecture must be the wanted one. */
int oci_image_begin(struct oci_image *image, json_object *config, size_t count,
		    const struct oci_choice *choice, struct error *error);

#endif
