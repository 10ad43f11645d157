/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/symlink.h"

#include "plugins/xfs/seal.h"

int xfs_symlink_write(struct xfs_fork *fork, const struct kataimg_node *node)
{
	struct xfs_symlink_header head = {
		.magic = to_be32(XFS_SYMLINK_MAGIC),
		.bytes = to_be32((uint32_t)node->size),
		.owner = to_be64(fork->owner),
	};
	uint64_t block;
	uint8_t *bytes;
	int ret = xfs_fork_take(fork, 0, &bytes, &block);

	if (ret < 0)
		return ret;
	head.blkno = to_be64(xfs_daddr(block));
	memcpy(head.uuid, fork->uuid, sizeof(head.uuid));
	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), node->target, (size_t)node->size);
	xfs_seal(bytes, XFS_BLOCK_BYTES, offsetof(struct xfs_symlink_header, crc));
	return 0;
}
