/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/crc32c.h"

#include "lib/byteorder.h"

#define POLYNOMIAL 0x82F63B78u
#define SLICES 8

static uint32_t tables[SLICES][256];

/* Filled when the object is loaded, so that threads find it ready. */
__attribute__((constructor)) static void crc32c_fill_tables(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		tables[0][byte] = crc;
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

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const void *data,
							       size_t len)
{
	const uint8_t *bytes = data;
	uint64_t wide = crc;

	for (; len >= 8; len -= 8, bytes += 8)
		wide = __builtin_ia32_crc32di(wide, load_le64(bytes));
	crc = (uint32_t)wide;
	while (len--)
		crc = __builtin_ia32_crc32qi(crc, *bytes++);
	return crc;
}

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	return __builtin_cpu_supports("sse4.2") ? crc32c_sse42(crc, data, len)
						: crc32c_portable(crc, data, len);
}
#else
uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	return crc32c_portable(crc, data, len);
}
#endif
