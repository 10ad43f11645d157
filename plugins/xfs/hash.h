/* SPDX-License-Identifier: Apache-2.0 */
/* The name hash of directories and attributes: from 0, for each byte rotate left by 7 and XOR. */
#ifndef XFS_HASH_H
#define XFS_HASH_H

#include <stdint.h>

static inline uint32_t xfs_hash_name(const char *name, uint32_t len)
{
	uint32_t hash = 0;

	for (uint32_t i = 0; i < len; i++)
		hash = (hash << 7 | hash >> 25) ^ (uint8_t)name[i];
	return hash;
}

#endif
