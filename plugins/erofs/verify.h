/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The finished filesystem, read back: all metadata is what was meant to be written, byte for byte,
 * and superblock, inodes and directories, taken as a reader would, are the tree's. File data is not
 * read.
 */
#ifndef EROFS_VERIFY_H
#define EROFS_VERIFY_H

#include "plugins/erofs/layout.h"

/* -EUCLEAN, with what contradicts, on which object. */
int erofs_verify_window(const struct erofs_layout *layout, const struct erofs_identity *identity,
			uint64_t window_bytes);

#endif
