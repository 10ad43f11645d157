/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/filetype.h"
#include "plugins/erofs/dir.h"
#include "plugins/erofs/inode.h"
#include "plugins/erofs/probe.h"
#include "plugins/erofs/write.h"

#define PIECE_BYTES (1u << 18)

/* Reads ascending stretches of the window in large pieces. */
struct reader {
	const struct erofs *fs;
	uint64_t off, end; /* of the piece */
	uint8_t *piece;
};

static int refuse(const struct erofs *fs, const struct kataimg_node *node, const char *what)
{
	char path[256];

	erofs_error(fs, "read back, %s of %s is not what was written", what,
		    fs->host->path(fs->host->ctx, node, path, sizeof(path)));
	return -EBADMSG;
}

static bool is_within(uint64_t off, uint64_t start, uint64_t bytes)
{
	return off >= start && off - start < bytes;
}

static bool holds_byte(const struct erofs *fs, const struct kataimg_node *node, uint64_t off)
{
	const struct erofs_inode *inode = &fs->inodes[node->index];

	if (is_within(off, inode->nid * EROFS_SLOT_BYTES,
		      erofs_inode_head_bytes(inode) + erofs_inode_tail_bytes(inode)))
		return true;
	return node->type != KATAIMG_REG &&
	       is_within(off, (uint64_t)inode->start_block * EROFS_BLOCK_BYTES,
			 (uint64_t)inode->blocks * EROFS_BLOCK_BYTES);
}

int erofs_verify_refuse(const struct erofs *fs, uint64_t off)
{
	for (uint64_t i = 0; i < fs->tree->node_count; i++)
		if (holds_byte(fs, fs->tree->nodes[i], off))
			return refuse(fs, fs->tree->nodes[i], "the metadata");
	erofs_error(fs, "read back, byte %" PRIu64 " of the metadata is not what was written", off);
	return -EBADMSG;
}

/* So many bytes of the metadata at off, at most a block's. */
static int fetch(struct reader *reader, uint64_t off, uint32_t len, const uint8_t **at)
{
	const struct kataimg_host *host = reader->fs->host;
	uint64_t total = reader->fs->blocks * EROFS_BLOCK_BYTES;
	int err = 0;

	if (off < reader->off || off + len > reader->end) {
		reader->off = off;
		reader->end = total - off < PIECE_BYTES ? total : off + PIECE_BYTES;
		err = host->window_read(host->ctx, off, reader->piece, reader->end - off);
	}
	*at = reader->piece + (off - reader->off);
	return err;
}

/* The two forms say the same: either one as the extended form. */
static int fetch_inode(struct reader *reader, uint64_t nid, struct erofs_inode_extended *disk)
{
	const struct erofs *fs = reader->fs;
	struct erofs_inode_compact compact;
	const uint8_t *at;
	int err = fetch(reader, nid * EROFS_SLOT_BYTES, sizeof(compact), &at);

	if (err)
		return err;
	memcpy(&compact, at, sizeof(compact));
	if (from_le16(compact.format) & EROFS_FORMAT_EXTENDED) {
		err = fetch(reader, nid * EROFS_SLOT_BYTES, sizeof(*disk), &at);
		if (!err)
			memcpy(disk, at, sizeof(*disk));
		return err;
	}
	*disk = (struct erofs_inode_extended){
		.format = compact.format,
		.xattr_count = compact.xattr_count,
		.mode = compact.mode,
		.size = to_le64(from_le32(compact.size)),
		.u = compact.u,
		.uid = to_le32(from_le16(compact.uid)),
		.gid = to_le32(from_le16(compact.gid)),
		.mtime = to_le64((uint64_t)fs->job->build_time),
		.nlink = to_le32(from_le16(compact.nlink)),
	};
	return 0;
}

static int compare_inode(const struct erofs *fs, const struct kataimg_node *node,
			 const struct erofs_inode_extended *disk)
{
	const struct erofs_inode *inode = &fs->inodes[node->index];
	uint32_t format = from_le16(disk->format);

	if (format >> EROFS_FORMAT_LAYOUT_SHIFT != inode->layout)
		return refuse(fs, node, "the data layout");
	if (from_le16(disk->mode) != filetype_mode(node))
		return refuse(fs, node, "the mode");
	if (from_le32(disk->uid) != node->uid || from_le32(disk->gid) != node->gid)
		return refuse(fs, node, "the owner");
	if (from_le32(disk->nlink) != node->nlink)
		return refuse(fs, node, "the link count");
	if (from_le64(disk->size) != inode->size)
		return refuse(fs, node, "the size");
	if ((int64_t)from_le64(disk->mtime) != node->mtime_sec ||
	    from_le32(disk->mtime_nsec) != node->mtime_nsec)
		return refuse(fs, node, "the modification time");
	if (inode->layout <= EROFS_FLAT_INLINE && inode->blocks &&
	    (uint64_t)from_le32(disk->u) + inode->blocks > fs->blocks)
		return refuse(fs, node, "the start block");
	return 0;
}

static int verify_inodes(struct reader *reader)
{
	const struct erofs *fs = reader->fs;

	for (uint64_t i = 0; i < fs->tree->node_count; i++) {
		const struct kataimg_node *node = fs->tree->nodes[fs->order[i]];
		struct erofs_inode_extended disk;
		int err = fetch_inode(reader, fs->inodes[node->index].nid, &disk);

		if (!err)
			err = compare_inode(fs, node, &disk);
		if (err)
			return err;
	}
	return 0;
}

/* The name of dirent i of count in a block with so many bytes used. -1: out of bounds. */
static int find_name(const uint8_t *block, uint32_t used, uint32_t count, uint32_t i,
		     struct erofs_dirent *dirent, const char **name, uint32_t *len)
{
	uint32_t end = used, off;
	struct erofs_dirent next;

	memcpy(dirent, block + i * sizeof(*dirent), sizeof(*dirent));
	if (i + 1 < count) {
		memcpy(&next, block + (i + 1) * sizeof(next), sizeof(next));
		end = from_le16(next.name_off);
	}
	off = from_le16(dirent->name_off);
	if (off < count * sizeof(*dirent) || off >= end || end > used)
		return -1;
	*name = (const char *)block + off;
	*len = end - off;
	return 0;
}

/* The entries of one block are the next ones of the directory. */
static int compare_block(const struct erofs *fs, struct erofs_dir_cursor *cursor,
			 const uint8_t *block, uint32_t used)
{
	struct erofs_dirent first;
	uint32_t count;

	memcpy(&first, block, sizeof(first));
	count = from_le16(first.name_off) / sizeof(first);
	if (!count || count * sizeof(first) > used)
		return refuse(fs, cursor->dir, "a directory block");
	for (uint32_t i = 0; i < count; i++) {
		struct erofs_dir_name expected;
		struct erofs_dirent dirent;
		const char *name;
		uint32_t len;

		if (find_name(block, used, count, i, &dirent, &name, &len) ||
		    !erofs_dir_peek(cursor, &expected) || len != expected.len ||
		    memcmp(name, expected.name, len) != 0 || dirent.type != expected.node->type ||
		    from_le64(dirent.nid) != fs->inodes[expected.node->index].nid)
			return refuse(fs, cursor->dir, "an entry");
		erofs_dir_advance(cursor);
	}
	return 0;
}

static int verify_dir(const struct erofs *fs, const struct kataimg_node *dir)
{
	const struct erofs_inode *inode = &fs->inodes[dir->index];
	struct erofs_dir_cursor cursor = { .dir = dir };
	uint8_t block[EROFS_BLOCK_BYTES];

	for (uint64_t done = 0; done < inode->size; done += EROFS_BLOCK_BYTES) {
		uint64_t index = done / EROFS_BLOCK_BYTES;
		uint64_t off = (inode->start_block + index) * EROFS_BLOCK_BYTES;
		uint32_t used = EROFS_BLOCK_BYTES;
		int err;

		if (inode->size - done < used)
			used = (uint32_t)(inode->size - done);
		if (index == inode->blocks)
			off = inode->nid * EROFS_SLOT_BYTES + erofs_inode_head_bytes(inode);
		/* The names of a block that is not the last end at its padding. */
		err = fs->host->window_read(fs->host->ctx, off, block, used);
		while (!err && used && !block[used - 1])
			used--;
		if (!err)
			err = compare_block(fs, &cursor, block, used);
		if (err)
			return err;
	}
	return 0;
}

static int verify_dirs(const struct erofs *fs)
{
	int err = 0;

	for (uint64_t i = 0; i < fs->tree->node_count && !err; i++)
		if (fs->tree->nodes[i]->type == KATAIMG_DIR)
			err = verify_dir(fs, fs->tree->nodes[i]);
	return err;
}

static int verify_super(const struct erofs *fs, uint64_t window_bytes)
{
	struct kataimg_fs_info info = { .struct_size = sizeof(info) };
	int err = erofs_probe(fs->host, window_bytes, &info);

	if (err == -ENODATA) {
		erofs_error(fs, "read back, there is no EROFS superblock");
		return -EBADMSG;
	}
	return err;
}

int erofs_verify_window(const struct erofs *fs, uint64_t window_bytes)
{
	struct reader reader = { .fs = fs, .piece = erofs_alloc(fs, 1, PIECE_BYTES) };
	int err = reader.piece ? verify_super(fs, window_bytes) : -ENOMEM;

	if (!err)
		err = erofs_compare_metadata(fs);
	if (!err)
		err = verify_inodes(&reader);
	if (!err)
		err = verify_dirs(fs);
	free(reader.piece);
	return err;
}
