/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/fork.h"

#include "plugins/xfs/seal.h"

static bool extent_holds(const struct xfs_extent *extent, uint64_t file_block)
{
	return file_block >= extent->file_block && file_block - extent->file_block < extent->blocks;
}

uint64_t xfs_fork_block(struct xfs_fork *fork, uint64_t file_block)
{
	if (file_block < fork->extents[fork->cursor].file_block)
		fork->cursor = 0;
	while (!extent_holds(&fork->extents[fork->cursor], file_block))
		fork->cursor++;
	return fork->extents[fork->cursor].start + file_block -
	       fork->extents[fork->cursor].file_block;
}

int xfs_fork_take(struct xfs_fork *fork, uint64_t file_block, uint8_t **bytes, uint64_t *block)
{
	*block = xfs_fork_block(fork, file_block);
	return writer_take(fork->writer, *block << XFS_BLOCK_LOG, XFS_BLOCK_BYTES, bytes);
}

void xfs_fork_seal_dir(const struct xfs_fork *fork, uint64_t block, uint8_t *bytes)
{
	struct xfs_dir_block head;

	memcpy(&head, bytes, sizeof(head));
	head.blkno = to_be64(xfs_daddr(block));
	head.owner = to_be64(fork->owner);
	memcpy(head.uuid, fork->uuid, sizeof(head.uuid));
	memcpy(bytes, &head, sizeof(head));
	xfs_seal(bytes, XFS_BLOCK_BYTES, offsetof(struct xfs_dir_block, crc));
}

void xfs_fork_seal_da(const struct xfs_fork *fork, uint64_t block, uint8_t *bytes)
{
	struct xfs_da_block head;

	memcpy(&head, bytes, sizeof(head));
	head.blkno = to_be64(xfs_daddr(block));
	head.owner = to_be64(fork->owner);
	memcpy(head.uuid, fork->uuid, sizeof(head.uuid));
	memcpy(bytes, &head, sizeof(head));
	xfs_seal(bytes, XFS_BLOCK_BYTES, offsetof(struct xfs_da_block, crc));
}

static struct xfs_extent_record record_of(const struct xfs_geometry *geo,
					  const struct xfs_extent *extent)
{
	uint64_t fsbno = xfs_fsbno(geo, extent->start);

	return (struct xfs_extent_record){
		.high = to_be64(extent->file_block << 9 | fsbno >> 43),
		.low = to_be64(fsbno << XFS_EXTENT_LENGTH_BITS | extent->blocks),
	};
}

void xfs_extents_pack(const struct xfs_geometry *geo, const struct xfs_extent *extents,
		      uint32_t count, uint8_t *to)
{
	for (uint32_t i = 0; i < count; i++) {
		struct xfs_extent_record record = record_of(geo, &extents[i]);

		memcpy(to + i * sizeof(record), &record, sizeof(record));
	}
}
