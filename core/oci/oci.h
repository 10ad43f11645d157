/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Container images as sources: "oci:DIR[:TAG]", an image layout; "oci-archive:FILE[:TAG]", the same
 * in a tar; "docker-archive:FILE[:TAG]", what docker save writes. All layers are applied, with
 * their whiteouts; the digests of the index's blobs and of the layers' content are checked.
 * Formats: OCI image specification 1.1, Docker image specification 1.2. Only SHA-256 is known.
 */
#ifndef OCI_OCI_H
#define OCI_OCI_H

#include "core/archive/archive.h"

struct oci_options {
	const char *arch; /* as "uname -m" or Go has it; "" or NULL: this machine's where there is a
			     choice */
	struct archive_options archive;
};

/* The path in a source that has a scheme (config/scheme.h) in front, without scheme and tag; to be
 * freed. NULL when memory is out. */
char *oci_store_path(const char *source);

/* source with its scheme in front. */
int oci_read_tree(const char *source, const struct oci_options *options, struct tree **tree,
		  struct error *error);

#endif
