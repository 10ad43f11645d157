/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Integer types with a byte order, for on-disk structures. A struct wrapper cannot be mixed up with
 * a number by accident, and has alignment 1, so that structures made of these have no padding.
 */
#ifndef LIB_BYTEORDER_H
#define LIB_BYTEORDER_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define BYTEORDER_DEFINE(type, bits, to, from)                \
	typedef struct {                                      \
		uint8_t byte[(bits) / 8];                     \
	} type;                                               \
	static inline type to_##type(uint##bits##_t value)    \
	{                                                     \
		type disk;                                    \
		value = to(value);                            \
		memcpy(disk.byte, &value, sizeof(disk.byte)); \
		return disk;                                  \
	}                                                     \
	static inline uint##bits##_t from_##type(type disk)   \
	{                                                     \
		uint##bits##_t value;                         \
		memcpy(&value, disk.byte, sizeof(disk.byte)); \
		return from(value);                           \
	}                                                     \
	_Static_assert(sizeof(type) == (bits) / 8, #type)

BYTEORDER_DEFINE(le16, 16, htole16, le16toh);
BYTEORDER_DEFINE(le32, 32, htole32, le32toh);
BYTEORDER_DEFINE(le64, 64, htole64, le64toh);
BYTEORDER_DEFINE(be16, 16, htobe16, be16toh);
BYTEORDER_DEFINE(be32, 32, htobe32, be32toh);
BYTEORDER_DEFINE(be64, 64, htobe64, be64toh);

#undef BYTEORDER_DEFINE

#endif
