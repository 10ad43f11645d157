/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci:DIR:TAG as the name of what is to be made: a tag of an OCI image layout, split at the first
 * colon as skopeo(1) splits it. A tag is what a registry takes for one (OCI distribution
 * specification 1.1): a letter, digit or _, then up to 127 of these, '.' and '-'.
 */
#ifndef ARTIFACT_PLACE_H
#define ARTIFACT_PLACE_H

#include <stddef.h>

#include "core/base/error.h"

struct artifact_place {
	char *dir, *tag; /* owned */
};

/* The bytes of "oci:" in front of name; 0: it is the path of a file. */
size_t artifact_prefix(const char *name);

/* Is the name, if it has the prefix, such a one? Of kind ERROR_USAGE, without the name. */
int artifact_check_name(const char *name, struct error *error);

/* Of a name with the prefix. */
int artifact_place_parse(const char *name, struct artifact_place *place, struct error *error);
void artifact_place_free(struct artifact_place *place);

/* The file that what becomes of a name is made beside, in the same filesystem: the name itself, or
 * of a layout its index, or the layout while there is none. To be freed; NULL when memory is out.
 */
char *artifact_path_beside(const char *name);

/*
 * Can a layout be in the directory: is it one, or empty, or not there in a directory that is? Of
 * kind ERROR_USAGE. Makes nothing.
 */
int artifact_check_directory(const char *dir, struct error *error);

#endif
