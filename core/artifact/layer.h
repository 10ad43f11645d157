/* SPDX-License-Identifier: Apache-2.0 */
/* The blob that has the image. */
#ifndef ARTIFACT_LAYER_H
#define ARTIFACT_LAYER_H

#include "core/artifact/artifact.h"

/*
 * The image as it is or compressed, or for a containerdisk in a tar: the file itself where it need
 * not be copied. content: the digest of the blob before it was compressed.
 */
int artifact_layer_make(const struct artifact_request *request, struct artifact_blob *layer,
			char content[ARTIFACT_DIGEST_TEXT_BYTES], struct error *error);

#endif
