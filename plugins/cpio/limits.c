/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/cpio/limits.h"

#include "plugins/cpio/format.h"

/* Linux' own limit, which its first root filesystem has as all others. */
#define NAME_BYTES_MAX 255

void cpio_limits_set(struct kataimg_limits *limits)
{
	limits->name_bytes = NAME_BYTES_MAX;
	limits->path_bytes = CPIO_PATH_BYTES - 1;
	limits->symlink_bytes = CPIO_PATH_BYTES - 1;
	limits->mtime_min = 0;
	limits->mtime_max = UINT32_MAX;
	limits->device_major = CPIO_DEVICE_MAJOR_MAX;
	limits->device_minor = CPIO_DEVICE_MINOR_MAX;
	limits->id = UINT32_MAX - 1; /* -1 is no user */
	limits->file_bytes = UINT32_MAX;
	limits->nodes = UINT32_MAX - 1; /* they are numbered from 1 on */
}
