/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of an artifact; each NULL when memory is out. */
#ifndef ARTIFACT_MANIFEST_H
#define ARTIFACT_MANIFEST_H

#include "core/artifact/artifact.h"

/* The root hash and the line that Kata's kernel_verity_params takes, of a measured image. */
#define ARTIFACT_ROOT_HASH "io.katacontainers.image.root-hash"
#define ARTIFACT_VERITY_PARAMS "io.katacontainers.image.verity-params"

/* layer is complete. */
json_object *artifact_make_config(const struct artifact_request *request,
				  const struct artifact *artifact);
/* layer, hash and config are. */
json_object *artifact_make_manifest(const struct artifact_request *request,
				    const struct artifact *artifact);
/* For an index: manifest is, with the platform. */
json_object *artifact_make_entry(const struct artifact *artifact);

#endif
