/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/log.h"

#define LOG_SECTOR_BYTES 512u
#define LOG_CYCLE 1u
#define LOG_VERSION 2u
#define LOG_RECORD_BYTES 0x8000u
#define LOG_FORMAT_LINUX_LE 1u

#define UNMOUNT_TID 0xB0C0D0D0u
#define UNMOUNT_CLIENT 0xAAu
#define UNMOUNT_FLAG 0x20u
#define UNMOUNT_MAGIC 0x556Eu /* "Un", in the byte order of the writer */

/* What the record's sectors carry in their first word is kept in its head; the sectors themselves
 * are stamped with the cycle. */
void xfs_log_pack(uint32_t sector_bytes, const uint8_t *uuid, uint8_t *bytes)
{
	uint32_t record_bytes =
		sector_bytes == LOG_SECTOR_BYTES ? 2 * LOG_SECTOR_BYTES : sector_bytes;
	struct xfs_log_record *record = (void *)bytes;
	struct xfs_log_unmount *unmount = (void *)(bytes + LOG_SECTOR_BYTES);
	be32 cycle = to_be32(LOG_CYCLE);

	record->magic = to_be32(XFS_LOG_MAGIC);
	record->cycle = cycle;
	record->version = to_be32(LOG_VERSION);
	record->length = to_be32(record_bytes - LOG_SECTOR_BYTES);
	record->lsn = record->tail_lsn = to_be64((uint64_t)LOG_CYCLE << 32);
	record->prev_block = to_be32(UINT32_MAX);
	record->num_ops = to_be32(1);
	record->cycle_data[0] = to_be32(UNMOUNT_TID);
	record->format = to_be32(LOG_FORMAT_LINUX_LE);
	memcpy(record->uuid, uuid, sizeof(record->uuid));
	record->size = to_be32(LOG_RECORD_BYTES);

	unmount->length = to_be32(sizeof(be64));
	unmount->client = UNMOUNT_CLIENT;
	unmount->flags = UNMOUNT_FLAG;
	unmount->magic = to_le16(UNMOUNT_MAGIC);
	for (uint32_t off = LOG_SECTOR_BYTES; off < record_bytes; off += LOG_SECTOR_BYTES)
		memcpy(bytes + off, &cycle, sizeof(cycle));
}
