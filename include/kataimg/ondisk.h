/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kataimg: what nearly every filesystem's metadata is made of, for backends. A header alone: there
 * is nothing to link, and no backend needs it.
 *
 * INTEGERS WITH A BYTE ORDER
 *
 *   kataimg_le16, _le32, _le64, kataimg_be16, _be32, _be64: structures around bytes. They cannot be
 *   mixed up with a number by accident, and have alignment 1, so that structures made of them have
 *   no padding. kataimg_to_le32() and kataimg_from_le32(), and so on, are the only way in and out.
 *
 * CRC-32C
 *
 *   kataimg_crc32c(): Castagnoli's polynomial, reflected (0x82F63B78), as ext4, XFS, EROFS and
 *   btrfs have it. No preset and no final inversion: each format says its own.
 *   kataimg_crc32c(~0, "123456789", 9) ^ ~0 == 0xE3069283.
 */
#ifndef KATAIMG_ONDISK_H
#define KATAIMG_ONDISK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define KATAIMG_SWAP_le(bits, value) __builtin_bswap##bits(value)
#define KATAIMG_SWAP_be(bits, value) (value)
#else
#define KATAIMG_SWAP_le(bits, value) (value)
#define KATAIMG_SWAP_be(bits, value) __builtin_bswap##bits(value)
#endif

#define KATAIMG_DEFINE_ONDISK(order, bits)                                                  \
	typedef struct {                                                                    \
		uint8_t byte[(bits) / 8];                                                   \
	} kataimg_##order##bits;                                                            \
	static inline kataimg_##order##bits kataimg_to_##order##bits(uint##bits##_t value)  \
	{                                                                                   \
		kataimg_##order##bits disk;                                                 \
		value = KATAIMG_SWAP_##order(bits, value);                                  \
		memcpy(disk.byte, &value, sizeof(disk.byte));                               \
		return disk;                                                                \
	}                                                                                   \
	static inline uint##bits##_t kataimg_from_##order##bits(kataimg_##order##bits disk) \
	{                                                                                   \
		uint##bits##_t value;                                                       \
		memcpy(&value, disk.byte, sizeof(disk.byte));                               \
		return KATAIMG_SWAP_##order(bits, value);                                   \
	}

KATAIMG_DEFINE_ONDISK(le, 16)
KATAIMG_DEFINE_ONDISK(le, 32)
KATAIMG_DEFINE_ONDISK(le, 64)
KATAIMG_DEFINE_ONDISK(be, 16)
KATAIMG_DEFINE_ONDISK(be, 32)
KATAIMG_DEFINE_ONDISK(be, 64)

#undef KATAIMG_DEFINE_ONDISK
#undef KATAIMG_SWAP_le
#undef KATAIMG_SWAP_be

/* Half a byte at a time: 16 numbers are less to carry along than 256. */
static inline uint32_t kataimg_crc32c_portable(uint32_t crc, const void *data, size_t len)
{
	static const uint32_t table[16] = {
		0x00000000u, 0x105ec76fu, 0x20bd8edeu, 0x30e349b1u, 0x417b1dbcu, 0x5125dad3u,
		0x61c69362u, 0x7198540du, 0x82f63b78u, 0x92a8fc17u, 0xa24bb5a6u, 0xb21572c9u,
		0xc38d26c4u, 0xd3d3e1abu, 0xe330a81au, 0xf36e6f75u,
	};
	const uint8_t *bytes = (const uint8_t *)data;

	while (len--) {
		crc ^= *bytes++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return crc;
}

#if defined(__x86_64__) && defined(__GNUC__)
#define KATAIMG_CRC32C_BY_CPU() __builtin_cpu_supports("sse4.2")

__attribute__((target("sse4.2"))) static inline uint32_t
kataimg_crc32c_by_cpu(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)data;
	uint64_t wide = crc;

	for (; len >= 8; len -= 8, bytes += 8) {
		uint64_t word;

		memcpy(&word, bytes, sizeof(word));
		wide = __builtin_ia32_crc32di(wide, word);
	}
	crc = (uint32_t)wide;
	while (len--)
		crc = __builtin_ia32_crc32qi(crc, *bytes++);
	return crc;
}

static inline uint32_t kataimg_crc32c(uint32_t crc, const void *data, size_t len)
{
	return KATAIMG_CRC32C_BY_CPU() ? kataimg_crc32c_by_cpu(crc, data, len)
				       : kataimg_crc32c_portable(crc, data, len);
}
#else
#define KATAIMG_CRC32C_BY_CPU() 0

static inline uint32_t kataimg_crc32c(uint32_t crc, const void *data, size_t len)
{
	return kataimg_crc32c_portable(crc, data, len);
}
#endif

#ifdef __cplusplus
}
#endif

#endif
