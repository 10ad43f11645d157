/* SPDX-License-Identifier: Apache-2.0 */
/* Where an EROFS has numbers; the superblock's checksum is made right again. */
#include <string.h>

#include "plugins/erofs/super.h"
#include "tests/fuzz/damaged.h"

#define METADATA_BYTES (UINT64_C(256) << 10)

/* In the superblock, in an inode's slot and what follows it, or anywhere. */
uint64_t damaged_choose(const uint8_t *bytes, size_t len)
{
	uint64_t metadata = len < METADATA_BYTES ? len : METADATA_BYTES;

	(void)bytes;
	switch (damaged_random(8)) {
	case 0:
		return EROFS_SUPER_OFFSET + 12 + damaged_random(116);
	case 1:
		return damaged_random(len);
	default:
		return damaged_random(metadata / 2) * 2;
	}
}

void damaged_seal(uint8_t *bytes, size_t len)
{
	uint32_t block = 1u << (bytes[EROFS_SUPER_OFFSET + 12] & 15);
	le32 checksum;

	if (block <= EROFS_SUPER_OFFSET)
		block += EROFS_SUPER_OFFSET;
	if (block > len || block < EROFS_SUPER_OFFSET + sizeof(struct erofs_super))
		return;
	checksum = to_le32(erofs_super_checksum(bytes, block));
	memcpy(bytes + EROFS_SUPER_OFFSET + offsetof(struct erofs_super, checksum), &checksum,
	       sizeof(checksum));
}
