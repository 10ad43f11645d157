/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/cpio/info.h"

#include <stdio.h>

#include "plugins/cpio/format.h"

/* Inodes are not counted: which names are one would have to be found out first. */
void cpio_info_describe(uint64_t archive_bytes, struct kataimg_fs_info *info)
{
	info->size_bytes = archive_bytes;
	info->block_bytes = CPIO_BLOCK_BYTES;
	info->flags = KATAIMG_FS_INODES_NOT_COUNTED;
	snprintf(info->type, sizeof(info->type), "cpio");
	snprintf(info->features, sizeof(info->features), "newc");
	snprintf(info->min_kernel, sizeof(info->min_kernel), "2.6");
}
