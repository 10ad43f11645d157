/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX ACLs as getxattr(2) gives them: a version, then entries. Linux: uapi/linux/posix_acl.h and
 * posix_acl_xattr.h.
 */
#ifndef COMMON_ACL_H
#define COMMON_ACL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/byteorder.h"

enum acl_tag {
	ACL_USER_OBJ = 0x01,
	ACL_USER = 0x02,
	ACL_GROUP_OBJ = 0x04,
	ACL_GROUP = 0x08,
	ACL_MASK = 0x10,
	ACL_OTHER = 0x20
};

struct acl_entry {
	le16 tag;  /* enum acl_tag */
	le16 perm; /* 4 read, 2 write, 1 execute */
	le32 id;   /* of the tags USER and GROUP */
};
_Static_assert(sizeof(struct acl_entry) == 8, "ACL entry");

/*
 * Would setxattr(2) take the value? A kernel that reads another from a filesystem refuses every
 * access to the file. Archives can have any bytes there.
 */
bool acl_is_valid(const void *value, size_t len);

/* Of a valid one. */
size_t acl_entry_count(size_t len);
struct acl_entry acl_entry_at(const void *value, size_t number);
bool acl_has_id(const struct acl_entry *entry);

#endif
