/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EROFS backend's state and the order of its work.
 *
 *   plan:   xattrs counted -> equal files found -> files compressed into scratch -> a layout for
 *           each inode -> a place for each inode in the metadata -> blocks for the data
 *   write:  the metadata as one ascending stream, then a promise for each stretch of file data
 *
 * The image: superblock, inodes with what follows them, and the shared xattrs, packed into blocks
 * from 0; then the whole blocks of directories and long links; then file data.
 */
#ifndef EROFS_EROFS_H
#define EROFS_EROFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kataimg/backend.h"
#include "lib/round.h"
#include "plugins/erofs/format.h"

enum erofs_data_policy { EROFS_DATA_DAX, EROFS_DATA_PACKED };
enum erofs_compress { EROFS_COMPRESS_NONE, EROFS_COMPRESS_LZ4, EROFS_COMPRESS_LZ4HC };

struct erofs_options {
	enum erofs_data_policy data;
	enum erofs_compress compress;
	int level;
	uint32_t cluster_blocks;
	bool dedupe;
	char label[EROFS_LABEL_BYTES];
	uint8_t uuid[16];
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
	uint8_t layout;        /* enum erofs_layout */
	uint8_t chunk_bits;    /* chunk-based: log2(chunk bytes / 4096) */
	bool extended;
	bool big_clusters; /* compressed: some extent has more than one block */
};

struct erofs {
	const struct kataimg_host *host;
	const struct kataimg_job *job;
	const struct kataimg_tree *tree;
	struct erofs_options options;

	struct erofs_inode *inodes; /* by node index */
	uint32_t *order;            /* node indexes by ascending nid */
	struct erofs_xattrs *xattrs;
	struct erofs_chunk_runs *chunk_runs;
	struct erofs_segments *segments;
	uint64_t shared_off;       /* byte where the shared xattrs lie */
	uint64_t meta_blocks;      /* superblock, inodes, shared xattrs */
	uint64_t blocks;           /* of the whole filesystem */
	uint32_t feature_incompat; /* what the layout uses */
};

#define erofs_error(fs, ...) ((fs)->host->error((fs)->host->ctx, __VA_ARGS__))

/* A zeroed array, or NULL with the error given. The caller frees it. */
void *erofs_alloc(const struct erofs *fs, size_t count, size_t item_bytes);
/* Makes room for one more item: *array holds count, *capacity fit. -ENOMEM with the error given. */
int erofs_grow(const struct erofs *fs, void *array, size_t *capacity, size_t count,
	       size_t item_bytes);

static inline uint64_t erofs_blocks_of(uint64_t bytes)
{
	return div_up(bytes, EROFS_BLOCK_BYTES);
}

static inline const struct erofs_inode *erofs_owner(const struct erofs *fs,
						    const struct erofs_inode *inode)
{
	return &fs->inodes[inode->owner];
}

#endif
