/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An archive as a layer of a container image: it lies over what is in the tree, as a directory of
 * overlayfs lies over those below it. The result does not depend on where in the archive its
 * whiteouts stand (archive/whiteout.h): they hide what layers below have, never what the layer
 * itself has, and never behind a symbolic link that the layer replaces by a directory.
 *
 * A directory that the layer does not have, though it has something below it, is the one that the
 * layers below have there; where they have a symbolic link it is what the link leads to, where they
 * have something else it is a new one.
 */
#ifndef ARCHIVE_LAYER_H
#define ARCHIVE_LAYER_H

#include "core/base/error.h"

struct unpack;
struct layer;
struct tree_node;

/* Puts the input's entries over the tree. unpack->layer is this call's. */
int unpack_layer(struct unpack *unpack, struct error *error);

/* ---- For unpack.c, of the entry that it has got ---- */

/* 1: it is to be unpacked; 0: it is a whiteout; -ENOMEM. */
int layer_admit(struct layer *layer, const char *path, struct error *error);

/* What a hard link's target was before the layer hid it; NULL: nothing. */
struct tree_node *layer_hidden_target(const struct layer *layer);

#endif
