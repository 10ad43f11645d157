/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), the checksum of ext4, XFS and EROFS
 * metadata. No preset and no final inversion: each format says its own. crc32c(~0, "123456789", 9)
 * ^ ~0 == 0xE3069283.
 */
#ifndef LIB_CRC32C_H
#define LIB_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t crc, const void *data, size_t len);

/* The portable path alone, for tests. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len);

#endif
