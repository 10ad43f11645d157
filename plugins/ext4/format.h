/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ext4 on disk, as far as we write or read it ourselves: inodes, extents, directories, extended
 * attributes and the superblock's head. All numbers are little-endian. Facts: the kernel's
 * Documentation/filesystems/ext4/.
 */
#ifndef EXT4_FORMAT_H
#define EXT4_FORMAT_H

#include <assert.h>
#include <stddef.h>

#include "lib/byteorder.h"

#define EXT4_BLOCK_BYTES 4096u
#define EXT4_BLOCK_BITS 12

/* Every checksummed block of directories and extents ends in the checksum. */
#define EXT4_CSUM_OFFSET (EXT4_BLOCK_BYTES - 4)

/* ---- Inodes ---- */

#define EXT4_INODE_BYTES 256u
#define EXT4_INODES_PER_BLOCK (EXT4_BLOCK_BYTES / EXT4_INODE_BYTES)
#define EXT4_ROOT_INO 2u
#define EXT4_JOURNAL_INO 8u
#define EXT4_FIRST_INO 11u
#define EXT4_EXTRA_ISIZE 32u
#define EXT4_XATTR_SPACE (EXT4_INODE_BYTES - 128 - EXT4_EXTRA_ISIZE)
#define EXT4_LINK_MAX 65000u
/* Seconds since 1970: 1901-12-13 to 2446-05-10. (Of 2310-04-04 to 2378-04-22 e2fsck suspects a bug
 * of old kernels with times before 1970, and says so.) */
#define EXT4_TIME_MIN INT32_MIN
#define EXT4_TIME_MAX (INT32_MAX + (INT64_C(3) << 32))

#define EXT4_INODE_BLOCK_BYTES 60u
#define EXT4_FAST_SYMLINK_BYTES EXT4_INODE_BLOCK_BYTES /* with the NUL */
#define EXT4_INODE_ENCRYPTED 0x00000800u
#define EXT4_INODE_INDEX 0x00001000u
#define EXT4_INODE_EXTENTS 0x00080000u
#define EXT4_INODE_EA 0x00200000u /* holds the value of an attribute */
#define EXT4_INODE_INLINE 0x10000000u

struct ext4_inode {
	le16 mode;
	le16 uid_lo;
	le32 size_lo;
	le32 atime;
	le32 ctime;
	le32 mtime;
	le32 dtime;
	le16 gid_lo;
	le16 links_count;
	le32 blocks_lo; /* sectors of 512 bytes */
	le32 flags;
	le32 version;
	uint8_t block[EXT4_INODE_BLOCK_BYTES]; /* extent tree, short link target, or device number
						*/
	le32 generation;
	le32 file_acl_lo;
	le32 size_hi;
	le32 obso_faddr;
	le16 blocks_hi;
	le16 file_acl_hi;
	le16 uid_hi;
	le16 gid_hi;
	le16 checksum_lo;
	le16 reserved;
	le16 extra_isize;
	le16 checksum_hi;
	le32 ctime_extra;
	le32 mtime_extra;
	le32 atime_extra;
	le32 crtime;
	le32 crtime_extra;
	le32 version_hi;
	le32 projid;
	uint8_t xattrs[EXT4_XATTR_SPACE];
};
static_assert(sizeof(struct ext4_inode) == EXT4_INODE_BYTES, "inode");
static_assert(offsetof(struct ext4_inode, block) == 40, "inode.block");
static_assert(offsetof(struct ext4_inode, checksum_lo) == 124, "inode.checksum_lo");
static_assert(offsetof(struct ext4_inode, xattrs) == 160, "inode.xattrs");

/* ---- Extents ---- */

#define EXT4_EXTENT_MAGIC 0xF30Au
#define EXT4_EXTENT_MAX_BLOCKS 32768u /* a longer one is unwritten, and as much shorter */
#define EXT4_EXTENT_DEPTH_MAX 5u
#define EXT4_EXTENTS_INLINE 4u
#define EXT4_EXTENTS_PER_BLOCK 340u

struct ext4_extent_header {
	le16 magic;
	le16 entries;
	le16 max;
	le16 depth;
	le32 generation;
};

struct ext4_extent_leaf {
	le32 block;
	le16 len;
	le16 start_hi;
	le32 start_lo;
};

struct ext4_extent_index {
	le32 block;
	le32 leaf_lo;
	le16 leaf_hi;
	le16 unused;
};

static_assert(sizeof(struct ext4_extent_header) == 12, "extent header");
static_assert(sizeof(struct ext4_extent_leaf) == 12, "extent");
static_assert(sizeof(struct ext4_extent_index) == 12, "extent index");

/* ---- Directories ---- */

struct ext4_dirent {
	le32 inode;
	le16 rec_len;
	uint8_t name_len;
	uint8_t file_type;
};

/* At the end of a directory block: looks like an unused entry. */
struct ext4_dirent_tail {
	le32 zero;
	le16 rec_len; /* 12 */
	uint8_t name_len;
	uint8_t file_type; /* EXT4_DIRENT_TAIL_TYPE */
	le32 checksum;
};
#define EXT4_DIRENT_TAIL_TYPE 0xDE
#define EXT4_DIR_BLOCK_SPACE (EXT4_BLOCK_BYTES - sizeof(struct ext4_dirent_tail))

/* What block 0 of an indexed directory holds behind the entries "." and "..". */
struct ext4_dx_root_info {
	le32 reserved;
	uint8_t hash_version;
	uint8_t info_length; /* 8 */
	uint8_t indirect_levels;
	uint8_t unused;
};
#define EXT4_DX_ROOT_INFO_OFFSET 24u
#define EXT4_DX_HASH_HALF_MD4 1

/* The first entry of an index holds the counts in place of a hash. */
struct ext4_dx_countlimit {
	le16 limit;
	le16 count;
};
struct ext4_dx_entry {
	le32 hash;
	le32 block;
};
struct ext4_dx_tail {
	le32 reserved;
	le32 checksum;
};
#define EXT4_DX_ROOT_OFFSET (EXT4_DX_ROOT_INFO_OFFSET + 8u)
#define EXT4_DX_NODE_OFFSET 8u
#define EXT4_DX_LIMIT(offset) \
	((EXT4_BLOCK_BYTES - (offset) - sizeof(struct ext4_dx_tail)) / sizeof(struct ext4_dx_entry))
#define EXT4_DX_ROOT_LIMIT EXT4_DX_LIMIT(EXT4_DX_ROOT_OFFSET)
#define EXT4_DX_NODE_LIMIT EXT4_DX_LIMIT(EXT4_DX_NODE_OFFSET)

static_assert(sizeof(struct ext4_dirent) == 8, "dirent");
static_assert(sizeof(struct ext4_dirent_tail) == 12, "dirent tail");
static_assert(sizeof(struct ext4_dx_root_info) == 8, "dx root info");
static_assert(EXT4_DX_ROOT_LIMIT == 507, "dx root limit");
static_assert(EXT4_DX_NODE_LIMIT == 510, "dx node limit");

/* ---- Extended attributes ---- */

#define EXT4_XATTR_MAGIC 0xEA020000u
#define EXT4_XATTR_REFCOUNT_MAX 1024u
#define EXT4_XATTR_VALUE_MAX 65536u

struct ext4_xattr_header {
	le32 magic;
	le32 refcount;
	le32 blocks;
	le32 hash;
	le32 checksum;
	le32 reserved[3];
};

struct ext4_xattr_entry {
	uint8_t name_len;
	uint8_t name_index;
	le16 value_offs;
	le32 value_inum;
	le32 value_size;
	le32 hash;
};
static_assert(sizeof(struct ext4_xattr_header) == 32, "xattr header");
static_assert(sizeof(struct ext4_xattr_entry) == 16, "xattr entry");

/* ---- The superblock ---- */

#define EXT4_SUPER_OFFSET 1024u
#define EXT4_SUPER_MAGIC 0xEF53u
#define EXT4_LABEL_BYTES 16u

struct ext4_super {
	le32 inodes_count;
	le32 blocks_count_lo;
	le32 r_blocks_count_lo;
	le32 free_blocks_count_lo;
	le32 free_inodes_count;
	le32 first_data_block;
	le32 log_block_size;
	le32 log_cluster_size;
	le32 blocks_per_group;
	le32 clusters_per_group;
	le32 inodes_per_group;
	le32 mtime;
	le32 wtime;
	le16 mnt_count;
	le16 max_mnt_count;
	le16 magic;
	le16 state;
	le16 errors;
	le16 minor_rev_level;
	le32 lastcheck;
	le32 checkinterval;
	le32 creator_os;
	le32 rev_level;
	le16 def_resuid;
	le16 def_resgid;
	le32 first_ino;
	le16 inode_size;
	le16 block_group_nr;
	le32 feature_compat;
	le32 feature_incompat;
	le32 feature_ro_compat;
	uint8_t uuid[16];
	char volume_name[EXT4_LABEL_BYTES];
	uint8_t unread1[0xfe - 0x88];
	le16 descriptor_bytes; /* with the feature 64bit */
	uint8_t unread2[0x104 - 0x100];
	le32 first_meta_group; /* of descriptor blocks: where the feature meta_bg begins */
	uint8_t unread3[0x150 - 0x108];
	le32 blocks_count_hi;
	le32 r_blocks_count_hi;
	le32 free_blocks_count_hi;
	uint8_t unread4[0x175 - 0x15c];
	uint8_t checksum_type;
	uint8_t unread5[0x24c - 0x176];
	le32 backup_groups[2]; /* with the feature sparse_super2 */
	uint8_t unread6[0x270 - 0x254];
	le32 checksum_seed; /* with the feature metadata_csum_seed */
	uint8_t unread7[0x3fc - 0x274];
	le32 checksum;
};
static_assert(sizeof(struct ext4_super) == 1024, "superblock");
static_assert(offsetof(struct ext4_super, magic) == 0x38, "superblock.magic");
static_assert(offsetof(struct ext4_super, volume_name) == 0x78, "superblock.volume_name");
static_assert(offsetof(struct ext4_super, checksum_seed) == 0x270, "superblock.checksum_seed");

#define EXT4_STATE_VALID 0x0001u
#define EXT4_STATE_ERRORS 0x0002u

/* ---- Group descriptors ---- */

#define EXT4_GROUP_INODE_UNINIT 0x0001u
#define EXT4_GROUP_BLOCK_UNINIT 0x0002u

struct ext4_descriptor {
	le32 block_bitmap_lo;
	le32 inode_bitmap_lo;
	le32 inode_table_lo;
	le16 free_blocks_lo;
	le16 free_inodes_lo;
	le16 used_dirs_lo;
	le16 flags;
	le32 exclude_bitmap_lo;
	le16 block_bitmap_csum_lo;
	le16 inode_bitmap_csum_lo;
	le16 itable_unused_lo;
	le16 checksum;
	le32 block_bitmap_hi;
	le32 inode_bitmap_hi;
	le32 inode_table_hi;
	le16 free_blocks_hi;
	le16 free_inodes_hi;
	le16 used_dirs_hi;
	le16 itable_unused_hi;
	le32 exclude_bitmap_hi;
	le16 block_bitmap_csum_hi;
	le16 inode_bitmap_csum_hi;
	le32 reserved;
};
static_assert(sizeof(struct ext4_descriptor) == 64, "group descriptor");
#define EXT4_DESCRIPTORS_PER_BLOCK (EXT4_BLOCK_BYTES / sizeof(struct ext4_descriptor))
static_assert(offsetof(struct ext4_descriptor, checksum) == 30, "group descriptor.checksum");

/* ---- Features ---- */

#define EXT4_COMPAT_HAS_JOURNAL 0x0004u
#define EXT4_COMPAT_EXT_ATTR 0x0008u
#define EXT4_COMPAT_DIR_INDEX 0x0020u
#define EXT4_COMPAT_SPARSE_SUPER2 0x0200u

#define EXT4_INCOMPAT_FILETYPE 0x0002u
#define EXT4_INCOMPAT_RECOVER 0x0004u
#define EXT4_INCOMPAT_JOURNAL_DEV 0x0008u
#define EXT4_INCOMPAT_META_BG 0x0010u
#define EXT4_INCOMPAT_EXTENTS 0x0040u
#define EXT4_INCOMPAT_64BIT 0x0080u
#define EXT4_INCOMPAT_MMP 0x0100u
#define EXT4_INCOMPAT_FLEX_BG 0x0200u
#define EXT4_INCOMPAT_EA_INODE 0x0400u
#define EXT4_INCOMPAT_CSUM_SEED 0x2000u
#define EXT4_INCOMPAT_LARGE_DIR 0x4000u
#define EXT4_INCOMPAT_INLINE_DATA 0x8000u
#define EXT4_INCOMPAT_ENCRYPT 0x10000u
#define EXT4_INCOMPAT_CASEFOLD 0x20000u

#define EXT4_RO_COMPAT_SPARSE_SUPER 0x0001u
#define EXT4_RO_COMPAT_LARGE_FILE 0x0002u
#define EXT4_RO_COMPAT_HUGE_FILE 0x0008u
#define EXT4_RO_COMPAT_GROUP_CSUM 0x0010u
#define EXT4_RO_COMPAT_DIR_NLINK 0x0020u
#define EXT4_RO_COMPAT_EXTRA_ISIZE 0x0040u
#define EXT4_RO_COMPAT_METADATA_CSUM 0x0400u

#endif
