/* SPDX-License-Identifier: Apache-2.0 */
/* Inodes: what is decided of them, how large they are, and their bytes. */
#ifndef EROFS_INODE_H
#define EROFS_INODE_H

#include "lib/round.h"
#include "plugins/erofs/source.h"

#define EROFS_INODE_BYTES_MAX sizeof(struct erofs_inode_extended)

/* The largest device numbers that fit the 32 bits of u. */
#define EROFS_DEVICE_MAJOR_MAX 0xfffu
#define EROFS_DEVICE_MINOR_MAX 0xfffffu

/* Where the end of a compressed file is that fills no block. */
enum erofs_tail {
	EROFS_TAIL_BLOCK,    /* in blocks, as all else */
	EROFS_TAIL_INLINE,   /* behind the index */
	EROFS_TAIL_FRAGMENT, /* in the packed file */
	EROFS_TAIL_WHOLE     /* with all before it: there is no index */
};

/* What was decided for a node: one for each, in the tree's order. */
struct erofs_inode {
	uint64_t nid;
	uint64_t size;         /* of a directory: what its entries take */
	uint32_t start_block;  /* of its flat or compressed data */
	uint32_t blocks;       /* of data outside the metadata, whoever owns them */
	uint32_t xattr_bytes;  /* between the inode and what follows it */
	uint32_t index_bytes;  /* chunk array, or map header and cluster index; 0 when flat */
	uint32_t owner;        /* the node whose data it shares, its own index when none */
	uint32_t copies;       /* of an owner: nodes with its data, itself included */
	uint32_t detail;       /* first of its chunk runs (chunk.h) or segments (compress.h) */
	uint32_t detail_count; /* an owner's alone */
	uint64_t fragment_off; /* in the packed file */
	uint32_t tail_bytes;   /* INLINE: as they are stored; FRAGMENT: of the file */
	uint8_t layout;        /* enum erofs_data_layout */
	uint8_t tail;          /* enum erofs_tail */
	uint8_t chunk_bits;    /* chunk-based: log2(chunk bytes / 4096) */
	bool extended;
	bool mapped;       /* plain in whole blocks, where a guest can map it (mapped.h) */
	bool big_clusters; /* compressed: some extent has more than one block */
};

static inline uint64_t erofs_blocks_of(uint64_t bytes)
{
	return div_up(bytes, EROFS_BLOCK_BYTES);
}

/* Does the node need the extended form? A compact one has the superblock's time, 16-bit ids and
 * links, and a 32-bit size. */
bool erofs_inode_is_extended(const struct kataimg_job *job, const struct kataimg_node *node,
			     uint64_t size);

/* The inode alone, in bytes. */
uint32_t erofs_inode_bytes(const struct erofs_inode *inode);
/* Where its index begins, and the inode with xattrs and index, from the inode's first byte. */
uint64_t erofs_inode_index_off(const struct erofs_inode *inode);
uint64_t erofs_inode_head_bytes(const struct erofs_inode *inode);
/* The bytes of data that follow the head. */
uint32_t erofs_inode_tail_bytes(const struct erofs_inode *inode);

/* Writes erofs_inode_bytes. */
void erofs_inode_encode(const struct kataimg_node *node, const struct erofs_inode *inode,
			uint8_t out[EROFS_INODE_BYTES_MAX]);

/* A device number as the kernel's new_encode_dev makes it, and back. */
uint32_t erofs_device_encode(uint32_t major, uint32_t minor);

#endif
