/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "lib/filetype.h"
#include "plugins/erofs/read.h"

void erofs_device_decode(uint32_t u, uint32_t *major, uint32_t *minor)
{
	*major = u >> 8 & 0xfff;
	*minor = (u & 0xff) | (u >> 12 & 0xfff00);
}

/* Takes the members whose places depend on the form. Returns how many bytes an inode of that form
 * has. */
static uint32_t take_compact(const struct erofs_reader *reader, const void *bytes,
			     struct erofs_found_inode *inode)
{
	struct erofs_inode_compact disk;

	memcpy(&disk, bytes, sizeof(disk));
	inode->size = from_le32(disk.size);
	inode->uid = from_le16(disk.uid);
	inode->gid = from_le16(disk.gid);
	inode->nlink = from_le16(disk.nlink);
	inode->mtime_sec = (int64_t)from_le64(reader->super.build_time);
	inode->mtime_nsec = from_le32(reader->super.build_time_nsec);
	return sizeof(disk);
}

static uint32_t take_extended(const void *bytes, struct erofs_found_inode *inode)
{
	struct erofs_inode_extended disk;

	memcpy(&disk, bytes, sizeof(disk));
	inode->size = from_le64(disk.size);
	inode->uid = from_le32(disk.uid);
	inode->gid = from_le32(disk.gid);
	inode->nlink = from_le32(disk.nlink);
	inode->mtime_sec = (int64_t)from_le64(disk.mtime);
	inode->mtime_nsec = from_le32(disk.mtime_nsec);
	return sizeof(disk);
}

static uint64_t xattr_bytes(uint32_t count)
{
	return count ? sizeof(struct erofs_xattr_header) + 4 * ((uint64_t)count - 1) : 0;
}

static int check_inode(const struct erofs_reader *reader, const struct erofs_found_inode *inode,
		       uint32_t format)
{
	if (format & ~EROFS_FORMAT_ALL || inode->layout > EROFS_CHUNK_BASED)
		return window_decline(&reader->window,
				      "inode %" PRIu64 " has a form that is newer than this "
				      "reader: 0x%x",
				      inode->nid, format);
	if (!inode->type)
		return window_refuse(&reader->window, "inode %" PRIu64 " is of no known type: 0%o",
				     inode->nid, inode->mode);
	return 0;
}

int erofs_reader_inode(struct erofs_reader *reader, uint64_t nid, struct erofs_found_inode *inode)
{
	uint64_t off = reader->meta_off + nid * EROFS_SLOT_BYTES;
	uint8_t bytes[sizeof(struct erofs_inode_extended)];
	struct erofs_inode_compact disk; /* its first and its u are those of both forms */
	uint32_t format;
	int ret;

	if (nid >= reader->nids)
		return window_refuse(&reader->window, "inode %" PRIu64 " is outside the filesystem",
				     nid);
	ret = window_fetch(&reader->window, off, &disk, sizeof(disk));
	if (ret < 0)
		return ret;
	memcpy(bytes, &disk, sizeof(disk));
	format = from_le16(disk.format);
	*inode = (struct erofs_found_inode){
		.nid = nid,
		.mode = from_le16(disk.mode),
		.u = from_le32(disk.u),
		.layout = format >> EROFS_FORMAT_LAYOUT_SHIFT & EROFS_FORMAT_LAYOUT_MASK,
		.type = filetype_of_mode(from_le16(disk.mode)),
	};
	if (format & EROFS_FORMAT_EXTENDED) {
		ret = window_fetch(&reader->window, off, bytes, sizeof(bytes));
		if (ret < 0)
			return ret;
		inode->xattr_off = off + take_extended(bytes, inode);
	} else {
		inode->xattr_off = off + take_compact(reader, bytes, inode);
	}
	inode->body_off = inode->xattr_off + xattr_bytes(from_le16(disk.xattr_count));
	ret = check_inode(reader, inode, format);
	return ret < 0 ? ret : window_look(&reader->window, inode->body_off - off);
}
