/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/limits.h"

#include <stdio.h>

#include "lib/cleanup.h"
#include "plugins/xfs/attr.h"
#include "plugins/xfs/dir.h"
#include "plugins/xfs/fork.h"
#include "plugins/xfs/inode.h"
#include "plugins/xfs/numbers.h"
#include "plugins/xfs/symlink.h"

#define MAX_LINKS UINT64_C(0x7fffffff)
/* Attribute forks are laid out as one contiguous extent. */
#define MAX_ATTR_BLOCKS XFS_EXTENT_MAX_BLOCKS
/* Names and values of less than this need no look: leaves are a fifth full at least, and so are the
 * blocks of a value. */
#define SMALL_ATTR_BYTES (UINT64_C(256) << 20)

void xfs_limits_fill(const struct xfs_params *params, struct kataimg_limits *limits)
{
	limits->name_bytes = 255;
	limits->symlink_bytes = XFS_SYMLINK_MAX_BYTES;
	limits->xattr_name_bytes = XFS_ATTR_MAX_NAME;
	limits->xattr_value_bytes = XFS_ATTR_MAX_VALUE;
	limits->mtime_min = XFS_TIME_MIN;
	limits->mtime_max = params->modern ? XFS_BIGTIME_MAX : XFS_TIME_MAX;
	limits->device_major = XFS_DEVICE_MAX_MAJOR;
	limits->device_minor = XFS_DEVICE_MAX_MINOR;
	limits->id = UINT32_MAX - 1;
	limits->links = MAX_LINKS;
	limits->subdirectories = MAX_LINKS - 2;
	limits->file_bytes = INT64_MAX;
	limits->nodes = XFS_MAX_NODES;
}

static bool attrs_are_small(const struct kataimg_node *node)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < node->xattr_count; i++)
		bytes += (uint64_t)node->xattrs[i].name_len + node->xattrs[i].value_len;
	return bytes < SMALL_ATTR_BYTES;
}

static int count_attr_blocks(const struct kataimg_node *node, uint64_t *blocks)
{
	struct xfs_attr_list list autocall(xfs_attrs_clear) = { 0 };
	struct xfs_attrs attrs;
	int ret = xfs_attrs_add(&list, node);

	if (ret < 0)
		return ret;
	attrs = (struct xfs_attrs){ list.items.items, (uint32_t)list.items.count };
	xfs_attrs_sort(&attrs);
	*blocks = xfs_attrs_blocks(&attrs);
	return 0;
}

static int check_attrs(const struct kataimg_node *node, char *reason, size_t reason_size)
{
	uint64_t blocks;
	int ret;

	if (!xfs_attrs_check(node, reason, reason_size))
		return KATAIMG_CHECK_XATTRS;
	if (attrs_are_small(node))
		return KATAIMG_CHECK_OK;
	ret = count_attr_blocks(node, &blocks);
	if (ret < 0)
		return ret;
	if (blocks <= MAX_ATTR_BLOCKS)
		return KATAIMG_CHECK_OK;
	snprintf(reason, reason_size, "its extended attributes take more than 8 GiB");
	return KATAIMG_CHECK_XATTRS;
}

int xfs_limits_check(const struct kataimg_node *node, char *reason, size_t reason_size)
{
	if (node->type == KATAIMG_LNK && node->size == 0) {
		snprintf(reason, reason_size, "a symbolic link needs a target");
		return KATAIMG_CHECK_NODE;
	}
	if (node->type == KATAIMG_DIR && xfs_dir_data_blocks(node) > XFS_DIR_MAX_DATA_BLOCKS) {
		snprintf(reason, reason_size, "its names take more than 32 GiB");
		return KATAIMG_CHECK_NODE;
	}
	return check_attrs(node, reason, reason_size);
}
