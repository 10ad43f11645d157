/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "lib/checked.h"
#include "lib/round.h"
#include "plugins/erofs/read.h"

static int emit_range(struct erofs_reader *reader, const struct erofs_emit *emit, uint64_t file_off,
		      uint64_t len, uint64_t off)
{
	const struct erofs_piece piece = { file_off, len, off, false };

	return len ? emit->emit(reader, emit->arg, &piece) : 0;
}

static uint64_t block_off(const struct erofs_reader *reader, uint32_t block)
{
	return (uint64_t)block << reader->block_bits;
}

static int flat_pieces(struct erofs_reader *reader, const struct erofs_found_inode *inode,
		       uint64_t len, const struct erofs_emit *emit)
{
	if (inode->u == EROFS_BLOCK_NONE)
		return 0; /* newer kernels take it for a hole */
	return emit_range(reader, emit, 0, len, block_off(reader, inode->u));
}

/* All but the last block lies outside, and the last one's bytes follow the inode. */
static int inline_pieces(struct erofs_reader *reader, const struct erofs_found_inode *inode,
			 const struct erofs_emit *emit)
{
	uint64_t before, tail;
	int ret;

	if (inode->size == 0)
		return 0;
	before = (inode->size - 1) >> reader->block_bits << reader->block_bits;
	tail = inode->size - before;
	if (inode->body_off % reader->block_bytes + tail > reader->block_bytes)
		return window_refuse(&reader->window,
				     "inode %" PRIu64 " is followed by data that leaves its block",
				     inode->nid);
	ret = flat_pieces(reader, inode, before, emit);
	return ret < 0 ? ret : emit_range(reader, emit, before, tail, inode->body_off);
}

/* The array of a chunk-based inode. */
struct chunks {
	uint64_t off; /* in the window */
	uint64_t count;
	unsigned int bits; /* log2 of a chunk's bytes */
	uint32_t entry_bytes;
};

static int open_chunks(struct erofs_reader *reader, const struct erofs_found_inode *inode,
		       struct chunks *chunks)
{
	uint32_t format = inode->u & 0xffff;

	if (format & ~(EROFS_CHUNK_BITS_MAX | EROFS_CHUNK_INDEXES))
		return window_decline(&reader->window,
				      "inode %" PRIu64 " has chunks newer than this reader: 0x%x",
				      inode->nid, format);
	chunks->bits = reader->block_bits + (format & EROFS_CHUNK_BITS_MAX);
	chunks->entry_bytes =
		format & EROFS_CHUNK_INDEXES ? sizeof(struct erofs_chunk_index) : sizeof(le32);
	chunks->off = round_up(inode->body_off, chunks->entry_bytes);
	chunks->count = div_up(inode->size, UINT64_C(1) << chunks->bits);
	if (chunks->count > reader->window.bytes / chunks->entry_bytes)
		return window_refuse(&reader->window,
				     "inode %" PRIu64
				     " has more chunks than the filesystem can list",
				     inode->nid);
	return window_look(&reader->window, chunks->count * chunks->entry_bytes);
}

static int read_chunk(struct erofs_reader *reader, const struct chunks *chunks, uint64_t number,
		      uint32_t *block)
{
	uint64_t off = chunks->off + number * chunks->entry_bytes;
	struct erofs_chunk_index index = { 0 };
	int ret;

	/* The short form is the long one's last member. */
	if (chunks->entry_bytes == sizeof(index))
		ret = window_fetch(&reader->window, off, &index, sizeof(index));
	else
		ret = window_fetch(&reader->window, off, &index.block, sizeof(index.block));
	*block = from_le32(index.block);
	return ret;
}

static int chunk_pieces(struct erofs_reader *reader, const struct erofs_found_inode *inode,
			const struct erofs_emit *emit)
{
	struct chunks chunks = { 0 };
	int ret = open_chunks(reader, inode, &chunks);

	for (uint64_t i = 0; ret == 0 && i < chunks.count; i++) {
		uint64_t file_off = i << chunks.bits, len = inode->size - file_off;
		uint32_t block;

		ret = read_chunk(reader, &chunks, i, &block);
		if (ret < 0 || block == EROFS_BLOCK_NONE)
			continue;
		if (len > UINT64_C(1) << chunks.bits)
			len = UINT64_C(1) << chunks.bits;
		ret = emit_range(reader, emit, file_off, len, block_off(reader, block));
	}
	return ret;
}

int erofs_reader_pieces(struct erofs_reader *reader, const struct erofs_found_inode *inode,
			const struct erofs_emit *emit)
{
	switch (inode->layout) {
	case EROFS_FLAT_PLAIN:
		return flat_pieces(reader, inode, inode->size, emit);
	case EROFS_FLAT_INLINE:
		return inline_pieces(reader, inode, emit);
	case EROFS_CHUNK_BASED:
		return chunk_pieces(reader, inode, emit);
	default:
		return erofs_reader_zmap_pieces(reader, inode, emit);
	}
}

int erofs_reader_fragment(struct erofs_reader *reader, const struct erofs_found_inode *inode,
			  uint64_t file_off, uint64_t len, uint64_t packed_off,
			  const struct erofs_emit *emit)
{
	const struct erofs_map *packed = &reader->packed;
	uint64_t end;
	int ret = 0;

	if (checked_add(packed_off, len, &end) < 0 || end > reader->packed_bytes)
		return window_refuse(&reader->window,
				     "inode %" PRIu64 " has data outside the packed inode",
				     inode->nid);
	for (size_t i = erofs_map_find(packed, packed_off);
	     ret == 0 && i < packed->pieces.count && packed->pieces.items[i].file_off < end; i++) {
		const struct erofs_piece *piece = &packed->pieces.items[i];
		uint64_t from = piece->file_off > packed_off ? piece->file_off : packed_off;
		uint64_t to =
			piece->file_off + piece->len < end ? piece->file_off + piece->len : end;
		/* A cookie's low bits are where in the piece it begins. */
		const struct erofs_piece part = { .file_off = file_off + (from - packed_off),
						  .len = to - from,
						  .place = piece->place + (from - piece->file_off),
						  .decoded = piece->decoded };

		ret = emit->emit(reader, emit->arg, &part);
	}
	return ret;
}
