/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_LAYERS_H
#define OCI_LAYERS_H

#include "core/archive/archive.h"
#include "core/oci/image.h"

/* Puts the layers into a tree with an implied root, one over the other, and finishes it. */
int oci_apply_layers(const struct tree *store, const struct oci_image *image,
		     const struct tree_options *options, struct tree *tree, struct error *error);

#endif
