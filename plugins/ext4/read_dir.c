/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories, whose blocks are read one after another: what an index says of them is not needed,
 * and its own blocks look like an entry that is unused.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/crc32c.h"
#include "plugins/ext4/read.h"

/* Of inline directories: the parent's number stands in front of the entries. */
#define INLINE_PARENT_BYTES 4u
#define REC_LEN_WHOLE 65535u /* stands for all of a block of 64 KiB, as 0 does */

/* A directory that is being read. Its pieces are known before its entries are looked at, as what
 * an entry leads to is mapped with the same buffers. */
struct listing {
	const struct ext4_found_inode *dir;
	const struct ext4_dir_visit *visit;
	ARRAY(struct ext4_piece) pieces;
	uint8_t *bytes; /* a block */
};

static int refuse(const struct ext4_reader *reader, const struct ext4_found_inode *dir,
		  const char *why)
{
	return window_refuse(&reader->window, "directory %u %s", dir->ino, why);
}

/* ---- Checksums ---- */

static struct ext4_dirent dirent_at(const uint8_t *bytes, uint32_t off)
{
	struct ext4_dirent dirent;

	memcpy(&dirent, bytes + off, sizeof(dirent));
	return dirent;
}

/* Blocks of 64 KiB need 17 bits. */
static uint32_t rec_len_of(const struct ext4_reader *reader, const struct ext4_dirent *dirent)
{
	uint32_t len = from_le16(dirent->rec_len);

	if (reader->block_bytes <= REC_LEN_WHOLE)
		return len;
	return len == 0 || len == REC_LEN_WHOLE ? reader->block_bytes : len;
}

static int check_leaf(const struct ext4_reader *reader, const struct ext4_found_inode *dir,
		      const uint8_t *bytes)
{
	struct ext4_dirent_tail tail;
	uint32_t len = reader->block_bytes - (uint32_t)sizeof(tail);

	memcpy(&tail, bytes + len, sizeof(tail));
	if (from_le32(tail.zero) || from_le16(tail.rec_len) != sizeof(tail) || tail.name_len ||
	    tail.file_type != EXT4_DIRENT_TAIL_TYPE)
		return refuse(reader, dir, "has a block without a checksum");
	if (crc32c(dir->seed, bytes, len) != from_le32(tail.checksum))
		return refuse(reader, dir, "has a block with a wrong checksum");
	return 0;
}

/* The index begins behind what is at off. */
static int check_index(const struct ext4_reader *reader, const struct ext4_found_inode *dir,
		       const uint8_t *bytes, uint32_t off)
{
	struct ext4_dx_countlimit counts;
	struct ext4_dx_tail tail;
	const le32 none = { 0 };
	uint32_t crc, end;

	memcpy(&counts, bytes + off, sizeof(counts));
	end = off + from_le16(counts.limit) * (uint32_t)sizeof(struct ext4_dx_entry);
	if (end > reader->block_bytes - sizeof(tail) ||
	    from_le16(counts.count) > from_le16(counts.limit))
		return refuse(reader, dir, "has an index without room for its checksum");
	memcpy(&tail, bytes + end, sizeof(tail));
	crc = crc32c(dir->seed, bytes,
		     off + from_le16(counts.count) * sizeof(struct ext4_dx_entry));
	crc = crc32c(crc, &tail.reserved, sizeof(tail.reserved));
	crc = crc32c(crc, &none, sizeof(none));
	return crc == from_le32(tail.checksum)
		       ? 0
		       : refuse(reader, dir, "has an index with a wrong checksum");
}

static int check_block(const struct ext4_reader *reader, const struct listing *listing,
		       uint64_t file_off)
{
	const struct ext4_found_inode *dir = listing->dir;
	struct ext4_dirent first = dirent_at(listing->bytes, 0);

	if (!reader->has_checksums)
		return 0;
	if (dir->flags & EXT4_INODE_INDEX) {
		if (file_off == 0)
			return check_index(reader, dir, listing->bytes, EXT4_DX_ROOT_OFFSET);
		if (!from_le32(first.inode) && rec_len_of(reader, &first) == reader->block_bytes)
			return check_index(reader, dir, listing->bytes, EXT4_DX_NODE_OFFSET);
	}
	return check_leaf(reader, dir, listing->bytes);
}

/* ---- Entries ---- */

static bool is_dots(const char *name, uint32_t len)
{
	return name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));
}

static int visit_entry(struct ext4_reader *reader, const struct listing *listing,
		       const struct ext4_dirent *dirent, const uint8_t *name)
{
	char copy[256];

	memcpy(copy, name, dirent->name_len);
	copy[dirent->name_len] = '\0';
	if (is_dots(copy, dirent->name_len))
		return 0;
	return listing->visit->entry(reader, listing->visit->arg, copy, dirent->name_len,
				     from_le32(dirent->inode));
}

/* Entries in bytes [off, len). */
static int visit_entries(struct ext4_reader *reader, const struct listing *listing, uint32_t off,
			 uint32_t len)
{
	int ret = 0;

	while (ret == 0 && off < len) {
		struct ext4_dirent dirent;
		uint32_t rec_len;

		if (len - off < sizeof(dirent))
			return refuse(reader, listing->dir, "has an entry that is cut off");
		dirent = dirent_at(listing->bytes, off);
		rec_len = rec_len_of(reader, &dirent);
		if (rec_len % 4 || rec_len < sizeof(dirent) || rec_len > len - off)
			return refuse(reader, listing->dir, "has an entry of an impossible length");
		if (from_le32(dirent.inode)) {
			if (dirent.name_len == 0 || dirent.name_len > rec_len - sizeof(dirent))
				return refuse(reader, listing->dir,
					      "has an entry without room for its name");
			ret = visit_entry(reader, listing, &dirent,
					  listing->bytes + off + sizeof(dirent));
		}
		off += rec_len;
	}
	return ret;
}

/* ---- Where they lie ---- */

static int visit_inline(struct ext4_reader *reader, struct listing *listing)
{
	struct ext4_found_inode dir = *listing->dir;
	uint64_t off;
	uint32_t rest;
	int ret = ext4_reader_inline_rest(reader, &dir, &off, &rest);

	if (ret < 0)
		return ret;
	dir.size = EXT4_INODE_BLOCK_BYTES + rest;
	ret = ext4_reader_content(reader, &dir, listing->bytes, (size_t)dir.size);
	if (ret < 0)
		return ret;
	return visit_entries(reader, listing, INLINE_PARENT_BYTES, (uint32_t)dir.size);
}

static int visit_piece(struct ext4_reader *reader, const struct listing *listing,
		       const struct ext4_piece *piece)
{
	uint32_t bytes = reader->block_bytes;
	int ret = 0;

	for (uint64_t done = 0; ret == 0 && done < piece->len; done += bytes) {
		if (piece->len - done < bytes)
			return refuse(reader, listing->dir, "ends within a block");
		ret = window_fetch(&reader->window, piece->off + done, listing->bytes, bytes);
		if (ret < 0)
			return ret;
		ret = check_block(reader, listing, piece->file_off + done);
		if (ret < 0)
			return ret;
		ret = visit_entries(reader, listing, 0, bytes);
	}
	return ret;
}

static int keep_piece(struct ext4_reader *reader, void *arg, const struct ext4_piece *piece)
{
	struct listing *listing = arg;
	struct ext4_piece *kept;
	int ret = window_look(&reader->window, piece->len);

	if (ret < 0)
		return ret;
	kept = array_add(&listing->pieces);
	if (!kept)
		return -ENOMEM;
	*kept = *piece;
	return 0;
}

static int visit_pieces(struct ext4_reader *reader, struct listing *listing)
{
	const struct ext4_emit emit = { keep_piece, listing };
	int ret = ext4_reader_pieces(reader, listing->dir, &emit);

	for (size_t i = 0; ret == 0 && i < listing->pieces.count; i++)
		ret = visit_piece(reader, listing, &listing->pieces.items[i]);
	array_free(&listing->pieces);
	return ret;
}

int ext4_reader_dir(struct ext4_reader *reader, const struct ext4_found_inode *dir,
		    const struct ext4_dir_visit *visit)
{
	autofree uint8_t *bytes = malloc(reader->block_bytes);
	struct listing listing = { .dir = dir, .visit = visit, .bytes = bytes };

	if (!bytes)
		return -ENOMEM;
	return dir->flags & EXT4_INODE_INLINE ? visit_inline(reader, &listing)
					      : visit_pieces(reader, &listing);
}
