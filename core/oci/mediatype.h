/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an image says that its parts are. Formats: OCI image specification 1.1, media-types.md;
 * Docker image manifest version 2, schema 2; ocicrypt for encrypted layers.
 */
#ifndef OCI_MEDIATYPE_H
#define OCI_MEDIATYPE_H

#include <stdbool.h>

#include "core/base/error.h"

/*
 * Is it a layer that can be applied: a tar, plain or compressed by gzip or zstd? How a layer is
 * really compressed is seen from its bytes, and its digest tells whether they are the right ones.
 * type NULL: nothing was said, and it is taken for one. digest names the layer.
 */
int oci_check_layer_type(const char *type, const char *digest, struct error *error);

/* A layer that stays where it came from when its image is copied: it is applied like others when it
 * is there. */
bool oci_is_foreign_layer(const char *type);

/* Is it an image's configuration, and not that of another artifact? */
int oci_check_config_type(const char *type, struct error *error);

#endif
