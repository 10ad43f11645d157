/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/filetype.h"
#include "plugins/erofs/dir.h"
#include "plugins/erofs/mismatch.h"
#include "plugins/erofs/probe.h"
#include "plugins/erofs/write.h"

#define PIECE_BYTES (1u << 18)

/* Reads ascending stretches of the window in large pieces. */
struct reader {
	const struct erofs_layout *layout;
	uint64_t off, end; /* of the piece */
	uint8_t *piece;
};

/* So many bytes of the metadata at off, at most a block's. */
static int fetch(struct reader *reader, uint64_t off, void *bytes, uint32_t len)
{
	const struct kataimg_host *host = reader->layout->source->host;
	uint64_t total = reader->layout->blocks * EROFS_BLOCK_BYTES;

	if (off < reader->off || off + len > reader->end) {
		uint64_t end = total - off < PIECE_BYTES ? total : off + PIECE_BYTES;
		int ret = host->window_read(host->ctx, off, reader->piece, end - off);

		if (ret < 0)
			return ret;
		reader->off = off;
		reader->end = end;
	}
	memcpy(bytes, reader->piece + (off - reader->off), len);
	return 0;
}

/* The two forms say the same: either one as the extended form. */
static int fetch_inode(struct reader *reader, uint64_t nid, struct erofs_inode_extended *disk)
{
	struct erofs_inode_compact compact;
	int ret = fetch(reader, nid * EROFS_SLOT_BYTES, &compact, sizeof(compact));

	if (ret < 0)
		return ret;
	if (from_le16(compact.format) & EROFS_FORMAT_EXTENDED)
		return fetch(reader, nid * EROFS_SLOT_BYTES, disk, sizeof(*disk));
	*disk = (struct erofs_inode_extended){
		.format = compact.format,
		.xattr_count = compact.xattr_count,
		.mode = compact.mode,
		.size = to_le64(from_le32(compact.size)),
		.u = compact.u,
		.uid = to_le32(from_le16(compact.uid)),
		.gid = to_le32(from_le16(compact.gid)),
		.mtime = to_le64((uint64_t)reader->layout->source->job->build_time),
		.nlink = to_le32(from_le16(compact.nlink)),
	};
	return 0;
}

static int compare_inode(const struct erofs_layout *layout, const struct kataimg_node *node,
			 const struct erofs_inode_extended *disk)
{
	const struct erofs_inode *inode = &layout->inodes[node->index];
	uint32_t format = from_le16(disk->format);

	if (format >> EROFS_FORMAT_LAYOUT_SHIFT != inode->layout)
		return erofs_mismatch_of(layout, node, "the data layout");
	if (from_le16(disk->mode) != filetype_mode(node))
		return erofs_mismatch_of(layout, node, "the mode");
	if (from_le32(disk->uid) != node->uid || from_le32(disk->gid) != node->gid)
		return erofs_mismatch_of(layout, node, "the owner");
	if (from_le32(disk->nlink) != node->nlink)
		return erofs_mismatch_of(layout, node, "the link count");
	if (from_le64(disk->size) != inode->size)
		return erofs_mismatch_of(layout, node, "the size");
	if ((int64_t)from_le64(disk->mtime) != node->mtime_sec ||
	    from_le32(disk->mtime_nsec) != node->mtime_nsec)
		return erofs_mismatch_of(layout, node, "the modification time");
	if (inode->layout <= EROFS_FLAT_INLINE && inode->blocks &&
	    (uint64_t)from_le32(disk->u) + inode->blocks > layout->blocks)
		return erofs_mismatch_of(layout, node, "the start block");
	return 0;
}

static int verify_inodes(struct reader *reader)
{
	const struct erofs_layout *layout = reader->layout;
	const struct kataimg_tree *tree = layout->source->tree;

	for (uint64_t i = 0; i < tree->node_count; i++) {
		const struct kataimg_node *node = tree->nodes[layout->order[i]];
		struct erofs_inode_extended disk;
		int ret = fetch_inode(reader, layout->inodes[node->index].nid, &disk);

		if (ret < 0)
			return ret;
		ret = compare_inode(layout, node, &disk);
		if (ret < 0)
			return ret;
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
static int compare_block(const struct erofs_layout *layout, struct erofs_dir_cursor *cursor,
			 const uint8_t *block, uint32_t used)
{
	struct erofs_dirent first;
	uint32_t count;

	memcpy(&first, block, sizeof(first));
	count = from_le16(first.name_off) / sizeof(first);
	if (!count || count * sizeof(first) > used)
		return erofs_mismatch_of(layout, cursor->dir, "a directory block");
	for (uint32_t i = 0; i < count; i++) {
		struct erofs_dir_name expected;
		struct erofs_dirent dirent;
		const char *name;
		uint32_t len;

		if (find_name(block, used, count, i, &dirent, &name, &len) ||
		    !erofs_dir_peek(cursor, &expected) || len != expected.len ||
		    memcmp(name, expected.name, len) != 0 || dirent.type != expected.node->type ||
		    from_le64(dirent.nid) != layout->inodes[expected.node->index].nid)
			return erofs_mismatch_of(layout, cursor->dir, "an entry");
		erofs_dir_advance(cursor);
	}
	return 0;
}

static int verify_dir_block(const struct erofs_layout *layout, struct erofs_dir_cursor *cursor,
			    uint64_t index)
{
	const struct kataimg_host *host = layout->source->host;
	const struct erofs_inode *inode = &layout->inodes[cursor->dir->index];
	uint64_t off = (inode->start_block + index) * EROFS_BLOCK_BYTES;
	uint64_t rest = inode->size - index * EROFS_BLOCK_BYTES;
	uint32_t used = rest < EROFS_BLOCK_BYTES ? (uint32_t)rest : EROFS_BLOCK_BYTES;
	uint8_t block[EROFS_BLOCK_BYTES];
	int ret;

	if (index == inode->blocks)
		off = inode->nid * EROFS_SLOT_BYTES + erofs_inode_head_bytes(inode);
	ret = host->window_read(host->ctx, off, block, used);
	if (ret < 0)
		return ret;
	/* The names of a block that is not the last end at its padding. */
	while (used && block[used - 1] == 0)
		used--;
	return compare_block(layout, cursor, block, used);
}

static int verify_dir(const struct erofs_layout *layout, const struct kataimg_node *dir)
{
	uint64_t blocks = erofs_blocks_of(layout->inodes[dir->index].size);
	struct erofs_dir_cursor cursor = { .dir = dir };
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < blocks; i++)
		ret = verify_dir_block(layout, &cursor, i);
	return ret;
}

static int verify_dirs(const struct erofs_layout *layout)
{
	const struct kataimg_tree *tree = layout->source->tree;
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < tree->node_count; i++)
		if (tree->nodes[i]->type == KATAIMG_DIR)
			ret = verify_dir(layout, tree->nodes[i]);
	return ret;
}

static int verify_super(const struct kataimg_host *host, uint64_t window_bytes)
{
	struct kataimg_fs_info info = { .struct_size = sizeof(info) };
	int ret = erofs_probe(host, window_bytes, &info);

	if (ret != -ENODATA)
		return ret;
	host->error(host->ctx, "read back, there is no EROFS superblock");
	return -EUCLEAN;
}

int erofs_verify_window(const struct erofs_layout *layout, const struct erofs_identity *identity,
			uint64_t window_bytes)
{
	autofree uint8_t *piece = malloc(PIECE_BYTES);
	struct reader reader = { .layout = layout, .piece = piece };
	int ret;

	if (!piece)
		return -ENOMEM;
	ret = verify_super(layout->source->host, window_bytes);
	if (ret < 0)
		return ret;
	ret = erofs_compare_metadata(layout, identity);
	if (ret < 0)
		return ret;
	ret = verify_inodes(&reader);
	return ret < 0 ? ret : verify_dirs(layout);
}
