/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "lib/crc32c.h"
#include "lib/filetype.h"
#include "plugins/ext4/read.h"

#define GOOD_OLD_BYTES 128u

/* Is the member within what the inode says that it uses? */
#define REACHES(extra, member)       \
	(GOOD_OLD_BYTES + (extra) >= \
	 offsetof(struct ext4_inode, member) + sizeof(((struct ext4_inode *)NULL)->member))

/* How many bytes of members follow the first 128; 0 in the small inodes of old. */
static uint32_t extra_bytes(const struct ext4_reader *reader, const struct ext4_inode *disk)
{
	return reader->inode_bytes > GOOD_OLD_BYTES ? from_le16(disk->extra_isize) : 0;
}

static uint32_t inode_seed(const struct ext4_reader *reader, uint32_t ino, le32 generation)
{
	le32 number = to_le32(ino);

	return crc32c(crc32c(reader->checksum_seed, &number, sizeof(number)), &generation,
		      sizeof(generation));
}

/* The checksum counts as zero in its own sum. */
static int check_checksum(struct ext4_reader *reader, const struct ext4_found_inode *inode,
			  const struct ext4_inode *disk, uint32_t extra)
{
	uint32_t stored = from_le16(disk->checksum_lo), mask = 0xffff;
	uint32_t crc;

	if (!reader->has_checksums)
		return 0;
	memset(reader->inode + offsetof(struct ext4_inode, checksum_lo), 0,
	       sizeof(disk->checksum_lo));
	if (extra > 0 && REACHES(extra, checksum_hi)) {
		memset(reader->inode + offsetof(struct ext4_inode, checksum_hi), 0,
		       sizeof(disk->checksum_hi));
		stored |= (uint32_t)from_le16(disk->checksum_hi) << 16;
		mask = UINT32_MAX;
	}
	crc = crc32c(inode->seed, reader->inode, reader->inode_bytes);
	return (crc & mask) == stored ? 0
				      : window_refuse(&reader->window,
						      "inode %u has a wrong checksum", inode->ino);
}

static void read_times(struct ext4_found_inode *inode, const struct ext4_inode *disk,
		       uint32_t extra)
{
	uint32_t more = REACHES(extra, mtime_extra) ? from_le32(disk->mtime_extra) : 0;

	inode->mtime_sec = (int32_t)from_le32(disk->mtime) + ((int64_t)(more & 3) << 32);
	inode->mtime_nsec = more >> 2;
}

static void read_members(const struct ext4_reader *reader, struct ext4_found_inode *inode,
			 const struct ext4_inode *disk)
{
	inode->mode = from_le16(disk->mode);
	inode->type = filetype_of_mode(inode->mode);
	inode->flags = from_le32(disk->flags);
	inode->links = from_le16(disk->links_count);
	inode->uid = (uint32_t)from_le16(disk->uid_hi) << 16 | from_le16(disk->uid_lo);
	inode->gid = (uint32_t)from_le16(disk->gid_hi) << 16 | from_le16(disk->gid_lo);
	inode->size = from_le32(disk->size_lo);
	/* The high half of the size was another field of directories once, and counts only with
	 * large_dir. */
	if (inode->type == KATAIMG_REG || reader->incompat & EXT4_INCOMPAT_LARGE_DIR)
		inode->size |= (uint64_t)from_le32(disk->size_hi) << 32;
	inode->xattr_block = from_le32(disk->file_acl_lo);
	if (reader->incompat & EXT4_INCOMPAT_64BIT)
		inode->xattr_block |= (uint64_t)from_le16(disk->file_acl_hi) << 32;
	memcpy(inode->block, disk->block, sizeof(inode->block));
}

int ext4_reader_inode(struct ext4_reader *reader, uint32_t ino, struct ext4_found_inode *inode)
{
	struct ext4_inode disk = { 0 };
	uint32_t extra;
	int ret;

	*inode = (struct ext4_found_inode){ .ino = ino };
	if (ino == 0 || ino > reader->inodes)
		return window_refuse(&reader->window, "there is no inode %u, which is named", ino);
	ret = ext4_reader_locate_inode(reader, ino, &inode->off);
	if (ret < 0)
		return ret;
	ret = window_fetch(&reader->window, inode->off, reader->inode, reader->inode_bytes);
	if (ret < 0)
		return ret;
	memcpy(&disk, reader->inode,
	       reader->inode_bytes < sizeof(disk) ? reader->inode_bytes : sizeof(disk));
	extra = extra_bytes(reader, &disk);
	if (extra % 4 || extra > reader->inode_bytes - GOOD_OLD_BYTES)
		return window_refuse(&reader->window, "inode %u has %u bytes of members, too many",
				     ino, extra);
	inode->seed = inode_seed(reader, ino, disk.generation);
	inode->xattr_skip = extra ? GOOD_OLD_BYTES + extra : reader->inode_bytes;
	read_members(reader, inode, &disk);
	/* As in the kernel, an inode that does not say how many members it has is taken to have the
	 * usual ones. */
	if (reader->inode_bytes > GOOD_OLD_BYTES)
		read_times(inode, &disk, extra ? extra : EXT4_EXTRA_ISIZE);
	else
		read_times(inode, &disk, 0);
	return check_checksum(reader, inode, &disk, extra);
}

void ext4_found_inode_device(const struct ext4_found_inode *inode, uint32_t *major, uint32_t *minor)
{
	le32 numbers[2];
	uint32_t old, wide;

	memcpy(numbers, inode->block, sizeof(numbers));
	old = from_le32(numbers[0]);
	wide = from_le32(numbers[1]);
	*major = old ? old >> 8 & 0xff : wide >> 8 & 0xfff;
	*minor = old ? old & 0xff : (wide & 0xff) | (wide >> 12 & 0xfff00);
}

bool ext4_found_inode_is_fast_link(const struct ext4_found_inode *inode)
{
	return !(inode->flags & (EXT4_INODE_EXTENTS | EXT4_INODE_INLINE)) &&
	       inode->size < EXT4_FAST_SYMLINK_BYTES;
}
