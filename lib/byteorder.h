/* SPDX-License-Identifier: Apache-2.0 */
/* The integers of kataimg/ondisk.h by the short names that this project's own code has for them. */
#ifndef LIB_BYTEORDER_H
#define LIB_BYTEORDER_H

#include "kataimg/ondisk.h"

#define BYTEORDER_DEFINE(type, bits)                        \
	typedef kataimg_##type type;                        \
	static inline type to_##type(uint##bits##_t value)  \
	{                                                   \
		return kataimg_to_##type(value);            \
	}                                                   \
	static inline uint##bits##_t from_##type(type disk) \
	{                                                   \
		return kataimg_from_##type(disk);           \
	}                                                   \
	_Static_assert(sizeof(type) == (bits) / 8, #type)

BYTEORDER_DEFINE(le16, 16);
BYTEORDER_DEFINE(le32, 32);
BYTEORDER_DEFINE(le64, 64);
BYTEORDER_DEFINE(be16, 16);
BYTEORDER_DEFINE(be32, 32);
BYTEORDER_DEFINE(be64, 64);

#undef BYTEORDER_DEFINE

#endif
