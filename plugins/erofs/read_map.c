/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "plugins/erofs/read.h"

/* A piece that is compressed takes a block, of which the smallest have 512 bytes. */
#define PIECES_BASE 4096u
#define PIECE_WINDOW_BYTES 512u
/*
 * Directories may be compressed, and what is unpacked for one is kept for the next. A million links
 * of one byte, each in the midst of megabytes, are not what a builder makes.
 */
#define UNPACK_FACTOR 16
#define UNPACK_BASE_BYTES (UINT64_C(1) << 30)

static bool follows(const struct erofs_piece *last, const struct erofs_piece *next)
{
	return !last->decoded && !next->decoded && last->file_off + last->len == next->file_off &&
	       last->place + last->len == next->place;
}

static int add_piece(struct erofs_reader *reader, void *arg, const struct erofs_piece *piece)
{
	struct erofs_map *map = arg;
	size_t count = map->pieces.count;
	struct erofs_piece *added;

	if (count && follows(&map->pieces.items[count - 1], piece)) {
		map->pieces.items[count - 1].len += piece->len;
		return 0;
	}
	if (count >= PIECES_BASE + reader->window.bytes / PIECE_WINDOW_BYTES)
		return window_refuse(&reader->window,
				     "an inode is in more pieces than the filesystem has");
	added = array_add(&map->pieces);
	if (!added)
		return -ENOMEM;
	*added = *piece;
	return 0;
}

int erofs_map_load(struct erofs_reader *reader, const struct erofs_found_inode *inode,
		   struct erofs_map *map)
{
	const struct erofs_emit emit = { add_piece, map };

	map->pieces.count = 0;
	return erofs_reader_pieces(reader, inode, &emit);
}

size_t erofs_map_find(const struct erofs_map *map, uint64_t off)
{
	size_t low = 0, high = map->pieces.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct erofs_piece *piece = &map->pieces.items[middle];

		if (piece->file_off + piece->len > off)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int read_piece(struct erofs_reader *reader, const struct erofs_piece *piece, uint64_t skip,
		      void *buf, size_t len)
{
	if (!piece->decoded)
		return window_fetch(&reader->window, piece->place + skip, buf, len);
	if (erofs_decoder_unpacked_bytes(reader->decoder) / UNPACK_FACTOR >
	    UNPACK_BASE_BYTES / UNPACK_FACTOR + reader->window.bytes)
		return window_refuse(&reader->window,
				     "its directories and links take too much unpacking");
	return erofs_decode(reader->decoder, piece->place, skip, buf, len);
}

int erofs_map_read(struct erofs_reader *reader, const struct erofs_map *map, uint64_t off,
		   void *buf, size_t len)
{
	uint64_t end = off + len;
	int ret = 0;

	memset(buf, 0, len);
	for (size_t i = erofs_map_find(map, off);
	     ret == 0 && i < map->pieces.count && map->pieces.items[i].file_off < end; i++) {
		const struct erofs_piece *piece = &map->pieces.items[i];
		uint64_t from = piece->file_off > off ? piece->file_off : off;
		uint64_t to =
			piece->file_off + piece->len < end ? piece->file_off + piece->len : end;

		ret = read_piece(reader, piece, from - piece->file_off,
				 (uint8_t *)buf + (from - off), (size_t)(to - from));
	}
	return ret;
}
