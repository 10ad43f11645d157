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

/*
 * The way back, of any bytes: writes getxattr's form of a stored list and says how many bytes it
 * has; 0: it is no list, or has no room.
 */
uint32_t ext4_acl_restore(const uint8_t *disk, size_t len, uint8_t *to, size_t room);

#endif
