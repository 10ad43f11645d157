/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way back: an ext2, ext3 or ext4 of any builder, walked from its root. Everything comes from
 * the image and nothing in it is believed: places are held against the window, an inode is reported
 * once, and all metadata that is looked at counts against a sum that no sound image reaches.
 *
 *   read.c         the walk, and kataimg_backend.read
 *   read_super.c   the superblock, and what cannot be read of it
 *   read_group.c   group descriptors: where inodes are
 *   read_inode.c   inodes of all sizes
 *   read_map.c     where an inode's bytes are: inline, by extents, by ext2's block numbers
 *   read_dir.c     directories, and what their blocks' checksums are
 *   read_xattr.c   attributes: in the inode, in a block, with values in inodes
 */
#ifndef EXT4_READ_H
#define EXT4_READ_H

#include <stdbool.h>

#include "kataimg/backend.h"
#include "lib/array.h"
#include "plugins/common/window.h"
#include "plugins/ext4/format.h"

/* A stretch of an inode's bytes that is no hole: the window's at off. */
struct ext4_piece {
	uint64_t file_off;
	uint64_t len;
	uint64_t off;
};

/* Metadata in windows that is looked at: maps and directories of a sound image do not overlap. */
#define EXT4_LOOK_FACTOR 2

struct ext4_reader {
	struct window window;
	const struct kataimg_sink *sink;
	struct ext4_super super;
	uint32_t incompat;
	bool has_checksums; /* metadata_csum */
	uint32_t checksum_seed;
	uint32_t block_bytes;
	uint64_t blocks;
	uint32_t inode_bytes;
	uint32_t inodes;
	uint32_t first_ino; /* smaller ones, but the root, are the filesystem's own */
	uint32_t descriptor_bytes;
	bool has_lost_found;                    /* which is no part of the tree */
	uint8_t *seen;                          /* a bit for each inode */
	ARRAY(uint32_t) dirs;                   /* found and not read yet */
	uint8_t *inode;                         /* inode_bytes: the one that is being looked at */
	uint8_t *levels[EXT4_EXTENT_DEPTH_MAX]; /* a block for each level of a map */
	uint8_t *xattrs;                        /* a block, which no inode is larger than */
	uint8_t *value;       /* of an attribute, and behind it what became of it */
	uint64_t xattr_block; /* whose checksum was right last */
	uint64_t group;       /* the table of inodes of the group that was looked at last */
	uint64_t table_off;
};

/* ---- read_super.c ---- */

/* Fills super and what follows from it. */
int ext4_reader_open_super(struct ext4_reader *reader);

/* ---- read_group.c ---- */

/* Where the inode, which there is, lies in the window. */
int ext4_reader_locate_inode(struct ext4_reader *reader, uint32_t ino, uint64_t *off);

/* ---- read_inode.c ---- */

struct ext4_found_inode {
	uint32_t ino;
	uint32_t seed; /* of the checksums of all that belongs to it */
	uint64_t off;  /* in the window */
	uint64_t size;
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	uint32_t uid, gid, links;
	uint32_t flags;
	uint16_t mode; /* with type bits */
	uint8_t type;  /* enum kataimg_type */
	uint8_t block[EXT4_INODE_BLOCK_BYTES];
	uint64_t xattr_block; /* 0: none */
	uint32_t xattr_skip;  /* where attributes in the inode begin; inode_bytes: nowhere */
};

/* Any inode; the filesystem's own too. */
int ext4_reader_inode(struct ext4_reader *reader, uint32_t ino, struct ext4_found_inode *inode);
void ext4_found_inode_device(const struct ext4_found_inode *inode, uint32_t *major,
			     uint32_t *minor);
/* Is a link's target in place of a map? */
bool ext4_found_inode_is_fast_link(const struct ext4_found_inode *inode);

/* ---- read_map.c ---- */

/* A block; a number that there is none of is refused. */
int ext4_reader_fetch_block(struct ext4_reader *reader, uint64_t block, uint8_t *buf);

struct ext4_emit {
	int (*emit)(struct ext4_reader *reader, void *arg, const struct ext4_piece *piece);
	void *arg;
};

/* Calls emit for each piece, ascending, up to the inode's size. */
int ext4_reader_pieces(struct ext4_reader *reader, const struct ext4_found_inode *inode,
		       const struct ext4_emit *emit);
/* The first len bytes; holes are zeros. */
int ext4_reader_content(struct ext4_reader *reader, const struct ext4_found_inode *inode, void *buf,
			size_t len);

/* ---- read_dir.c ---- */

struct ext4_dir_visit {
	int (*entry)(struct ext4_reader *reader, void *arg, const char *name, uint32_t name_len,
		     uint32_t ino);
	void *arg;
};

/* Calls entry for each but "." and ".."; it may call all of the reader again. */
int ext4_reader_dir(struct ext4_reader *reader, const struct ext4_found_inode *dir,
		    const struct ext4_dir_visit *visit);

/* ---- read_xattr.c ---- */

int ext4_reader_report_xattrs(struct ext4_reader *reader, const struct ext4_found_inode *inode);
/* Where the bytes of an inline inode are that are too many for its map's place; 0 bytes: none. */
int ext4_reader_inline_rest(struct ext4_reader *reader, const struct ext4_found_inode *inode,
			    uint64_t *off, uint32_t *bytes);

/* ---- read.c ---- */

/* kataimg_backend.read; there is no state. */
int ext4_read(const struct kataimg_host *host, uint64_t window_bytes,
	      const struct kataimg_sink *sink, void **state);

#endif
