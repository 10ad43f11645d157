/* SPDX-License-Identifier: Apache-2.0 */
/* Little-endian numbers anywhere in a buffer. */
#ifndef SUPPORT_LITTLE_H
#define SUPPORT_LITTLE_H

#include "lib/byteorder.h"

static inline uint16_t get16(const uint8_t *at)
{
	le16 disk;

	memcpy(&disk, at, sizeof(disk));
	return from_le16(disk);
}

static inline uint32_t get32(const uint8_t *at)
{
	le32 disk;

	memcpy(&disk, at, sizeof(disk));
	return from_le32(disk);
}

#endif
