/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/inode.h"

#include <string.h>

#include "lib/filetype.h"

bool erofs_inode_is_extended(const struct kataimg_job *job, const struct kataimg_node *node,
			     uint64_t size)
{
	return node->uid > UINT16_MAX || node->gid > UINT16_MAX || node->nlink > UINT16_MAX ||
	       size > UINT32_MAX || node->mtime_sec != job->build_time || node->mtime_nsec != 0;
}

uint32_t erofs_inode_bytes(const struct erofs_inode *inode)
{
	return inode->extended ? sizeof(struct erofs_inode_extended)
			       : sizeof(struct erofs_inode_compact);
}

uint64_t erofs_inode_index_off(const struct erofs_inode *inode)
{
	uint64_t end = erofs_inode_bytes(inode) + inode->xattr_bytes;

	return inode->layout == EROFS_COMPRESSED_COMPACT ? round_up(end, 8) : end;
}

uint64_t erofs_inode_head_bytes(const struct erofs_inode *inode)
{
	return erofs_inode_index_off(inode) + inode->index_bytes;
}

uint32_t erofs_inode_tail_bytes(const struct erofs_inode *inode)
{
	if (inode->layout == EROFS_FLAT_INLINE)
		return inode->size % EROFS_BLOCK_BYTES;
	return inode->tail == EROFS_TAIL_INLINE ? inode->tail_bytes : 0;
}

uint32_t erofs_device_encode(uint32_t major, uint32_t minor)
{
	return (minor & 0xff) | major << 8 | (minor & ~UINT32_C(0xff)) << 12;
}

/* The member whose meaning depends on type and layout. */
static uint32_t inode_u(const struct kataimg_node *node, const struct erofs_inode *inode)
{
	if (node->type == KATAIMG_CHR || node->type == KATAIMG_BLK)
		return erofs_device_encode(node->rdev_major, node->rdev_minor);
	/* It is what stat(2) tells, and tar takes a file without blocks for one of zeros. */
	if (inode->tail == EROFS_TAIL_WHOLE)
		return 1;
	if (inode->layout == EROFS_COMPRESSED_COMPACT)
		return inode->blocks;
	if (inode->layout == EROFS_CHUNK_BASED)
		return inode->chunk_bits;
	return inode->start_block;
}

static void encode_compact(const struct kataimg_node *node, const struct erofs_inode *inode,
			   uint8_t *out)
{
	struct erofs_inode_compact disk = {
		.nlink = to_le16((uint16_t)node->nlink),
		.size = to_le32((uint32_t)inode->size),
		.u = to_le32(inode_u(node, inode)),
		.ino = to_le32(node->index + 1),
		.uid = to_le16((uint16_t)node->uid),
		.gid = to_le16((uint16_t)node->gid),
	};

	memcpy(out, &disk, sizeof(disk));
}

static void encode_extended(const struct kataimg_node *node, const struct erofs_inode *inode,
			    uint8_t *out)
{
	struct erofs_inode_extended disk = {
		.size = to_le64(inode->size),
		.u = to_le32(inode_u(node, inode)),
		.ino = to_le32(node->index + 1),
		.uid = to_le32(node->uid),
		.gid = to_le32(node->gid),
		.mtime = to_le64((uint64_t)node->mtime_sec),
		.mtime_nsec = to_le32(node->mtime_nsec),
		.nlink = to_le32(node->nlink),
	};

	memcpy(out, &disk, sizeof(disk));
}

void erofs_inode_encode(const struct kataimg_node *node, const struct erofs_inode *inode,
			uint8_t out[EROFS_INODE_BYTES_MAX])
{
	uint32_t format = (uint32_t)inode->layout << EROFS_FORMAT_LAYOUT_SHIFT;
	uint32_t xattr_count = 0;
	le16 start[3]; /* the members that both forms begin with */

	if (inode->xattr_bytes)
		xattr_count =
			1 + (inode->xattr_bytes - (uint32_t)sizeof(struct erofs_xattr_header)) / 4;
	if (inode->extended) {
		format |= EROFS_FORMAT_EXTENDED;
		encode_extended(node, inode, out);
	} else {
		encode_compact(node, inode, out);
	}
	start[0] = to_le16((uint16_t)format);
	start[1] = to_le16((uint16_t)xattr_count);
	start[2] = to_le16((uint16_t)filetype_mode(node));
	memcpy(out, start, sizeof(start));
}
