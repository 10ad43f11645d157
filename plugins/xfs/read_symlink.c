/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "plugins/xfs/read.h"

static const struct xfs_block_kind symlink_kind =
	XFS_BLOCK_KIND("block of a symbolic link", struct xfs_symlink_header, XFS_SYMLINK_MAGIC);

static int refuse(const struct xfs_reader *reader, const struct xfs_found_inode *inode,
		  const char *why)
{
	return window_refuse(&reader->window, "inode %" PRIu64 " is a symbolic link %s",
			     inode->number, why);
}

/* An extent has one header, however many blocks it has. */
static int read_extent(struct xfs_reader *reader, const struct xfs_found_inode *inode,
		       const struct xfs_found_extent *extent, uint8_t *target, uint32_t *done)
{
	uint64_t most = XFS_SYMLINK_BYTES_MAX + sizeof(struct xfs_symlink_header);
	uint64_t len = extent->blocks << reader->block_bits;
	struct xfs_symlink_header head;
	autofree uint8_t *bytes = NULL;
	uint32_t count;
	int ret;

	if (len >= most + 2 * (uint64_t)reader->block_bytes)
		return refuse(reader, inode, "that takes too many blocks");
	bytes = malloc((size_t)len);
	if (!bytes)
		return -ENOMEM;
	ret = xfs_reader_load(reader, extent->off, bytes, (size_t)len);
	if (ret < 0)
		return ret;
	ret = xfs_reader_check_block(reader, bytes, (size_t)len, extent->off, &symlink_kind,
				     inode->number);
	if (ret < 0)
		return ret;
	memcpy(&head, bytes, sizeof(head));
	count = from_be32(head.bytes);
	if (from_be32(head.offset) != *done || count == 0 || count > len - sizeof(head) ||
	    count > inode->size - *done)
		return refuse(reader, inode, "whose target is not all there");
	memcpy(target + *done, bytes + sizeof(head), count);
	*done += count;
	return 0;
}

int xfs_reader_target(struct xfs_reader *reader, const struct xfs_found_inode *inode,
		      uint8_t *target)
{
	autocall(xfs_map_free) struct xfs_map map = { 0 };
	uint32_t done = 0;
	int ret;

	if (inode->size == 0 || inode->size > XFS_SYMLINK_BYTES_MAX)
		return refuse(reader, inode, "of an impossible length");
	if (inode->data.format == XFS_FORK_LOCAL) {
		if (inode->size > inode->data.len)
			return refuse(reader, inode, "longer than its place in the inode");
		memcpy(target, inode->bytes + inode->data.off, (size_t)inode->size);
		return 0;
	}
	ret = xfs_map_load(reader, inode, &inode->data, &map);
	for (size_t i = 0; ret == 0 && i < map.extents.count && done < inode->size; i++)
		ret = read_extent(reader, inode, &map.extents.items[i], target, &done);
	if (ret < 0)
		return ret;
	return done == inode->size ? 0 : refuse(reader, inode, "whose target is not all there");
}
