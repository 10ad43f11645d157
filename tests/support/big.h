/* SPDX-License-Identifier: Apache-2.0 */
/* Big-endian numbers anywhere in a buffer. */
#ifndef SUPPORT_BIG_H
#define SUPPORT_BIG_H

#include <stddef.h>
#include <stdint.h>

static inline uint16_t get16(const uint8_t *bytes, size_t off)
{
	return (uint16_t)(bytes[off] << 8 | bytes[off + 1]);
}

static inline uint32_t get32(const uint8_t *bytes, size_t off)
{
	return (uint32_t)get16(bytes, off) << 16 | get16(bytes, off + 2);
}

static inline uint64_t get64(const uint8_t *bytes, size_t off)
{
	return (uint64_t)get32(bytes, off) << 32 | get32(bytes, off + 4);
}

#endif
