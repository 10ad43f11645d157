/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/crc32c.h"

#include "lib/byteorder.h"

#define SLICES 8

static uint32_t tables[SLICES][256];

/* Filled when the object is loaded, so that threads find it ready. */
__attribute__((constructor)) static void crc32c_fill_tables(void)
{
	for (unsigned int i = 0; i < 256; i++) {
		const uint8_t byte = (uint8_t)i;

		tables[0][i] = kataimg_crc32c_portable(0, &byte, 1);
	}
	for (int slice = 1; slice < SLICES; slice++)
		for (int byte = 0; byte < 256; byte++) {
			uint32_t crc = tables[slice - 1][byte];

			tables[slice][byte] = crc >> 8 ^ tables[0][crc & 0xff];
		}
}

static uint64_t load_le64(const uint8_t *bytes)
{
	le64 disk;

	memcpy(&disk, bytes, sizeof(disk));
	return from_le64(disk);
}

uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (; len >= 8; len -= 8, bytes += 8) {
		uint64_t word = load_le64(bytes) ^ crc;

		crc = 0;
		for (int i = 0; i < SLICES; i++)
			crc ^= tables[SLICES - 1 - i][word >> (8 * i) & 0xff];
	}
	while (len--)
		crc = crc >> 8 ^ tables[0][(crc ^ *bytes++) & 0xff];
	return crc;
}

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	return KATAIMG_CRC32C_BY_CPU() ? kataimg_crc32c(crc, data, len)
				       : crc32c_portable(crc, data, len);
}
