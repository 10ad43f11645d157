/* SPDX-License-Identifier: Apache-2.0 */
/* The checksum that every metadata object has in itself. */
#ifndef XFS_SEAL_H
#define XFS_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/byteorder.h"
#include "lib/crc32c.h"

/* Fills in the checksum at crc_off of an object whose checksum is 0. */
static inline void xfs_seal(uint8_t *object, size_t len, size_t crc_off)
{
	le32 crc = to_le32(~crc32c(~0u, object, len));

	memcpy(object + crc_off, &crc, sizeof(crc));
}

/* Is the checksum right? If it is not, the object has the right one afterwards. */
static inline bool xfs_seal_matches(uint8_t *object, size_t len, size_t crc_off)
{
	uint8_t *field = object + crc_off;
	le32 stored;

	memcpy(&stored, field, sizeof(stored));
	memset(field, 0, sizeof(stored));
	xfs_seal(object, len, crc_off);
	return memcmp(field, &stored, sizeof(stored)) == 0;
}

#endif
