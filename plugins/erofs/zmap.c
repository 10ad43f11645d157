/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/zmap.h"

#include <string.h>

#include "lib/round.h"
#include "plugins/erofs/compress.h"
#include "plugins/erofs/inode.h"

#define SMALL_PACK_RECORDS 2u
#define SMALL_PACK_BYTES 8u
#define BIG_PACK_RECORDS EROFS_ZMAP_PACK_RECORDS_MAX
#define BIG_PACK_BYTES EROFS_ZMAP_PACK_BYTES_MAX

/* How many records of an index go where. */
struct shape {
	uint32_t total;
	uint32_t before; /* in small packs, up to the first multiple of 32 bytes */
	uint32_t big;    /* in big packs; the rest is in small ones */
};

static struct shape shape_index(const struct erofs_inode *inode)
{
	/* An inode begins at a multiple of 32. */
	uint64_t start = erofs_inode_index_off(inode) + sizeof(struct erofs_map_header);
	struct shape shape = { .total = (uint32_t)erofs_blocks_of(inode->size) };

	shape.before = (uint32_t)(round_up(start, BIG_PACK_BYTES) - start) /
		       (SMALL_PACK_BYTES / SMALL_PACK_RECORDS);
	if (shape.before > shape.total)
		shape.before = shape.total;
	shape.big = (shape.total - shape.before) / BIG_PACK_RECORDS * BIG_PACK_RECORDS;
	return shape;
}

uint32_t erofs_zmap_bytes(const struct erofs_inode *inode)
{
	struct shape shape = shape_index(inode);
	uint32_t small = shape.total - shape.big;

	return (uint32_t)sizeof(struct erofs_map_header) +
	       shape.big / BIG_PACK_RECORDS * BIG_PACK_BYTES +
	       (uint32_t)div_up(small, SMALL_PACK_RECORDS) * SMALL_PACK_BYTES;
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
			 uint8_t out[EROFS_ZMAP_PACK_BYTES_MAX])
{
	uint32_t bytes = count == BIG_PACK_RECORDS ? BIG_PACK_BYTES : SMALL_PACK_BYTES;
	uint32_t bits = (bytes - sizeof(le32)) * 8 / count;
	le32 base = to_le32(base_block(records, count, big_clusters));

	memset(out, 0, bytes);
	for (uint32_t i = 0; i < count; i++)
		put_bits(out, i * bits,
			 low_bits(&records[i], i + 1 == count) |
				 (uint32_t)records[i].type << EROFS_CLUSTER_TYPE_SHIFT);
	memcpy(out + bytes - sizeof(base), &base, sizeof(base));
	return bytes;
}

/* Walks the file's logical clusters along its extents. */
struct walk {
	const struct erofs *fs;
	const struct erofs_inode *inode;
	struct erofs_extent_cursor cursor;
	struct erofs_extent extent;
	uint64_t start, end; /* of the extent, in the file */
	uint32_t block;      /* its first */
	uint64_t cluster;    /* the next to be described */
};

/* The extent after this one. The file's end is a plain extent without bytes. */
static void next_extent(struct walk *walk)
{
	walk->start = walk->end;
	if (!erofs_extent_next(walk->fs, walk->inode, &walk->cursor, &walk->extent))
		walk->extent = (struct erofs_extent){ .plain = true };
	walk->end += walk->extent.bytes;
}

static struct erofs_zmap_record next_record(struct walk *walk)
{
	uint64_t head = walk->start / EROFS_BLOCK_BYTES;
	uint64_t next = walk->end / EROFS_BLOCK_BYTES;
	struct erofs_zmap_record record = { 0 };

	if (walk->cluster == head) {
		record.type = walk->extent.plain ? EROFS_CLUSTER_PLAIN : EROFS_CLUSTER_HEAD;
		record.offset = walk->start % EROFS_BLOCK_BYTES;
		record.block = walk->block;
	} else {
		record.type = EROFS_CLUSTER_NONHEAD;
		record.back = (uint16_t)(walk->cluster - head);
		record.forward = (uint16_t)(next - walk->cluster);
		if (record.back == 1 && walk->inode->big_clusters)
			record.back = (uint16_t)(walk->extent.blocks | EROFS_CLUSTER_BLOCKS_FLAG);
	}
	if (++walk->cluster == next) {
		walk->block += walk->extent.blocks;
		next_extent(walk);
	}
	return record;
}

static int put_packs(struct walk *walk, struct erofs_stream *stream, uint32_t records_left,
		     uint32_t pack_records)
{
	struct erofs_zmap_record records[EROFS_ZMAP_PACK_RECORDS_MAX];
	uint8_t pack[EROFS_ZMAP_PACK_BYTES_MAX];
	int err = 0;

	while (records_left && !err) {
		uint32_t count = records_left < pack_records ? records_left : pack_records;

		memset(records, 0, sizeof(records));
		for (uint32_t i = 0; i < count; i++)
			records[i] = next_record(walk);
		err = erofs_stream_put(
			stream, pack,
			erofs_zmap_pack(records, pack_records, walk->inode->big_clusters, pack));
		records_left -= count;
	}
	return err;
}

int erofs_zmap_put(const struct erofs *fs, struct erofs_stream *stream,
		   const struct erofs_inode *inode)
{
	struct shape shape = shape_index(inode);
	struct walk walk = { .fs = fs, .inode = inode, .block = inode->start_block };
	struct erofs_map_header header = {
		.advise = to_le16(EROFS_ADVISE_COMPACT_2B |
				  (inode->big_clusters ? EROFS_ADVISE_BIG_CLUSTERS : 0))
	};
	int err = erofs_stream_put(stream, &header, sizeof(header));

	next_extent(&walk);
	if (!err)
		err = put_packs(&walk, stream, shape.before, SMALL_PACK_RECORDS);
	if (!err)
		err = put_packs(&walk, stream, shape.big, BIG_PACK_RECORDS);
	if (!err)
		err = put_packs(&walk, stream, shape.total - shape.before - shape.big,
				SMALL_PACK_RECORDS);
	return err;
}
