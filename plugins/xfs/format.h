/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XFS version 5 on disk, as far as this backend writes or reads it. Sources of the facts: "XFS
 * Filesystem Disk Structures" (xfs.org), and what mkfs.xfs and kernels 5.10 to 6.18 write.
 *
 * Integers are big-endian; checksums alone are little-endian. Every metadata block names its own
 * place (blkno, in units of 512 bytes), its owner and the filesystem's UUID. A log sequence number
 * of 0 is never ahead of the log, so every lsn is 0 (remote attribute values: all ones).
 *
 * Addresses: a block counts from the start of the filesystem; an agbno from the start of its
 * allocation group (AG); an fsbno is agno << agblklog | agbno; an inode number is
 * agno << (agblklog + 3) | agbno << 3 | slot.
 */
#ifndef XFS_FORMAT_H
#define XFS_FORMAT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/byteorder.h"

#define XFS_BLOCK_BYTES 4096u
#define XFS_BLOCK_LOG 12
#define XFS_INODE_BYTES 512u
#define XFS_INODE_LOG 9
#define XFS_INODES_PER_BLOCK 8u
#define XFS_CHUNK_INODES 64u
#define XFS_CHUNK_BLOCKS 8u
#define XFS_BASIC_BLOCKS 8u /* of 512 bytes, in a block */

#define XFS_NULL_AGBLOCK UINT32_C(0xffffffff)
#define XFS_NULL_AGINO UINT32_C(0xffffffff)
#define XFS_NULL_FSBLOCK UINT64_MAX

#define XFS_ASSERT_LAYOUT(type, size) static_assert(sizeof(struct type) == (size), #type)
#define XFS_ASSERT_FIELD(type, field, off) \
	static_assert(offsetof(struct type, field) == (off), #type "." #field)

/* ---- Superblock: sector 0 of every AG ---- */

#define XFS_SB_MAGIC 0x58465342u /* "XFSB" */

/* sb_versionnum: 5 and what every v5 filesystem of today has set: attributes, 32-bit link counts,
 * aligned inodes, log version 2, extent flags, directory version 2, more feature bits. */
#define XFS_SB_VERSION 0xB4B5u
#define XFS_SB_VERSION_NUMBER 0x000Fu
#define XFS_SB_VERSION_SECTOR 0x0800u
/* sb_features2: lazy counters, attributes version 2, 32-bit project ids, checksums. */
#define XFS_SB_FEATURES2 0x18Au

#define XFS_RO_COMPAT_FINOBT (1u << 0)
#define XFS_RO_COMPAT_RMAPBT (1u << 1)
#define XFS_RO_COMPAT_REFLINK (1u << 2)
#define XFS_RO_COMPAT_INOBTCNT (1u << 3)

#define XFS_INCOMPAT_FTYPE (1u << 0)
#define XFS_INCOMPAT_SPINODES (1u << 1)
#define XFS_INCOMPAT_META_UUID (1u << 2)
#define XFS_INCOMPAT_BIGTIME (1u << 3)
#define XFS_INCOMPAT_NEEDSREPAIR (1u << 4)
#define XFS_INCOMPAT_NREXT64 (1u << 5)
#define XFS_INCOMPAT_EXCHANGE (1u << 6)
#define XFS_INCOMPAT_PARENT (1u << 7)
#define XFS_INCOMPAT_METADIR (1u << 8)
#define XFS_INCOMPAT_ZONED (1u << 9)
#define XFS_INCOMPAT_ZONE_GAPS (1u << 10)

#define XFS_LABEL_BYTES 12

struct xfs_superblock {
	be32 magic, blocksize;
	be64 dblocks, rblocks, rextents;
	uint8_t uuid[16];
	be64 logstart; /* fsbno */
	be64 rootino, rbmino, rsumino;
	be32 rextsize, agblocks, agcount, rbmblocks, logblocks;
	be16 versionnum, sectsize, inodesize, inopblock;
	char fname[XFS_LABEL_BYTES]; /* the label, padded with zeros */
	uint8_t blocklog, sectlog, inodelog, inopblog, agblklog, rextslog, inprogress, imax_pct;
	be64 icount, ifree, fdblocks, frextents;
	be64 uquotino, gquotino;
	be16 qflags;
	uint8_t flags, shared_vn;
	be32 inoalignmt, unit, width;
	uint8_t dirblklog, logsectlog;
	be16 logsectsize;
	be32 logsunit, features2, bad_features2;
	be32 features_compat, features_ro_compat, features_incompat, features_log_incompat;
	le32 crc; /* over the sector */
	be32 spino_align;
	be64 pquotino, lsn;
	uint8_t meta_uuid[16];
};
XFS_ASSERT_LAYOUT(xfs_superblock, 264);
XFS_ASSERT_FIELD(xfs_superblock, versionnum, 100);
XFS_ASSERT_FIELD(xfs_superblock, icount, 128);
XFS_ASSERT_FIELD(xfs_superblock, logsunit, 196);
XFS_ASSERT_FIELD(xfs_superblock, crc, 224);

/* ---- AG headers: sectors 1 to 3 of every AG ---- */

#define XFS_AGF_MAGIC 0x58414746u  /* "XAGF" */
#define XFS_AGI_MAGIC 0x58414749u  /* "XAGI" */
#define XFS_AGFL_MAGIC 0x5841464Cu /* "XAFL" */
#define XFS_AG_VERSION 1u

/* Free space of the AG. crc is over the sector. */
struct xfs_agf {
	be32 magic, version, seqno, length;
	be32 bno_root, cnt_root, rmap_root;
	be32 bno_level, cnt_level, rmap_level;
	be32 flfirst, fllast, flcount;
	be32 freeblks, longest, btreeblks;
	uint8_t uuid[16];
	be32 rmap_blocks, refcount_blocks, refcount_root, refcount_level;
	uint8_t spare[112];
	be64 lsn;
	le32 crc;
	be32 spare2;
};
XFS_ASSERT_LAYOUT(xfs_agf, 224);
XFS_ASSERT_FIELD(xfs_agf, lsn, 208);

/* Inodes of the AG. crc is over the sector. */
struct xfs_agi {
	be32 magic, version, seqno, length;
	be32 count, root, level, freecount;
	be32 newino, dirino;
	be32 unlinked[64];
	uint8_t uuid[16];
	le32 crc;
	be32 pad;
	be64 lsn;
	be32 free_root, free_level, iblocks, fblocks;
};
XFS_ASSERT_LAYOUT(xfs_agi, 344);
XFS_ASSERT_FIELD(xfs_agi, crc, 312);

/* Blocks kept for the free-space trees; slots fill the sector and unused ones are NULL. */
struct xfs_agfl {
	be32 magic, seqno;
	uint8_t uuid[16];
	be64 lsn;
	le32 crc;
};
XFS_ASSERT_LAYOUT(xfs_agfl, 36);

/* ---- B+trees of an AG ---- */

#define XFS_BNOBT_MAGIC 0x41423342u  /* "AB3B" */
#define XFS_CNTBT_MAGIC 0x41423343u  /* "AB3C" */
#define XFS_INOBT_MAGIC 0x49414233u  /* "IAB3" */
#define XFS_FINOBT_MAGIC 0x46494233u /* "FIB3" */

/* Records follow; in a node: keys, and pointers behind the largest number of keys. */
struct xfs_short_btree {
	be32 magic;
	be16 level, numrecs;
	be32 leftsib, rightsib; /* agbno */
	be64 blkno, lsn;
	uint8_t uuid[16];
	be32 owner; /* agno */
	le32 crc;
};
XFS_ASSERT_LAYOUT(xfs_short_btree, 56);

struct xfs_free_record {
	be32 startblock, blockcount;
};
XFS_ASSERT_LAYOUT(xfs_free_record, 8);

struct xfs_chunk_record {
	be32 startino; /* agino */
	be16 holemask;
	uint8_t count, freecount;
	be64 free;
};
XFS_ASSERT_LAYOUT(xfs_chunk_record, 16);

/* ---- Inodes ---- */

#define XFS_INODE_MAGIC 0x494Eu /* "IN" */
#define XFS_INODE_VERSION 3

enum xfs_fork_format {
	XFS_FORK_DEVICE = 0,
	XFS_FORK_LOCAL = 1,
	XFS_FORK_EXTENTS = 2,
	XFS_FORK_BTREE = 3
};

#define XFS_DIFLAG_REALTIME (1u << 0)
#define XFS_DIFLAG_NEWRTBM (1u << 2)
#define XFS_DIFLAG2_BIGTIME (UINT64_C(1) << 3)
#define XFS_DIFLAG2_NREXT64 (UINT64_C(1) << 4)
/* With bigtime a time is nanoseconds since so many seconds before 1970. */
#define XFS_BIGTIME_EPOCH (INT64_C(1) << 31)

struct xfs_dinode {
	be16 magic, mode;
	uint8_t version, format;
	be16 onlink;
	be32 uid, gid, nlink;
	be16 projid_lo, projid_hi;
	be64 big_nextents; /* with NREXT64: extents of data; nextents then counts the attributes' */
	be64 atime, mtime, ctime;
	be64 size, nblocks;
	be32 extsize, nextents;
	be16 anextents;
	uint8_t forkoff; /* where the attribute fork starts, in units of 8 bytes; 0: none */
	uint8_t aformat;
	be32 dmevmask;
	be16 dmstate, flags;
	be32 gen, next_unlinked;
	le32 crc;
	be64 changecount, lsn, flags2;
	be32 cowextsize;
	uint8_t pad2[12];
	be64 crtime, ino;
	uint8_t uuid[16];
};
XFS_ASSERT_LAYOUT(xfs_dinode, 176);
XFS_ASSERT_FIELD(xfs_dinode, size, 56);
XFS_ASSERT_FIELD(xfs_dinode, crc, 100);
XFS_ASSERT_FIELD(xfs_dinode, ino, 152);

/* As the format stores a device: the minor number has 18 bits. */
#define XFS_MINOR_BITS 18

/* The forks share what the core leaves of the inode. */
#define XFS_LITERAL_BYTES (XFS_INODE_BYTES - (uint32_t)sizeof(struct xfs_dinode))

/* In a local fork: entries follow, each of a name's length, its place in the directory of blocks
 * that this one would be, the name, its type and an inode number of 4 or 8 bytes. */
struct xfs_dir_short {
	uint8_t count, count8; /* count8: so many numbers need 8 bytes; if any, all have them */
};
XFS_ASSERT_LAYOUT(xfs_dir_short, 2);

/* A mapping: 1 bit unwritten, 54 bits file block, 52 bits fsbno, 21 bits length. */
struct xfs_extent_record {
	be64 high, low;
};
XFS_ASSERT_LAYOUT(xfs_extent_record, 16);

#define XFS_BMBT_MAGIC 0x424D4133u /* "BMA3" */
#define XFS_BMBT_MAX 251u          /* records, or keys with pointers, in a block */
#define XFS_BMBT_POINTERS (sizeof(struct xfs_long_btree) + XFS_BMBT_MAX * sizeof(be64))

struct xfs_long_btree {
	be32 magic;
	be16 level, numrecs;
	be64 leftsib, rightsib; /* fsbno */
	be64 blkno, lsn;
	uint8_t uuid[16];
	be64 owner; /* inode number */
	le32 crc;
	be32 pad;
};
XFS_ASSERT_LAYOUT(xfs_long_btree, 72);

/* The root, in the inode: keys follow, pointers behind the largest number of keys. */
struct xfs_bmbt_root {
	be16 level, numrecs;
};
XFS_ASSERT_LAYOUT(xfs_bmbt_root, 4);

#define XFS_SYMLINK_BYTES_MAX 1024u
#define XFS_SYMLINK_MAGIC 0x58534C4Du /* "XSLM" */

/* Head of a block with a symbolic link's target. */
struct xfs_symlink_header {
	be32 magic, offset, bytes;
	le32 crc;
	uint8_t uuid[16];
	be64 owner, blkno, lsn;
};
XFS_ASSERT_LAYOUT(xfs_symlink_header, 56);

/* ---- Directories ---- */

#define XFS_DIR_BLOCK_MAGIC 0x58444233u /* "XDB3" */
#define XFS_DIR_DATA_MAGIC 0x58444433u  /* "XDD3" */
#define XFS_DIR_FREE_MAGIC 0x58444633u  /* "XDF3" */
#define XFS_DIR_LEAF1_MAGIC 0x3DF1u
#define XFS_DIR_LEAFN_MAGIC 0x3DFFu

/* Where the parts of a directory begin, in blocks. */
#define XFS_DIR_LEAF_BLOCK UINT64_C(0x800000)
#define XFS_DIR_FREE_BLOCK UINT64_C(0x1000000)
#define XFS_DIR_ALIGN 8u

struct xfs_dir_block {
	be32 magic;
	le32 crc;
	be64 blkno, lsn;
	uint8_t uuid[16];
	be64 owner;
};
XFS_ASSERT_LAYOUT(xfs_dir_block, 48);

struct xfs_dir_bestfree {
	be16 offset, length;
};

struct xfs_dir_data {
	struct xfs_dir_block head;
	struct xfs_dir_bestfree bestfree[3];
	be32 pad;
};
XFS_ASSERT_LAYOUT(xfs_dir_data, 64);

#define XFS_DIR_UNUSED_TAG 0xffffu

#define XFS_DIR_DELETED_ADDRESS 0u

struct xfs_dir_leaf_entry {
	be32 hash;
	be32 address; /* byte offset in the directory / 8; of a deleted name, which stays here: 0 */
};

/* At the end of a directory of one block, behind its leaf entries. */
struct xfs_dir_block_tail {
	be32 count, stale;
};

struct xfs_dir_free {
	struct xfs_dir_block head;
	be32 firstdb, nvalid, nused, pad;
};
XFS_ASSERT_LAYOUT(xfs_dir_free, 64);

#define XFS_DIR_FREE_BESTS ((XFS_BLOCK_BYTES - sizeof(struct xfs_dir_free)) / sizeof(be16))

/* ---- Hash trees of directories and attributes ---- */

#define XFS_DA_NODE_MAGIC 0x3EBEu
#define XFS_ATTR_LEAF_MAGIC 0x3BEEu

struct xfs_da_block {
	be32 forw, back;
	be16 magic, pad;
	le32 crc;
	be64 blkno, lsn;
	uint8_t uuid[16];
	be64 owner;
};
XFS_ASSERT_LAYOUT(xfs_da_block, 56);

/* Head of a directory leaf (second: number of deleted entries) and of a node (second: level). */
struct xfs_da_node {
	struct xfs_da_block head;
	be16 count, second;
	be32 pad;
};
XFS_ASSERT_LAYOUT(xfs_da_node, 64);

struct xfs_da_entry {
	be32 hash; /* the child's last */
	be32 before;
};
XFS_ASSERT_LAYOUT(xfs_da_entry, 8);

/* Entries in a node, and leaf entries in a directory's leaf of a tree. */
#define XFS_DA_MAX ((XFS_BLOCK_BYTES - sizeof(struct xfs_da_node)) / sizeof(struct xfs_da_entry))
static_assert(XFS_DA_MAX == 504, "entries of a node");

/* ---- Extended attributes ---- */

#define XFS_ATTR_LOCAL 0x01u
#define XFS_ATTR_ROOT 0x02u
#define XFS_ATTR_SECURE 0x04u
#define XFS_ATTR_PARENT 0x08u     /* a parent pointer, which Linux does not show */
#define XFS_ATTR_INCOMPLETE 0x80u /* being written when the system stopped */

struct xfs_attr_short {
	be16 totsize;
	uint8_t count, pad;
};
XFS_ASSERT_LAYOUT(xfs_attr_short, 4);

struct xfs_attr_freemap {
	be16 base, size;
};

struct xfs_attr_leaf {
	struct xfs_da_block head;
	be16 count, usedbytes, firstused;
	uint8_t holes, pad;
	struct xfs_attr_freemap freemap[3];
	be32 pad2;
};
XFS_ASSERT_LAYOUT(xfs_attr_leaf, 80);

struct xfs_attr_entry {
	be32 hash;
	be16 nameidx;
	uint8_t flags, pad;
};
XFS_ASSERT_LAYOUT(xfs_attr_entry, 8);

/* Name records: the name follows; of a local one then the value. */
struct xfs_attr_local {
	be16 valuelen;
	uint8_t namelen;
};
XFS_ASSERT_LAYOUT(xfs_attr_local, 3);

struct xfs_attr_remote {
	be32 valueblk, valuelen;
	uint8_t namelen;
};
XFS_ASSERT_LAYOUT(xfs_attr_remote, 9);
#define XFS_ATTR_REMOTE_BYTES 11u /* what a record counts beside the name: historic padding */

#define XFS_ATTR_VALUE_MAGIC 0x5841524Du /* "XARM" */

struct xfs_attr_value {
	be32 magic, offset, bytes;
	le32 crc;
	uint8_t uuid[16];
	be64 owner, blkno, lsn;
};
XFS_ASSERT_LAYOUT(xfs_attr_value, 56);
#define XFS_ATTR_VALUE_BYTES (XFS_BLOCK_BYTES - (uint32_t)sizeof(struct xfs_attr_value))

/* An ACL as XFS stores it: a count, then these. */
struct xfs_acl_entry {
	be32 tag, id;
	be16 perm, pad;
};
XFS_ASSERT_LAYOUT(xfs_acl_entry, 12);

#endif
