/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/zmap_write.h"

#include <string.h>

#include "plugins/erofs/compress.h"
#include "plugins/erofs/unpack.h"
#include "plugins/erofs/zmap.h"

/* Walks the file's logical clusters along its extents. */
struct walk {
	const struct erofs_segments *segments;
	const struct erofs_inode *inode, *owner;
	struct erofs_extent_cursor cursor;
	struct erofs_extent extent;
	uint64_t start, end; /* of the extent, in the file */
	uint32_t block;      /* its first */
	uint64_t cluster;    /* the next to be described */
};

/*
 * The extent after this one. What is in the packed file is one without blocks, which readers want
 * to be of the compressed kind; the file's end is a plain one without bytes.
 */
static void next_extent(struct walk *walk)
{
	walk->start = walk->end;
	if (!erofs_extent_next(walk->segments, walk->owner, &walk->cursor, &walk->extent)) {
		uint32_t rest = (uint32_t)(walk->inode->size - walk->start);

		walk->extent = (struct erofs_extent){ .bytes = rest, .plain = !rest };
	}
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
	struct erofs_zmap_record records[EROFS_ZMAP_BIG_PACK_RECORDS];
	uint8_t pack[EROFS_ZMAP_BIG_PACK_BYTES];

	while (records_left) {
		uint32_t count = records_left < pack_records ? records_left : pack_records;
		uint32_t bytes;
		int ret;

		memset(records, 0, sizeof(records));
		for (uint32_t i = 0; i < count; i++)
			records[i] = next_record(walk);
		bytes = erofs_zmap_pack(records, pack_records, walk->inode->big_clusters, pack);
		ret = erofs_stream_put(stream, pack, bytes);
		if (ret < 0)
			return ret;
		records_left -= count;
	}
	return 0;
}

static int put_header(const struct erofs_layout *layout, struct erofs_stream *stream,
		      const struct erofs_inode *inode)
{
	uint32_t fragment = 0, advise = EROFS_ADVISE_COMPACT_2B;
	struct erofs_map_header header = { 0 };

	if (inode->tail == EROFS_TAIL_WHOLE) {
		le64 whole = to_le64(inode->fragment_off | EROFS_MAP_WHOLE_FRAGMENT);

		return erofs_stream_put(stream, &whole, sizeof(whole));
	}
	if (inode->big_clusters)
		advise |= EROFS_ADVISE_BIG_CLUSTERS;
	if (inode->tail == EROFS_TAIL_FRAGMENT) {
		advise |= EROFS_ADVISE_FRAGMENT;
		fragment = (uint32_t)inode->fragment_off;
	} else if (inode->tail == EROFS_TAIL_INLINE) {
		advise |= EROFS_ADVISE_INLINE;
		fragment = inode->tail_bytes << 16;
	}
	header.fragment_off = to_le32(fragment);
	if (layout->source->options.compress == EROFS_COMPRESS_ZSTD)
		header.algorithms = EROFS_UNPACK_ZSTD;
	header.advise = to_le16((uint16_t)advise);
	return erofs_stream_put(stream, &header, sizeof(header));
}

int erofs_zmap_put(const struct erofs_layout *layout, struct erofs_stream *stream,
		   const struct erofs_inode *inode)
{
	struct erofs_zmap_shape shape = erofs_zmap_shape(inode);
	struct walk walk = { .segments = layout->segments,
			     .inode = inode,
			     .owner = erofs_layout_owner(layout, inode),
			     .block = inode->start_block };
	int ret = put_header(layout, stream, inode);

	if (ret < 0 || inode->tail == EROFS_TAIL_WHOLE)
		return ret;
	next_extent(&walk);
	ret = put_packs(&walk, stream, shape.before, EROFS_ZMAP_SMALL_PACK_RECORDS);
	if (ret < 0)
		return ret;
	ret = put_packs(&walk, stream, shape.big, EROFS_ZMAP_BIG_PACK_RECORDS);
	if (ret < 0)
		return ret;
	return put_packs(&walk, stream, shape.total - shape.before - shape.big,
			 EROFS_ZMAP_SMALL_PACK_RECORDS);
}
