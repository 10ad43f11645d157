/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX ACLs as getxattr(2) gives them: a header, then entries. Linux: uapi/linux/posix_acl.h and
 * posix_acl_xattr.h.
 */
#ifndef LIB_ACL_H
#define LIB_ACL_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/byteorder.h"

#define ACL_ACCESS_NAME "system.posix_acl_access"
#define ACL_DEFAULT_NAME "system.posix_acl_default"

#define ACL_VERSION 2u
#define ACL_NO_ID UINT32_MAX /* of the tags that are neither USER nor GROUP */

enum acl_tag {
	ACL_USER_OBJ = 0x01,
	ACL_USER = 0x02,
	ACL_GROUP_OBJ = 0x04,
	ACL_GROUP = 0x08,
	ACL_MASK = 0x10,
	ACL_OTHER = 0x20
};

struct acl_header {
	le32 version;
};
static_assert(sizeof(struct acl_header) == 4, "as the kernel has it");

struct acl_entry {
	le16 tag;  /* enum acl_tag */
	le16 perm; /* 4 read, 2 write, 1 execute */
	le32 id;   /* of the tags USER and GROUP; else ACL_NO_ID */
};
static_assert(sizeof(struct acl_entry) == 8, "as the kernel has it");

/* Is that one of the two names? */
bool acl_is_name(const char *name);

/*
 * Would setxattr(2) take the value? A kernel that reads another from a filesystem refuses every
 * access to the file. Archives can have any bytes there.
 */
bool acl_is_valid(const void *value, size_t len);

/* Of any value: how many whole entries it has room for, and entry 0, 1, ... of it. */
size_t acl_entry_count(size_t len);
struct acl_entry acl_entry_at(const void *value, size_t number);
void acl_set_entry(void *value, size_t number, const struct acl_entry *entry);

bool acl_has_id(const struct acl_entry *entry);

#endif
