/* SPDX-License-Identifier: Apache-2.0 */
/* Where an ext4 without checksums has numbers. */
#include <string.h>

#include "plugins/ext4/format.h"
#include "tests/fuzz/damaged.h"

#define DESCRIPTORS_BYTES 1024u

static struct ext4_super super_of(const uint8_t *bytes)
{
	struct ext4_super super;

	memcpy(&super, bytes + EXT4_SUPER_OFFSET, sizeof(super));
	return super;
}

static uint32_t block_bytes_of(const uint8_t *bytes)
{
	return 1024u << (from_le32(super_of(bytes).log_block_size) & 3);
}

/* An entry that is none, or nearly so, is as good. */
static int is_dirent(const uint8_t *block, uint32_t len)
{
	struct ext4_dirent dirent;
	uint32_t rec_len;

	memcpy(&dirent, block, sizeof(dirent));
	rec_len = from_le16(dirent.rec_len);
	return rec_len % 4 == 0 && rec_len >= sizeof(dirent) && rec_len <= len &&
	       dirent.name_len <= rec_len - sizeof(dirent) && dirent.file_type < 8;
}

static int is_metadata(const uint8_t *block, uint32_t len, uint64_t blocks)
{
	struct ext4_extent_header extents;
	struct ext4_xattr_header xattrs;

	memcpy(&extents, block, sizeof(extents));
	memcpy(&xattrs, block, sizeof(xattrs));
	return from_le16(extents.magic) == EXT4_EXTENT_MAGIC ||
	       from_le32(xattrs.magic) == EXT4_XATTR_MAGIC || is_dirent(block, len) ||
	       (from_le32(xattrs.magic) > 0 && from_le32(xattrs.magic) < blocks);
}

/* In the first block that looks like one of a map, a directory or attributes, from a place on. */
static uint64_t choose_block(const uint8_t *bytes, size_t len, uint32_t block_bytes)
{
	uint64_t blocks = len / block_bytes, first = damaged_random(blocks);

	for (uint64_t i = 0; i < blocks; i++) {
		uint64_t block = (first + i) % blocks;

		if (is_metadata(bytes + block * block_bytes, block_bytes, blocks))
			return block * block_bytes +
			       damaged_random(16) * damaged_random(block_bytes / 16);
	}
	return first * block_bytes;
}

/* Most inodes are not in use, and the first ones are the filesystem's own. */
static uint64_t choose_inode(const uint8_t *bytes, size_t len, uint32_t block_bytes)
{
	struct ext4_super super = super_of(bytes);
	uint64_t off = (EXT4_SUPER_OFFSET / block_bytes + 1) * (uint64_t)block_bytes;
	struct ext4_descriptor descriptor;

	memcpy(&descriptor, bytes + off, sizeof(descriptor));
	off = (uint64_t)from_le32(descriptor.inode_table_lo) * block_bytes;
	off += (1 + damaged_random(2) * damaged_random(60)) * from_le16(super.inode_size);
	off += damaged_random(from_le16(super.inode_size) / 2 + 1) * 2;
	return off < len ? off : 0;
}

uint64_t damaged_choose(const uint8_t *bytes, size_t len)
{
	uint32_t block_bytes = block_bytes_of(bytes);

	switch (damaged_random(16)) {
	case 0:
		return EXT4_SUPER_OFFSET + damaged_random(256) * 4;
	case 1:
		return (EXT4_SUPER_OFFSET / block_bytes + 1) * (uint64_t)block_bytes +
		       damaged_random(DESCRIPTORS_BYTES);
	case 2:
		return damaged_random(len);
	case 3:
	case 4:
	case 5:
	case 6:
	case 7:
	case 8:
		return choose_block(bytes, len, block_bytes);
	default:
		return choose_inode(bytes, len, block_bytes);
	}
}

void damaged_seal(uint8_t *bytes, size_t len)
{
	(void)bytes;
	(void)len;
}
