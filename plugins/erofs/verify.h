/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The finished filesystem, read back as a reader would: superblock, every inode, every directory,
 * against the tree. File data is not read.
 */
#ifndef EROFS_VERIFY_H
#define EROFS_VERIFY_H

#include "plugins/erofs/erofs.h"

/* -EBADMSG, with what contradicts, on which object. */
int erofs_verify_window(const struct erofs *fs, uint64_t window_bytes);

#endif
