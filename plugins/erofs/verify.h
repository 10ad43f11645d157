/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The finished filesystem, read back: all metadata is what was meant to be written, byte for byte,
 * and superblock, inodes and directories, taken as a reader would, are the tree's. File data is not
 * read.
 */
#ifndef EROFS_VERIFY_H
#define EROFS_VERIFY_H

#include "plugins/erofs/erofs.h"

/* -EBADMSG, with what contradicts, on which object. */
int erofs_verify_window(const struct erofs *fs, uint64_t window_bytes);

/* Says which object's metadata holds the byte that differs. -EBADMSG. */
int erofs_verify_refuse(const struct erofs *fs, uint64_t off);

#endif
