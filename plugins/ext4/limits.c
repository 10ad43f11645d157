/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "plugins/ext4/dir.h"
#include "plugins/ext4/xattr.h"

void ext4_limits_set(struct kataimg_limits *limits)
{
	limits->name_bytes = 255;
	limits->symlink_bytes = EXT4_BLOCK_BYTES - 1;
	limits->xattr_name_bytes = 255;
	limits->mtime_min = EXT4_TIME_MIN;
	limits->mtime_max = EXT4_TIME_MAX;
	limits->device_major = 0xfff;
	limits->device_minor = 0xfffff;
	limits->id = UINT32_MAX - 1; /* -1 is no user */
	limits->links = EXT4_LINK_MAX;
	limits->file_bytes = (uint64_t)UINT32_MAX * EXT4_BLOCK_BYTES;
	limits->nodes = UINT32_MAX - 2 * EXT4_FIRST_INO;
}

int ext4_limits_check(const struct kataimg_node *node, char *reason, size_t reason_size)
{
	struct ext4_xattr attrs[EXT4_XATTRS_MAX];
	struct ext4_xattr_set set = { .attrs = attrs };

	if (node->type == KATAIMG_DIR &&
	    ext4_dir_blocks_bound(node->entries, node->entry_count) > EXT4_DIR_BLOCKS_MAX) {
		snprintf(reason, reason_size, "%u names do not fit a directory's two-level index",
			 node->entry_count);
		return KATAIMG_CHECK_NODE;
	}
	return ext4_xattr_set_read(&set, node, reason, reason_size) < 0 ? KATAIMG_CHECK_XATTRS
									: KATAIMG_CHECK_OK;
}

int ext4_limits_check_window(const struct kataimg_host *host, const struct kataimg_job *job)
{
	if (job->hugepage_bytes == 0 ||
	    (job->hugepage_bytes % EXT4_BLOCK_BYTES == 0 &&
	     job->window_offset % EXT4_BLOCK_BYTES == 0 &&
	     EXT4_EXTENT_MAX_BLOCKS * (uint64_t)EXT4_BLOCK_BYTES % job->hugepage_bytes == 0))
		return 0;
	host->error(host->ctx,
		    "blocks of %u bytes in a filesystem at byte %" PRIu64 " of the image cannot "
		    "start at multiples of %" PRIu64,
		    EXT4_BLOCK_BYTES, job->window_offset, job->hugepage_bytes);
	return -EINVAL;
}

int ext4_limits_check_time(const struct kataimg_host *host, const struct kataimg_job *job)
{
	if (job->build_time <= EXT4_TIME_MAX)
		return 0;
	host->error(host->ctx,
		    "a build time of %" PRId64 " seconds since 1970 is after %" PRId64
		    ", the last that can be stored",
		    job->build_time, EXT4_TIME_MAX);
	return -ERANGE;
}
