/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of XFS on disk: the record that a clean unmount leaves. Sources are those of format.h.
 *
 * The log is a ring of blocks of 512 bytes. A record is one or more blocks of headers, then of
 * data; each block begins with the number of the turn, the cycle, in which it was written (a
 * header: behind its magic number), and what belongs there is kept in the header.
 */
#ifndef XFS_FORMAT_LOG_H
#define XFS_FORMAT_LOG_H

#include "plugins/xfs/format.h"

#define XFS_LOG_BLOCK_BYTES 512u
#define XFS_LOG_MAGIC 0xFEEDBABEu
#define XFS_LOG_VERSION 2u
#define XFS_LOG_RECORD_BYTES_MAX 262144u
#define XFS_LOG_HEADER_SPAN 32768u /* bytes of a record of which one header keeps the words */
#define XFS_LOG_UNMOUNT 0x20u      /* xfs_log_unmount.flags */

struct xfs_log_record {
	be32 magic, cycle, version, length;
	be64 lsn, tail_lsn;
	le32 crc;
	be32 prev_block, num_ops;
	be32 cycle_data[64];
	be32 format; /* 1: a little-endian Linux */
	uint8_t uuid[16];
	be32 size;
};
XFS_ASSERT_FIELD(xfs_log_record, cycle_data, 44);
XFS_ASSERT_FIELD(xfs_log_record, uuid, 304);
XFS_ASSERT_FIELD(xfs_log_record, size, 320);

struct xfs_log_unmount {
	be32 tid, length;
	uint8_t client, flags;
	be16 pad;
	le16 magic;
	uint8_t pad2[6];
};
XFS_ASSERT_FIELD(xfs_log_unmount, magic, 12);

#endif
