/* SPDX-License-Identifier: Apache-2.0 */
/* What an archive says of itself, which is little. */
#ifndef CPIO_INFO_H
#define CPIO_INFO_H

#include "kataimg/backend.h"

/* archive_bytes: up to the end of its trailer's block. */
void cpio_info_describe(uint64_t archive_bytes, struct kataimg_fs_info *info);

#endif
