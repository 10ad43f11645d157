/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/zmap.h"

#include <string.h>

#include "lib/round.h"

struct erofs_zmap_shape erofs_zmap_shape(const struct erofs_inode *inode)
{
	/* An inode begins at a multiple of 32. */
	uint64_t start = erofs_inode_index_off(inode) + sizeof(struct erofs_map_header);
	struct erofs_zmap_shape shape = { .total = (uint32_t)erofs_blocks_of(inode->size) };

	shape.before = (uint32_t)(round_up(start, EROFS_ZMAP_BIG_PACK_BYTES) - start) /
		       (EROFS_ZMAP_SMALL_PACK_BYTES / EROFS_ZMAP_SMALL_PACK_RECORDS);
	if (shape.before > shape.total)
		shape.before = shape.total;
	shape.big = (shape.total - shape.before) / EROFS_ZMAP_BIG_PACK_RECORDS *
		    EROFS_ZMAP_BIG_PACK_RECORDS;
	return shape;
}

uint32_t erofs_zmap_bytes(const struct erofs_inode *inode)
{
	struct erofs_zmap_shape shape = erofs_zmap_shape(inode);
	uint32_t small = shape.total - shape.big;

	if (inode->tail == EROFS_TAIL_WHOLE)
		return sizeof(struct erofs_map_header);
	return (uint32_t)sizeof(struct erofs_map_header) +
	       shape.big / EROFS_ZMAP_BIG_PACK_RECORDS * EROFS_ZMAP_BIG_PACK_BYTES +
	       (uint32_t)div_up(small, EROFS_ZMAP_SMALL_PACK_RECORDS) * EROFS_ZMAP_SMALL_PACK_BYTES;
}

uint32_t erofs_zmap_room(const struct erofs_inode *inode)
{
	struct erofs_inode compressed = *inode;

	compressed.layout = EROFS_COMPRESSED_COMPACT;
	compressed.index_bytes = erofs_zmap_bytes(&compressed);
	return EROFS_BLOCK_BYTES -
	       (uint32_t)(erofs_inode_head_bytes(&compressed) % EROFS_BLOCK_BYTES);
}

static void put_bits(uint8_t *out, uint32_t at, uint32_t value)
{
	value <<= at % 8;
	for (out += at / 8; value; value >>= 8)
		*out++ |= (uint8_t)value;
}

/*
 * The block number from which a reader counts to the pack's first extent: with clusters of one
 * block it adds 1; with larger ones what the extent has that began in the pack before, if its count
 * is in this pack.
 */
static uint32_t base_block(const struct erofs_zmap_record *records, uint32_t count,
			   bool big_clusters)
{
	uint32_t before = big_clusters ? 0 : 1;

	if (records[0].type == EROFS_CLUSTER_NONHEAD && records[0].back & EROFS_CLUSTER_BLOCKS_FLAG)
		before = records[0].back & ~EROFS_CLUSTER_BLOCKS_FLAG;
	for (uint32_t i = 0; i < count; i++)
		if (records[i].type != EROFS_CLUSTER_NONHEAD)
			return records[i].block - before;
	return 0;
}

/* The last of a pack says how far the next extent is, unless it holds a count. */
static uint32_t low_bits(const struct erofs_zmap_record *record, bool last)
{
	if (record->type != EROFS_CLUSTER_NONHEAD)
		return record->offset;
	return last && !(record->back & EROFS_CLUSTER_BLOCKS_FLAG) ? record->forward : record->back;
}

uint32_t erofs_zmap_pack(const struct erofs_zmap_record *records, uint32_t count, bool big_clusters,
			 uint8_t out[EROFS_ZMAP_BIG_PACK_BYTES])
{
	uint32_t bytes = count == EROFS_ZMAP_BIG_PACK_RECORDS ? EROFS_ZMAP_BIG_PACK_BYTES
							      : EROFS_ZMAP_SMALL_PACK_BYTES;
	uint32_t bits = (bytes - (uint32_t)sizeof(le32)) * 8 / count;
	le32 base = to_le32(base_block(records, count, big_clusters));

	memset(out, 0, bytes);
	for (uint32_t i = 0; i < count; i++)
		put_bits(out, i * bits,
			 low_bits(&records[i], i + 1 == count) |
				 (uint32_t)records[i].type << EROFS_CLUSTER_TYPE_SHIFT);
	memcpy(out + bytes - sizeof(base), &base, sizeof(base));
	return bytes;
}
