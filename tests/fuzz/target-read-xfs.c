/* SPDX-License-Identifier: Apache-2.0 */
/* The XFS reader. All that looks like metadata gets a right checksum: a mutation should get past
 * it. */
#include <string.h>

#include "plugins/xfs/read.h"
#include "plugins/xfs/seal.h"
#include "tests/fuzz/window.h"

#define SECTOR_BYTES 512u

static const struct kind {
	uint32_t magic;
	uint32_t magic_off, magic_bytes;
	size_t crc_off;
} kinds[] = {
	{ XFS_INODE_MAGIC, 0, 2, offsetof(struct xfs_dinode, crc) },
	{ XFS_SB_MAGIC, 0, 4, offsetof(struct xfs_superblock, crc) },
	{ XFS_BMBT_MAGIC, 0, 4, offsetof(struct xfs_long_btree, crc) },
	{ XFS_SYMLINK_MAGIC, 0, 4, offsetof(struct xfs_symlink_header, crc) },
	{ XFS_ATTR_VALUE_MAGIC, 0, 4, offsetof(struct xfs_attr_value, crc) },
	{ XFS_DIR_BLOCK_MAGIC, 0, 4, offsetof(struct xfs_dir_block, crc) },
	{ XFS_DIR_DATA_MAGIC, 0, 4, offsetof(struct xfs_dir_block, crc) },
	{ XFS_DA_NODE_MAGIC, 8, 2, offsetof(struct xfs_da_block, crc) },
	{ XFS_ATTR_LEAF_MAGIC, 8, 2, offsetof(struct xfs_da_block, crc) },
};

static size_t object_bytes(const struct xfs_superblock *super, uint32_t magic)
{
	switch (magic) {
	case XFS_INODE_MAGIC:
		return from_be16(super->inodesize);
	case XFS_SB_MAGIC:
		return from_be16(super->sectsize);
	case XFS_DIR_BLOCK_MAGIC:
	case XFS_DIR_DATA_MAGIC:
		return (size_t)from_be32(super->blocksize) << (super->dirblklog & 15);
	default:
		return from_be32(super->blocksize);
	}
}

static bool is_kind(const uint8_t *bytes, const struct kind *kind)
{
	uint32_t magic = 0;

	for (uint32_t i = 0; i < kind->magic_bytes; i++)
		magic = magic << 8 | bytes[kind->magic_off + i];
	return magic == kind->magic;
}

/* Inodes of 256 bytes lie two to a sector. */
static void seal(uint8_t *bytes, size_t len)
{
	struct xfs_superblock super;

	memcpy(&super, bytes, sizeof(super));
	for (size_t off = 0; off + SECTOR_BYTES <= len; off += SECTOR_BYTES / 2)
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			size_t object = object_bytes(&super, kinds[i].magic);

			if (is_kind(bytes + off, &kinds[i]) && object <= len - off &&
			    object >= kinds[i].crc_off + sizeof(le32))
				xfs_seal_matches(bytes + off, object, kinds[i].crc_off);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct kataimg_backend table = { .name = "xfs", .read = xfs_read };
	struct fuzz_window window;

	if (fuzz_window_open(&window, bytes, len) < 0)
		return 0;
	seal(window.bytes, window.len);
	fuzz_window_read(&window, &table);
	fuzz_window_close(&window);
	return 0;
}
