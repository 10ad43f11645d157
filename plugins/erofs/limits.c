/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/limits.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/acl.h"
#include "plugins/erofs/format.h"
#include "plugins/erofs/inode.h"
#include "plugins/erofs/xattr.h"

/* A link's target ends with a NUL within PATH_MAX. */
#define SYMLINK_BYTES_MAX 4095
#define XATTR_VALUE_BYTES_MAX 65535
/* Linux's own limit: EROFS could hold "user." and 255 bytes more, which nobody could ask for. */
#define XATTR_NAME_BYTES_MAX 255

void erofs_limits_set(struct kataimg_limits *limits)
{
	limits->name_bytes = EROFS_NAME_BYTES;
	limits->symlink_bytes = SYMLINK_BYTES_MAX;
	limits->xattr_name_bytes = XATTR_NAME_BYTES_MAX;
	limits->xattr_value_bytes = XATTR_VALUE_BYTES_MAX;
	limits->device_major = EROFS_DEVICE_MAJOR_MAX;
	limits->device_minor = EROFS_DEVICE_MINOR_MAX;
	limits->id = UINT32_MAX - 1; /* -1 is no user */
	limits->file_bytes = (uint64_t)UINT32_MAX * EROFS_BLOCK_BYTES;
}

/* Why the attribute cannot be stored, NULL when it can. */
static const char *xattr_refusal(const struct kataimg_xattr *xattr)
{
	const char *suffix;
	uint32_t suffix_len;
	uint8_t prefix;

	if (erofs_xattr_split(xattr, &prefix, &suffix, &suffix_len))
		return "EROFS has no namespace for it";
	if ((prefix == EROFS_XATTR_ACL_ACCESS || prefix == EROFS_XATTR_ACL_DEFAULT) &&
	    !acl_is_valid(xattr->value, xattr->value_len))
		return "it is not a valid access control list";
	return NULL;
}

int erofs_limits_check(const struct kataimg_node *node, char *reason, size_t reason_size)
{
	const uint64_t max = sizeof(struct erofs_xattr_header) + (EROFS_XATTR_COUNT_MAX - 1) * 4;
	uint64_t bytes = erofs_xattr_bytes_alone(node);

	for (uint32_t i = 0; i < node->xattr_count; i++) {
		const char *why = xattr_refusal(&node->xattrs[i]);

		if (!why)
			continue;
		snprintf(reason, reason_size, "extended attribute %s: %s", node->xattrs[i].name,
			 why);
		return KATAIMG_CHECK_XATTRS;
	}
	if (bytes <= max)
		return KATAIMG_CHECK_OK;
	snprintf(reason, reason_size,
		 "extended attributes of %" PRIu64 " bytes do not fit the %" PRIu64 " of an inode",
		 bytes, max);
	return KATAIMG_CHECK_XATTRS;
}
