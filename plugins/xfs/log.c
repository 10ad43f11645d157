/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/log.h"

#include "plugins/xfs/format_log.h"

#define LOG_CYCLE 1u
#define LOG_RECORD_BYTES 0x8000u
#define LOG_FORMAT_LINUX_LE 1u

#define UNMOUNT_TID 0xB0C0D0D0u
#define UNMOUNT_CLIENT 0xAAu
#define UNMOUNT_MAGIC 0x556Eu /* "Un", in the byte order of the writer */

/* What the record's sectors carry in their first word is kept in its head; the sectors themselves
 * are stamped with the cycle. */
void xfs_log_pack(uint32_t sector_bytes, const uint8_t *uuid, uint8_t *bytes)
{
	uint32_t record_bytes =
		sector_bytes == XFS_LOG_BLOCK_BYTES ? 2 * XFS_LOG_BLOCK_BYTES : sector_bytes;
	be32 cycle = to_be32(LOG_CYCLE);
	be64 lsn = to_be64((uint64_t)LOG_CYCLE << 32);
	struct xfs_log_record record = {
		.magic = to_be32(XFS_LOG_MAGIC),
		.cycle = cycle,
		.version = to_be32(XFS_LOG_VERSION),
		.length = to_be32(record_bytes - XFS_LOG_BLOCK_BYTES),
		.lsn = lsn,
		.tail_lsn = lsn,
		.prev_block = to_be32(UINT32_MAX),
		.num_ops = to_be32(1),
		.cycle_data = { to_be32(UNMOUNT_TID) },
		.format = to_be32(LOG_FORMAT_LINUX_LE),
		.size = to_be32(LOG_RECORD_BYTES),
	};
	struct xfs_log_unmount unmount = {
		.length = to_be32(sizeof(be64)),
		.client = UNMOUNT_CLIENT,
		.flags = XFS_LOG_UNMOUNT,
		.magic = to_le16(UNMOUNT_MAGIC),
	};

	memcpy(record.uuid, uuid, sizeof(record.uuid));
	memcpy(bytes, &record, sizeof(record));
	memcpy(bytes + XFS_LOG_BLOCK_BYTES, &unmount, sizeof(unmount));
	for (uint32_t off = XFS_LOG_BLOCK_BYTES; off < record_bytes; off += XFS_LOG_BLOCK_BYTES)
		memcpy(bytes + off, &cycle, sizeof(cycle));
}
