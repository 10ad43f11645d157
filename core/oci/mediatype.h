/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an image says that its parts are. Formats: OCI image specification 1.1, media-types.md;
 * Docker image manifest version 2, schema 2; ocicrypt for encrypted layers.
 */
#ifndef OCI_MEDIATYPE_H
#define OCI_MEDIATYPE_H

#include <stdbool.h>

#include "core/base/error.h"

#define OCI_TYPE_INDEX "application/vnd.oci.image.index.v1+json"
#define OCI_TYPE_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_TYPE_CONFIG "application/vnd.oci.image.config.v1+json"
#define OCI_TYPE_EMPTY "application/vnd.oci.empty.v1+json"
#define OCI_TYPE_LAYER "application/vnd.oci.image.layer.v1.tar"
#define OCI_TYPE_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define OCI_TYPE_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"

/* Keys of annotations: annotations.md of the image specification. */
#define OCI_REF_NAME "org.opencontainers.image.ref.name"
#define OCI_TITLE "org.opencontainers.image.title"
#define OCI_CREATED "org.opencontainers.image.created"

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
