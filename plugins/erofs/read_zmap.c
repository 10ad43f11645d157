/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of a compressed file, read from its first record to its last, so that no distance in it
 * need be believed: an extent begins where a record says so, and ends where the next one begins.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/round.h"
#include "plugins/erofs/read.h"
#include "plugins/erofs/zmap.h"

/* The form of records of 14 and 16 bits: an offset or distance of at least so many, then a type. */
#define COMPACT_VALUE_BITS 12u
#define COMPACT_CLUSTER_BITS_MAX 14u
#define FULL_CLUSTER_BITS_MAX 16u
#define FULL_RESERVED_BYTES 8u

struct record {
	uint8_t type;     /* enum erofs_cluster_type */
	bool partial;     /* only the start of what the extent unpacks to is meant */
	uint32_t offset;  /* of a head: in its logical cluster */
	uint32_t block;   /* of a head */
	uint32_t counted; /* NONHEAD: the blocks of the extent, if it says so, else 0 */
};

struct index {
	struct erofs_reader *reader;
	const struct erofs_found_inode *inode;
	const struct erofs_emit *emit;
	struct erofs_map_header header;
	uint32_t advise;
	unsigned int cluster_bits;
	uint64_t off;    /* of the next pack */
	uint64_t total;  /* records */
	uint64_t before; /* compact: in small packs, then */
	uint64_t big;    /* in big packs; the rest in small ones again */
	struct record pack[EROFS_ZMAP_BIG_PACK_RECORDS];
	uint32_t pack_count;
};

/* The extent that is being gathered. */
struct extent {
	bool begun;
	uint8_t type;
	bool partial;
	uint64_t number; /* of its record */
	uint64_t start;
	uint32_t block;
	uint32_t blocks; /* 0: not said */
};

static int refuse(const struct index *index, const char *why)
{
	return window_refuse(&index->reader->window, "the index of inode %" PRIu64 " %s",
			     index->inode->nid, why);
}

/* ---- Records ---- */

static bool is_big(const struct index *index, uint8_t type)
{
	return index->advise & (type == EROFS_CLUSTER_HEAD ? EROFS_ADVISE_BIG_CLUSTERS_1
							   : EROFS_ADVISE_BIG_CLUSTERS_2);
}

static int load_full(struct index *index)
{
	struct erofs_full_record disk;
	struct record *record = &index->pack[0];
	int ret = window_fetch(&index->reader->window, index->off, &disk, sizeof(disk));

	if (ret < 0)
		return ret;
	index->off += sizeof(disk);
	index->pack_count = 1;
	*record = (struct record){ .type = from_le16(disk.advise) & EROFS_CLUSTER_TYPE_MASK };
	if (record->type != EROFS_CLUSTER_NONHEAD) {
		record->partial = from_le16(disk.advise) & EROFS_CLUSTER_PARTIAL;
		record->offset = from_le16(disk.offset);
		record->block = from_le32(disk.block);
	} else if (from_le32(disk.block) & EROFS_CLUSTER_BLOCKS_FLAG) {
		/* The two distances share the place of the block number. */
		record->counted = from_le32(disk.block) & 0xffff & ~EROFS_CLUSTER_BLOCKS_FLAG;
	}
	return 0;
}

static uint32_t take_bits(const uint8_t *bytes, uint32_t at, uint32_t count)
{
	uint32_t value = (uint32_t)bytes[at / 8] | (uint32_t)bytes[at / 8 + 1] << 8 |
			 (uint32_t)bytes[at / 8 + 2] << 16;

	return value >> (at & 7) & ((1u << count) - 1);
}

/*
 * The one block number of a pack counts on from head to head: by one, or by as many blocks as the
 * record behind the head says. Extents of one block have it one lower.
 */
static void number_blocks(struct index *index, uint32_t base)
{
	bool big = index->advise & EROFS_ADVISE_BIG_CLUSTERS;
	uint32_t block = base + !big;

	for (uint32_t i = 0; i < index->pack_count; i++) {
		struct record *record = &index->pack[i];

		if (record->type != EROFS_CLUSTER_NONHEAD)
			record->block = block++;
		else if (record->counted && i > 0)
			block += record->counted - 1;
		else
			block += record->counted;
	}
}

static int load_compact(struct index *index, uint64_t next)
{
	bool big = next >= index->before && next - index->before < index->big;
	uint32_t count = big ? EROFS_ZMAP_BIG_PACK_RECORDS : EROFS_ZMAP_SMALL_PACK_RECORDS;
	uint32_t bytes = big ? EROFS_ZMAP_BIG_PACK_BYTES : EROFS_ZMAP_SMALL_PACK_BYTES;
	uint32_t record_bits = (bytes - (uint32_t)sizeof(le32)) * 8 / count;
	uint32_t value_bits =
		index->cluster_bits > COMPACT_VALUE_BITS ? index->cluster_bits : COMPACT_VALUE_BITS;
	uint8_t pack[EROFS_ZMAP_BIG_PACK_BYTES];
	le32 base;
	int ret = window_fetch(&index->reader->window, index->off, pack, bytes);

	if (ret < 0)
		return ret;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t value = take_bits(pack, i * record_bits, value_bits);
		uint32_t type = take_bits(pack, i * record_bits + value_bits, 2);

		index->pack[i] = (struct record){ .type = (uint8_t)type };
		if (type != EROFS_CLUSTER_NONHEAD)
			index->pack[i].offset = value;
		else if (value & EROFS_CLUSTER_BLOCKS_FLAG)
			index->pack[i].counted = value & ~EROFS_CLUSTER_BLOCKS_FLAG;
	}
	memcpy(&base, pack + bytes - sizeof(base), sizeof(base));
	index->off += bytes;
	index->pack_count = count;
	number_blocks(index, from_le32(base));
	return 0;
}

/* ---- Extents ---- */

static int emit_plain(const struct index *index, const struct extent *extent, uint64_t len,
		      uint64_t off, uint32_t bytes)
{
	const struct erofs_emit *emit = index->emit;
	uint32_t block_bytes = index->reader->block_bytes;
	struct erofs_piece piece = { .file_off = extent->start, .len = len, .place = off };
	uint64_t skip = extent->start % block_bytes;
	int ret;

	if (len > bytes)
		return refuse(index, "stores more bytes than their blocks hold");
	if (!(index->advise & EROFS_ADVISE_INTERLACED) || !skip)
		return emit->emit(index->reader, emit->arg, &piece);
	if (bytes > block_bytes)
		return refuse(index, "turns round more than a block");
	/* Each byte has the place in the block that it has in the file's block. */
	piece.place += skip;
	if (piece.len > block_bytes - skip)
		piece.len = block_bytes - skip;
	ret = emit->emit(index->reader, emit->arg, &piece);
	if (ret < 0 || piece.len == len)
		return ret;
	piece = (struct erofs_piece){ .file_off = extent->start + piece.len,
				      .len = len - piece.len,
				      .place = off };
	return emit->emit(index->reader, emit->arg, &piece);
}

static int emit_extent(const struct index *index, const struct extent *extent, uint64_t len,
		       uint64_t off, uint32_t bytes)
{
	struct erofs_reader *reader = index->reader;
	struct erofs_piece piece = { .file_off = extent->start, .len = len, .decoded = true };
	struct erofs_packed packed = { .off = off, .bytes = bytes, .partial = extent->partial };
	int ret;

	if (extent->type == EROFS_CLUSTER_PLAIN)
		return emit_plain(index, extent, len, off, bytes);
	packed.algorithm = extent->type == EROFS_CLUSTER_HEAD ? index->header.algorithms & 15
							      : index->header.algorithms >> 4;
	if (len > EROFS_UNPACKED_BYTES_MAX)
		return refuse(index, "unpacks too many bytes at once");
	packed.unpacked_bytes = (uint32_t)len;
	ret = erofs_decoder_add(reader->decoder, &packed, &piece.place);
	return ret < 0 ? ret : index->emit->emit(reader, index->emit->arg, &piece);
}

/* The last extent may lie behind the index, or in the packed inode. */
static int emit_tail(const struct index *index, const struct extent *extent, uint64_t len)
{
	uint32_t in_index = from_le32(index->header.fragment_off) >> 16;
	uint64_t fragment = from_le32(index->header.fragment_off);

	if (index->advise & EROFS_ADVISE_FRAGMENT) {
		if (index->inode->layout == EROFS_COMPRESSED_FULL)
			fragment |= (uint64_t)extent->block << 32;
		return erofs_reader_fragment(index->reader, index->inode, extent->start, len,
					     fragment, index->emit);
	}
	if (index->off % index->reader->block_bytes + in_index > index->reader->block_bytes)
		return refuse(index, "is followed by data that leaves its block");
	return emit_extent(index, extent, len, index->off, in_index);
}

static bool has_tail(const struct index *index)
{
	return index->advise & EROFS_ADVISE_FRAGMENT ||
	       (index->advise & EROFS_ADVISE_INLINE && from_le32(index->header.fragment_off) >> 16);
}

static int end_extent(const struct index *index, const struct extent *extent, uint64_t end)
{
	unsigned int block_bits = index->reader->block_bits;
	uint32_t blocks = extent->blocks && is_big(index, extent->type) ? extent->blocks : 1;

	if (!extent->begun || extent->start == end)
		return 0;
	if (end == index->inode->size && has_tail(index))
		return emit_tail(index, extent, end - extent->start);
	if ((uint64_t)blocks << block_bits > EROFS_PACKED_BYTES_MAX)
		return refuse(index, "has an extent of too many blocks");
	return emit_extent(index, extent, end - extent->start,
			   (uint64_t)extent->block << block_bits, blocks << block_bits);
}

static int take_record(const struct index *index, uint64_t number, const struct record *record,
		       struct extent *extent)
{
	uint64_t start = (number << index->cluster_bits) + record->offset;
	int ret;

	if (record->type == EROFS_CLUSTER_NONHEAD) {
		if (!extent->begun)
			return refuse(index, "begins in the middle of an extent");
		if (record->counted && number == extent->number + 1)
			extent->blocks = record->counted;
		return 0;
	}
	if (record->offset >> index->cluster_bits || (number == 0 && start != 0))
		return refuse(index, "has an extent that begins outside its cluster");
	if (start > index->inode->size)
		start = index->inode->size;
	ret = end_extent(index, extent, start);
	*extent = (struct extent){ .begun = start < index->inode->size,
				   .type = record->type,
				   .partial = record->partial,
				   .number = number,
				   .start = start,
				   .block = record->block };
	return ret;
}

static int read_extents(struct index *index)
{
	struct extent extent = { 0 };
	int ret = 0;

	for (uint64_t number = 0; ret == 0 && number < index->total;) {
		if (index->inode->layout == EROFS_COMPRESSED_FULL)
			ret = load_full(index);
		else
			ret = load_compact(index, number);
		for (uint32_t i = 0; ret == 0 && i < index->pack_count && number < index->total;
		     i++)
			ret = take_record(index, number++, &index->pack[i], &extent);
	}
	return ret < 0 ? ret : end_extent(index, &extent, index->inode->size);
}

/* ---- The header ---- */

static uint64_t index_bytes(const struct index *index)
{
	if (index->inode->layout == EROFS_COMPRESSED_FULL)
		return index->total * sizeof(struct erofs_full_record) + FULL_RESERVED_BYTES;
	return index->big * 2 + (index->total - index->big) * 4;
}

static void shape_compact(struct index *index)
{
	index->before = (32 - index->off % 32) % 32 / 4;
	if (index->advise & EROFS_ADVISE_COMPACT_2B && index->before < index->total)
		index->big = (index->total - index->before) / 16 * 16;
}

static int check_header(const struct index *index)
{
	bool full = index->inode->layout == EROFS_COMPRESSED_FULL;
	uint32_t big = index->advise & EROFS_ADVISE_BIG_CLUSTERS;

	if (full && index->advise & EROFS_ADVISE_EXTENTS)
		return window_decline(&index->reader->window,
				      "inode %" PRIu64 " has an index of extents, which is newer "
				      "than this reader: mount the filesystem",
				      index->inode->nid);
	if (index->cluster_bits > (full ? FULL_CLUSTER_BITS_MAX : COMPACT_CLUSTER_BITS_MAX) ||
	    (index->big && index->cluster_bits > COMPACT_VALUE_BITS))
		return refuse(index, "has clusters of an impossible size");
	if (!full && big && big != EROFS_ADVISE_BIG_CLUSTERS)
		return refuse(index, "has big clusters of one kind alone");
	/* A record takes at least two bytes. */
	if (index->total > index->reader->window.bytes / 2)
		return refuse(index, "is larger than the filesystem");
	return 0;
}

/* All of the file is a fragment: what is a header elsewhere says where. */
static int emit_whole_fragment(struct index *index)
{
	le64 disk;

	memcpy(&disk, &index->header, sizeof(disk));
	return erofs_reader_fragment(index->reader, index->inode, 0, index->inode->size,
				     from_le64(disk) & ~(UINT64_C(1) << 63), index->emit);
}

int erofs_reader_zmap_pieces(struct erofs_reader *reader, const struct erofs_found_inode *inode,
			     const struct erofs_emit *emit)
{
	struct index index = { .reader = reader, .inode = inode, .emit = emit };
	uint64_t off = round_up(inode->body_off, 8);
	int ret = window_fetch(&reader->window, off, &index.header, sizeof(index.header));

	if (ret < 0 || inode->size == 0)
		return ret;
	if (index.header.cluster_bits & EROFS_CLUSTER_WHOLE_FRAGMENT)
		return emit_whole_fragment(&index);
	index.advise = from_le16(index.header.advise);
	index.cluster_bits = reader->block_bits + (index.header.cluster_bits & 15);
	index.total = div_up(inode->size, UINT64_C(1) << index.cluster_bits);
	index.off = off + sizeof(index.header);
	if (inode->layout == EROFS_COMPRESSED_COMPACT)
		shape_compact(&index);
	ret = check_header(&index);
	if (ret < 0)
		return ret;
	ret = window_look(&reader->window, index_bytes(&index));
	if (ret < 0)
		return ret;
	if (inode->layout == EROFS_COMPRESSED_FULL)
		index.off += FULL_RESERVED_BYTES;
	return read_extents(&index);
}
