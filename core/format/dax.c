/* SPDX-License-Identifier: Apache-2.0 */
#include "core/format/dax.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "lib/byteorder.h"

static const char signature[16] = "NVDIMM_PFN_INFO";

struct dax_ondisk {
	char signature[16];
	uint8_t uuid[16], parent_uuid[16];
	le32 flags;
	le16 version_major, version_minor;
	le64 dataoff, npfns;
	le32 mode, start_pad, end_trunc, align;
	uint8_t padding[4000];
	le64 checksum;
};

_Static_assert(sizeof(struct dax_ondisk) == DAX_INFO_BYTES, "info block");
_Static_assert(offsetof(struct dax_ondisk, dataoff) == 56, "dataoff");
_Static_assert(offsetof(struct dax_ondisk, checksum) == 4088, "checksum");

uint64_t dax_fletcher64(const uint8_t *bytes, uint64_t words)
{
	uint32_t low = 0;
	uint64_t high = 0;
	le32 word;

	for (uint64_t i = 0; i < words; i++) {
		memcpy(&word, bytes + i * sizeof(word), sizeof(word));
		low += from_le32(word);
		high += low;
	}
	return high << 32 | low;
}

static uint64_t compute_checksum(struct dax_ondisk block)
{
	block.checksum = to_le64(0);
	return dax_fletcher64((const uint8_t *)&block, sizeof(block) / sizeof(le32));
}

void dax_encode(uint8_t out[DAX_INFO_BYTES])
{
	struct dax_ondisk block = {
		.version_minor = to_le16(DAX_VERSION_MINOR),
		.dataoff = to_le64(DAX_DATA_OFFSET),
		.mode = to_le32(DAX_MODE_RAM),
		.align = to_le32(DAX_ALIGN_BYTES),
	};

	memcpy(block.signature, signature, sizeof(signature));
	block.checksum = to_le64(compute_checksum(block));
	memcpy(out, &block, sizeof(block));
}

int dax_decode(const uint8_t bytes[DAX_INFO_BYTES], struct dax_info *info)
{
	struct dax_ondisk block;

	memcpy(&block, bytes, sizeof(block));
	if (memcmp(block.signature, signature, sizeof(signature)))
		return -ENODATA;
	memcpy(info->uuid, block.uuid, sizeof(info->uuid));
	memcpy(info->parent_uuid, block.parent_uuid, sizeof(info->parent_uuid));
	info->flags = from_le32(block.flags);
	info->version_major = from_le16(block.version_major);
	info->version_minor = from_le16(block.version_minor);
	info->dataoff = from_le64(block.dataoff);
	info->npfns = from_le64(block.npfns);
	info->mode = from_le32(block.mode);
	info->start_pad = from_le32(block.start_pad);
	info->end_trunc = from_le32(block.end_trunc);
	info->align = from_le32(block.align);
	info->checksum = from_le64(block.checksum);
	info->expected_checksum = compute_checksum(block);
	return 0;
}
