/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX ACLs: from the form of getxattr(2) (version 2, little-endian) to XFS's own (big-endian),
 * and back. */
#ifndef XFS_ACL_H
#define XFS_ACL_H

#include <stdbool.h>
#include <stdint.h>

#define XFS_ACL_MAX_ENTRIES 5461u /* what a value of 65536 bytes holds */

/* -EINVAL when it is not an ACL, -E2BIG when XFS cannot hold so many entries. */
int xfs_acl_check(const void *value, uint32_t value_len);

/* How many entries an ACL has that has passed xfs_acl_check. */
uint32_t xfs_acl_entries(uint32_t value_len);

/* Does it say no more than the mode bits (owner, group, others)? XFS then stores none. */
bool xfs_acl_is_trivial(const void *value, uint32_t value_len);

/* Bytes of so many entries in XFS's form, and the conversion; the ACL has passed xfs_acl_check. */
uint32_t xfs_acl_bytes(uint32_t entries);
void xfs_acl_convert(const void *value, uint32_t entries, uint8_t *out);

/* The way back: how many entries a value in XFS's form has, or -EINVAL when it is none; the bytes
 * of so many in the form of getxattr(2), and the conversion. */
int xfs_acl_count(const uint8_t *value, uint32_t value_len, uint32_t *entries);
uint32_t xfs_acl_linux_bytes(uint32_t entries);
void xfs_acl_restore(const uint8_t *value, uint32_t entries, uint8_t *out);

#endif
