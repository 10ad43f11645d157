/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Container images as sources: an image layout, the same in a tar, what docker save writes. All
 * layers are applied, with their whiteouts; the digests of the index's blobs and of the layers'
 * content are checked. Formats: OCI image specification 1.1, Docker image specification 1.2. Only
 * SHA-256 is known.
 */
#ifndef OCI_OCI_H
#define OCI_OCI_H

#include "core/tree/tree.h"

enum oci_store { OCI_LAYOUT, OCI_LAYOUT_ARCHIVE, OCI_DOCKER_ARCHIVE };

/* "DIR[:TAG]" without the tag; to be freed. NULL when memory is out. */
char *oci_store_path(const char *source);

/* source: "DIR[:TAG]" or "FILE[:TAG]". */
int oci_read_tree(enum oci_store store, const char *source, const struct tree_options *options,
		  struct tree **tree, struct error *error);

/* "DIR[:TAG]" of a layout, given where an image's file belongs: always an error, which says what
 * there is, and of an artifact which file to give. */
int oci_refuse_as_file(const char *source, struct error *error);

#endif
