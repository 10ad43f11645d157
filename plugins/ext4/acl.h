/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX ACLs: getxattr gives a list with an id in every entry (version 2), ext4 stores one with ids
 * only where they mean something (version 1).
 */
#ifndef EXT4_ACL_H
#define EXT4_ACL_H

#include <stddef.h>
#include <stdint.h>

/* The stored size of a valid ACL. */
size_t ext4_acl_disk_bytes(const void *value, size_t len);

/* Writes the stored form. */
void ext4_acl_convert(const void *value, size_t len, uint8_t *to);

#endif
