/* SPDX-License-Identifier: Apache-2.0 */
/* What a superblock says, in the contract's words; and its reading. */
#ifndef SQUASHFS_SUPER_H
#define SQUASHFS_SUPER_H

#include <sqfs/super.h>

#include "file.h"

/* A window's length is a multiple of it: what lies behind the last table is padding. */
#define GRANULE_BYTES 4096u

/* The window that a filesystem needs. */
uint64_t super_window_bytes(const sqfs_super_t *super);

void super_describe(const sqfs_super_t *super, struct kataimg_fs_info *info);

/* -ENODATA: the file holds no squashfs. -EBADMSG: a broken one, the message says how. */
int super_read(struct file *file, sqfs_super_t *super);

#endif
