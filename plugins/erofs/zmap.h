/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of a compressed file: a map header, then for each logical cluster (4096 bytes of the
 * file) whether an extent begins in it, where and at which block, or how far it is to the next.
 *
 * The compact form packs 16 of them into 32 bytes, at multiples of 32; before the first such
 * multiple and after the last, 2 into 8 bytes. A pack ends with one block number, from which its
 * extents' blocks are counted.
 */
#ifndef EROFS_ZMAP_H
#define EROFS_ZMAP_H

#include "plugins/erofs/inode.h"

#define EROFS_ZMAP_SMALL_PACK_RECORDS 2u
#define EROFS_ZMAP_SMALL_PACK_BYTES 8u
#define EROFS_ZMAP_BIG_PACK_RECORDS 16u
#define EROFS_ZMAP_BIG_PACK_BYTES 32u

/* How many records of an inode's index go where. */
struct erofs_zmap_shape {
	uint32_t total;
	uint32_t before; /* in small packs, up to the first multiple of 32 bytes */
	uint32_t big;    /* in big packs; the rest is in small ones */
};

/* Of an inode whose size, form and xattrs are known; and header and index in bytes. */
struct erofs_zmap_shape erofs_zmap_shape(const struct erofs_inode *inode);
uint32_t erofs_zmap_bytes(const struct erofs_inode *inode);

/* How many bytes may follow the index in the block where it ends. */
uint32_t erofs_zmap_room(const struct erofs_inode *inode);

/* What the index says of a logical cluster. */
struct erofs_zmap_record {
	uint8_t type;     /* enum erofs_cluster_type */
	uint16_t offset;  /* PLAIN, HEAD: where in the cluster the extent begins */
	uint16_t back;    /* NONHEAD: clusters back to the extent's first, or its blocks, flagged */
	uint16_t forward; /* NONHEAD: clusters to the next extent's first */
	uint32_t block;   /* PLAIN, HEAD: the extent's first */
};

/* Makes a pack of 2 records (8 bytes) or 16 (32 bytes). Returns its bytes. */
uint32_t erofs_zmap_pack(const struct erofs_zmap_record *records, uint32_t count, bool big_clusters,
			 uint8_t out[EROFS_ZMAP_BIG_PACK_BYTES]);

#endif
