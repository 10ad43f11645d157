/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX ACLs as the kernel gives them in an extended attribute: a header, then entries in the order
 * of their tags, those of one tag in the order of their ids. Linux: posix_acl_xattr.h.
 */
#ifndef TREE_ACL_H
#define TREE_ACL_H

#include <assert.h>

#include "lib/byteorder.h"

#define ACL_ACCESS_NAME "system.posix_acl_access"
#define ACL_DEFAULT_NAME "system.posix_acl_default"

#define ACL_VERSION 2

enum acl_tag {
	ACL_TAG_USER_OBJ = 0x01,
	ACL_TAG_USER = 0x02,
	ACL_TAG_GROUP_OBJ = 0x04,
	ACL_TAG_GROUP = 0x08,
	ACL_TAG_MASK = 0x10,
	ACL_TAG_OTHER = 0x20
};

#define ACL_NO_ID UINT32_MAX /* of the tags that are neither USER nor GROUP */

struct acl_header {
	le32 version;
};
static_assert(sizeof(struct acl_header) == 4, "as the kernel has it");

struct acl_entry {
	le16 tag;  /* enum acl_tag */
	le16 perm; /* 4 read, 2 write, 1 execute */
	le32 id;
};
static_assert(sizeof(struct acl_entry) == 8, "as the kernel has it");

#endif
