/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EROFS as it lies on disk. All numbers are little-endian. Facts: the kernel's
 * Documentation/filesystems/erofs.rst and the layouts that its fs/erofs reads.
 *
 * A filesystem is a run of 4096-byte blocks. Block 0 holds the superblock at byte 1024. Inodes are
 * addressed by nid: their byte offset from the metadata's first block (here always 0) in units of
 * 32.
 */
#ifndef EROFS_FORMAT_H
#define EROFS_FORMAT_H

#include <stddef.h>

#include "lib/byteorder.h"

#define EROFS_BLOCK_BITS 12
#define EROFS_BLOCK_BYTES 4096u
#define EROFS_SUPER_OFFSET 1024u
#define EROFS_SUPER_MAGIC UINT32_C(0xE0F5E1E2)
#define EROFS_SLOT_BYTES 32u
#define EROFS_LABEL_BYTES 16u /* with its NUL */
#define EROFS_NAME_BYTES 255u

/* feature_compat: a reader may ignore these. */
#define EROFS_COMPAT_SB_CHKSUM UINT32_C(0x1)
#define EROFS_COMPAT_MTIME UINT32_C(0x2)
#define EROFS_COMPAT_XATTR_FILTER UINT32_C(0x4)
#define EROFS_COMPAT_PLAIN_XATTR_PREFIX UINT32_C(0x10) /* not in the packed inode */

/* feature_incompat: a reader that does not know one refuses to mount. */
#define EROFS_INCOMPAT_ZERO_PADDING UINT32_C(0x1)  /* LZ4 clusters end at their block's end */
#define EROFS_INCOMPAT_COMPR_CFGS UINT32_C(0x2)    /* clusters of more than one block */
#define EROFS_INCOMPAT_CHUNKED_FILE UINT32_C(0x4)  /* files with holes */
#define EROFS_INCOMPAT_DEVICE_TABLE UINT32_C(0x8)  /* and a second compression algorithm */
#define EROFS_INCOMPAT_ZTAILPACKING UINT32_C(0x10) /* compressed tails beside the inode */
#define EROFS_INCOMPAT_FRAGMENTS UINT32_C(0x20)    /* and shared compressed data */
#define EROFS_INCOMPAT_XATTR_PREFIX UINT32_C(0x40) /* long name prefixes */
#define EROFS_INCOMPAT_48BIT UINT32_C(0x80)        /* 48-bit block numbers */
#define EROFS_INCOMPAT_METABOX UINT32_C(0x100)     /* compressed metadata */

struct erofs_super {
	le32 magic;
	le32 checksum; /* CRC-32C, preset ~0, of [1024, end of block 0) with this member 0 */
	le32 feature_compat;
	uint8_t block_bits;
	uint8_t ext_slots; /* 16 more bytes of superblock each */
	le16 root_nid;
	le64 inodes;
	le64 build_time; /* the time of every compact inode */
	le32 build_time_nsec;
	le32 blocks;
	le32 meta_block;
	le32 xattr_block; /* where ids of shared xattrs count from */
	uint8_t uuid[16];
	uint8_t label[EROFS_LABEL_BYTES];
	le32 feature_incompat;
	le16 algorithms; /* with COMPR_CFGS a bit each; else LZ4's window, 0: 64 KiB */
	le16 extra_devices;
	le16 device_slot;
	uint8_t dir_block_bits;
	uint8_t xattr_prefix_count;
	le32 xattr_prefix_start;
	le64 packed_nid;
	uint8_t xattr_filter_reserved;
	uint8_t reserved[7];
	le64 root_nid_long; /* with 48BIT; not 0: root_nid is the high part of blocks */
	uint8_t reserved2[8];
};
_Static_assert(sizeof(struct erofs_super) == 128, "superblock");
_Static_assert(offsetof(struct erofs_super, uuid) == 48, "superblock");
_Static_assert(offsetof(struct erofs_super, packed_nid) == 96, "superblock");

/* Follows the superblock with COMPR_CFGS, here for LZ4. */
struct erofs_lz4_config {
	le16 bytes; /* of what follows: 14 */
	le16 max_distance;
	le16 max_cluster_blocks;
	uint8_t reserved[10];
};
_Static_assert(sizeof(struct erofs_lz4_config) == 16, "LZ4 configuration");
/* The same for Zstandard; of several the configurations follow one another, by number. */
struct erofs_zstd_config {
	le16 bytes;     /* of what follows: 6 */
	uint8_t format; /* 0 */
	uint8_t window; /* log2 of the largest window, less EROFS_ZSTD_WINDOW_BITS */
	uint8_t reserved[4];
};
_Static_assert(sizeof(struct erofs_zstd_config) == 8, "Zstandard configuration");
#define EROFS_ZSTD_WINDOW_BITS 10u
#define EROFS_ALGORITHM_LZ4 0x1u
#define EROFS_ALGORITHM_LZMA 0x2u
#define EROFS_ALGORITHM_DEFLATE 0x4u
#define EROFS_ALGORITHM_ZSTD 0x8u

/* With DEVICE_TABLE, at device_slot * 128: one for each extra device, in the order in which
 * mount(8) is given them. */
struct erofs_device_slot {
	uint8_t tag[64]; /* of an image that was merged its UUID, else zeros; need not end in one */
	le32 blocks;     /* 0: it does not say */
	le32 mapped_block;
	uint8_t reserved[56];
};
_Static_assert(sizeof(struct erofs_device_slot) == 128, "device slot");

/* i_format: bit 0 says extended, bits 1 to 3 the data layout. */
#define EROFS_FORMAT_EXTENDED 1u
#define EROFS_FORMAT_LAYOUT_SHIFT 1
#define EROFS_FORMAT_LAYOUT_MASK 7u
#define EROFS_FORMAT_ALL 0xfu

enum erofs_data_layout {
	EROFS_FLAT_PLAIN = 0,         /* consecutive blocks */
	EROFS_COMPRESSED_FULL = 1,    /* 8 bytes of index for each logical cluster */
	EROFS_FLAT_INLINE = 2,        /* the same without the last block, which follows the inode */
	EROFS_COMPRESSED_COMPACT = 3, /* 2 or 4 bytes of index */
	EROFS_CHUNK_BASED = 4         /* a block number for each chunk, or none */
};

struct erofs_inode_compact {
	le16 format;
	le16 xattr_count; /* 0: none; else 1 + (xattr bytes - 12) / 4 */
	le16 mode;
	le16 nlink;
	le32 size;
	le32 reserved;
	le32 u; /* start block, device, compressed blocks or chunk format */
	le32 ino;
	le16 uid;
	le16 gid;
	le32 reserved2;
};
_Static_assert(sizeof(struct erofs_inode_compact) == 32, "compact inode");

struct erofs_inode_extended {
	le16 format;
	le16 xattr_count;
	le16 mode;
	le16 reserved;
	le64 size;
	le32 u;
	le32 ino;
	le32 uid;
	le32 gid;
	le64 mtime;
	le32 mtime_nsec;
	le32 nlink;
	uint8_t reserved2[16];
};
_Static_assert(sizeof(struct erofs_inode_extended) == 64, "extended inode");

/* A directory block: dirents, then their names without separators. The first name_off / 12 is the
 * number of dirents; the last name ends at a NUL or the block's end. */
struct erofs_dirent {
	le64 nid;
	le16 name_off;
	uint8_t type; /* enum kataimg_type */
	uint8_t reserved;
};
_Static_assert(sizeof(struct erofs_dirent) == 12, "dirent");

/* After the inode: this header, shared ids (le32 each), then the inode's own xattr entries. */
struct erofs_xattr_header {
	le32 name_filter;
	uint8_t shared_count;
	uint8_t reserved[7];
};
_Static_assert(sizeof(struct erofs_xattr_header) == 12, "xattr header");
#define EROFS_XATTR_SHARED_MAX 255u
#define EROFS_XATTR_COUNT_MAX 65535u

/* Followed by the name without its prefix and the value, padded to 4. */
struct erofs_xattr_entry {
	uint8_t name_len;
	uint8_t prefix;
	le16 value_len;
};
_Static_assert(sizeof(struct erofs_xattr_entry) == 4, "xattr entry");

enum erofs_xattr_prefix {
	EROFS_XATTR_USER = 1,
	EROFS_XATTR_ACL_ACCESS = 2,
	EROFS_XATTR_ACL_DEFAULT = 3,
	EROFS_XATTR_TRUSTED = 4,
	EROFS_XATTR_SECURITY = 6
};
/* In the prefix: its low bits number a record of the table at xattr_prefix_start * 4. A record, at
 * a multiple of 4, has a le16 of how many bytes follow, a short prefix, and what comes before the
 * name. */
#define EROFS_XATTR_LONG_PREFIX 0x80u

/* Chunk-based: u holds log2(chunk blocks) in its low 5 bits; a le32 block number for each chunk. */
#define EROFS_CHUNK_BITS_MAX 31u
#define EROFS_CHUNK_HOLE UINT32_MAX
/* With this bit an entry is 8 bytes. */
#define EROFS_CHUNK_INDEXES 0x20u
struct erofs_chunk_index {
	le16 block_high; /* with 48-bit block numbers */
	le16 device;     /* masked by the number of devices */
	le32 block;
};
_Static_assert(sizeof(struct erofs_chunk_index) == 8, "chunk index");
/* No block: a chunk or a flat file that is a hole. */
#define EROFS_BLOCK_NONE UINT32_MAX

/* Compressed: at the next multiple of 8 after inode and xattrs; the index follows. */
struct erofs_map_header {
	le32 fragment_off; /* in the packed inode; high half: bytes of a tail behind the index */
	le16 advise;
	uint8_t algorithms;   /* 0: LZ4 */
	uint8_t cluster_bits; /* log2(logical cluster bytes) - 12 */
};
_Static_assert(sizeof(struct erofs_map_header) == 8, "map header");
#define EROFS_ADVISE_COMPACT_2B 0x1u
#define EROFS_ADVISE_EXTENTS 0x1u /* of a full index: another form, of 48-bit filesystems */
/* Of both algorithms: readers want the two bits equal in a compact index. */
#define EROFS_ADVISE_BIG_CLUSTERS 0x6u
#define EROFS_ADVISE_BIG_CLUSTERS_1 0x2u
#define EROFS_ADVISE_BIG_CLUSTERS_2 0x4u
#define EROFS_ADVISE_INLINE 0x8u      /* the last extent follows the index */
#define EROFS_ADVISE_INTERLACED 0x10u /* plain bytes keep their place in a block */
#define EROFS_ADVISE_FRAGMENT 0x20u   /* the last extent is in the packed inode */
/* In cluster_bits: the header is 63 bits of where in the packed inode all of the file is. */
#define EROFS_CLUSTER_WHOLE_FRAGMENT 0x80u
#define EROFS_MAP_WHOLE_FRAGMENT (UINT64_C(1) << 63) /* the same bit, of the 64 */
/* Elsewhere a fragment has 32 bits: the packed inode goes on, but no tail begins behind it. */
#define EROFS_FRAGMENT_OFF_MAX UINT32_MAX

/* What an index says of a logical cluster (4096 bytes of the file). */
enum erofs_cluster_type {
	EROFS_CLUSTER_PLAIN = 0,   /* an extent that is stored as it is begins here */
	EROFS_CLUSTER_HEAD = 1,    /* a compressed extent begins here */
	EROFS_CLUSTER_NONHEAD = 2, /* the extent that begins in an earlier one goes on */
	EROFS_CLUSTER_HEAD2 = 3    /* as HEAD, by the second algorithm */
};
#define EROFS_CLUSTER_TYPE_MASK 3u
#define EROFS_CLUSTER_TYPE_SHIFT 12
/* In the distance of an extent's first NONHEAD: the low bits count the extent's blocks. */
#define EROFS_CLUSTER_BLOCKS_FLAG 0x800u

/* A full index has such records, behind the header and 8 more bytes. */
struct erofs_full_record {
	le16 advise; /* the type, and a flag */
	le16 offset; /* of a head */
	le32 block;  /* NONHEAD: le16 back, le16 forward */
};
_Static_assert(sizeof(struct erofs_full_record) == 8, "record of a full index");
#define EROFS_CLUSTER_PARTIAL 0x8000u /* the extent is the start of what is unpacked */

#endif
