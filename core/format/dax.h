/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The NVDIMM "pfn" info block (struct nd_pfn_sb of Linux) at byte 4096 of an image: it makes a
 * guest's kernel skip the first 2 MiB and offer the rest as a device that can be mapped.
 */
#ifndef FORMAT_DAX_H
#define FORMAT_DAX_H

#include <stdint.h>

#define DAX_INFO_OFFSET 4096
#define DAX_INFO_BYTES 4096

/* What kataimg writes, and what a guest's kernel accepts without a driver of its own. */
#define DAX_VERSION_MINOR 2
#define DAX_MODE_RAM 1
#define DAX_DATA_OFFSET (UINT64_C(2) << 20)
#define DAX_ALIGN_BYTES (UINT32_C(2) << 20)

struct dax_info {
	uint8_t uuid[16], parent_uuid[16];
	uint32_t flags;
	uint16_t version_major, version_minor;
	uint64_t dataoff, npfns;
	uint32_t mode, start_pad, end_trunc, align;
	uint64_t checksum;          /* as stored */
	uint64_t expected_checksum; /* as computed by dax_decode */
};

/* The block that kataimg writes: version 0.2, mode RAM, data at 2 MiB, 2 MiB alignment. */
void dax_encode(uint8_t out[DAX_INFO_BYTES]);

/* -ENODATA without the signature. A wrong checksum is not an error here: compare the two members.
 */
int dax_decode(const uint8_t bytes[DAX_INFO_BYTES], struct dax_info *info);

/* Fletcher-64 as the kernel's nd_fletcher64 computes it, over words little-endian 32-bit words. */
uint64_t dax_fletcher64(const uint8_t *bytes, uint64_t words);

#endif
