/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/inode.h"

#include "lib/crc32c.h"
#include "lib/filetype.h"
#include "plugins/ext4/dir.h"

#define SECTORS_PER_BLOCK (EXT4_BLOCK_BYTES / 512)

void ext4_time_encode(int64_t sec, uint32_t nsec, le32 *seconds, le32 *extra)
{
	/* The low word is signed; the extra bits count what it lacks in units of 2^32. */
	uint32_t epoch = (uint32_t)((sec - (int32_t)sec) >> 32) & 3;

	*seconds = to_le32((uint32_t)sec);
	*extra = to_le32(nsec << 2 | epoch);
}

void ext4_device_encode(struct ext4_inode *inode, uint32_t major, uint32_t minor)
{
	bool is_old = major < 256 && minor < 256;
	le32 number = is_old ? to_le32(major << 8 | minor)
			     : to_le32((minor & 0xff) | major << 8 | (minor & ~0xffu) << 12);

	memcpy(inode->block + (is_old ? 0 : sizeof(number)), &number, sizeof(number));
}

static void set_owner(struct ext4_inode *inode, uint32_t uid, uint32_t gid)
{
	inode->uid_lo = to_le16((uint16_t)uid);
	inode->uid_hi = to_le16((uint16_t)(uid >> 16));
	inode->gid_lo = to_le16((uint16_t)gid);
	inode->gid_hi = to_le16((uint16_t)(gid >> 16));
}

static void set_times(struct ext4_inode *inode, int64_t sec, uint32_t nsec)
{
	ext4_time_encode(sec, nsec, &inode->mtime, &inode->mtime_extra);
	inode->atime = inode->ctime = inode->crtime = inode->mtime;
	inode->atime_extra = inode->ctime_extra = inode->crtime_extra = inode->mtime_extra;
}

static void set_size(struct ext4_inode *inode, uint64_t size)
{
	inode->size_lo = to_le32((uint32_t)size);
	inode->size_hi = to_le32((uint32_t)(size >> 32));
}

/* Feature dir_nlink: 1 stands for too many to count. */
static uint16_t links_on_disk(uint32_t links)
{
	return links > EXT4_LINK_MAX ? 1 : (uint16_t)links;
}

void ext4_inode_fill(struct ext4_inode *inode, const struct kataimg_node *node, uint32_t links)
{
	inode->mode = to_le16(filetype_mode(node));
	inode->links_count = to_le16(links_on_disk(links));
	inode->extra_isize = to_le16(EXT4_EXTRA_ISIZE);
	set_owner(inode, node->uid, node->gid);
	set_times(inode, node->mtime_sec, node->mtime_nsec);
	set_size(inode, node->size);
	if (node->type == KATAIMG_LNK && node->size < EXT4_FAST_SYMLINK_BYTES)
		memcpy(inode->block, node->target, (size_t)node->size);
	if (node->type == KATAIMG_CHR || node->type == KATAIMG_BLK)
		ext4_device_encode(inode, node->rdev_major, node->rdev_minor);
}

void ext4_inode_fill_own(struct ext4_inode *inode, uint16_t mode, uint16_t links, uint64_t size,
			 int64_t time)
{
	inode->mode = to_le16(mode);
	inode->links_count = to_le16(links);
	inode->extra_isize = to_le16(EXT4_EXTRA_ISIZE);
	set_times(inode, time, 0);
	set_size(inode, size);
}

void ext4_inode_set_blocks(struct ext4_inode *inode, uint64_t blocks, uint64_t xattr_block)
{
	uint64_t sectors = (blocks + (xattr_block != 0)) * SECTORS_PER_BLOCK;

	inode->blocks_lo = to_le32((uint32_t)sectors);
	inode->blocks_hi = to_le16((uint16_t)(sectors >> 32));
	inode->file_acl_lo = to_le32((uint32_t)xattr_block);
	inode->file_acl_hi = to_le16((uint16_t)(xattr_block >> 32));
}

void ext4_inode_seal(struct ext4_inode *inode, uint32_t csum_seed, uint32_t ino)
{
	uint32_t crc = crc32c(ext4_inode_seed(csum_seed, ino), inode, sizeof(*inode));

	inode->checksum_lo = to_le16((uint16_t)crc);
	if (from_le16(inode->extra_isize))
		inode->checksum_hi = to_le16((uint16_t)(crc >> 16));
}
