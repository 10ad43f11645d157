/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way back: a filesystem of any builder, walked from its root. Everything comes from the image
 * and nothing in it is believed: places are held against the filesystem's size, blocks against
 * their checksum and against where they say that they belong, an inode is reported once, and all
 * metadata that is looked at counts against a sum that no sound image reaches. What no directory
 * names (the realtime section's inodes, quotas, unlinked files) is not met.
 *
 *   read.c         the walk, and kataimg_backend.read
 *   read_super.c   the superblock, and what cannot be read of it
 *   read_log.c     whether the log has something that is not in its place yet
 *   read_block.c   where blocks are, and blocks that name themselves
 *   read_inode.c   inodes
 *   read_extent.c  where the blocks of a fork are, from a list or a btree
 *   read_dir.c     directories
 *   read_attr.c    attributes
 *   read_value.c   attributes as Linux shows them, and values that have blocks of their own
 *   read_symlink.c targets of symbolic links
 */
#ifndef XFS_READ_H
#define XFS_READ_H

#include <stdbool.h>

#include "kataimg/backend.h"
#include "lib/array.h"
#include "plugins/common/window.h"
#include "plugins/xfs/format.h"

#define XFS_INODE_BYTES_MAX 2048u
#define XFS_VALUE_BYTES_MAX 65536u

/* Metadata in windows that is looked at: blocks of a sound image do not overlap, and name their
 * inode. */
#define XFS_LOOK_FACTOR 4

struct xfs_reader {
	struct window window;
	const struct kataimg_sink *sink;
	struct xfs_superblock super;
	uint8_t uuid[16]; /* that metadata has */
	unsigned int block_bits;
	uint32_t block_bytes;
	uint32_t inode_bytes;
	uint32_t dir_bytes; /* a directory's block */
	bool has_types;     /* in directories */
	uint64_t dblocks;
	uint32_t agblocks;
	uint8_t *seen;        /* a bit for each inode that there is room for */
	ARRAY(uint64_t) dirs; /* found and not read yet */
};

/* ---- read_block.c ---- */

/* Past the cache; counts as looked at. */
int xfs_reader_load(struct xfs_reader *reader, uint64_t off, void *buf, size_t len);
/* Where so many blocks from an fsbno on are in the window; whose says to whom they belong. */
int xfs_reader_place(const struct xfs_reader *reader, uint64_t fsbno, uint64_t blocks,
		     uint64_t whose, uint64_t *off);

/* Where a block of metadata has what says that it is one. */
struct xfs_block_kind {
	const char *what;
	uint32_t magic;
	uint8_t magic_bytes; /* 2 or 4 */
	uint8_t magic_off, crc_off, blkno_off, uuid_off, owner_off;
};
/* Of blocks that begin with this structure. */
#define XFS_BLOCK_KIND(name, type, number)                                   \
	((struct xfs_block_kind){ .what = (name),                            \
				  .magic = (number),                         \
				  .magic_bytes = sizeof(((type *)0)->magic), \
				  .magic_off = offsetof(type, magic),        \
				  .crc_off = offsetof(type, crc),            \
				  .blkno_off = offsetof(type, blkno),        \
				  .uuid_off = offsetof(type, uuid),          \
				  .owner_off = offsetof(type, owner) })

/* Is it the kind's magic number? */
bool xfs_block_is(const uint8_t *bytes, const struct xfs_block_kind *kind);
/* Refuses len bytes from off that are not what they should be. */
int xfs_reader_check_block(const struct xfs_reader *reader, uint8_t *bytes, size_t len,
			   uint64_t off, const struct xfs_block_kind *kind, uint64_t owner);

/* ---- read_super.c ---- */

/* Fills super and what follows from it. */
int xfs_reader_open_super(struct xfs_reader *reader);

/* ---- read_log.c ---- */

/* -EOPNOTSUPP when the log is to be replayed. */
int xfs_reader_check_log(struct xfs_reader *reader);

/* ---- read_inode.c ---- */

struct xfs_found_fork {
	uint32_t off, len; /* in the inode */
	uint8_t format;    /* enum xfs_fork_format */
	uint64_t extents;
};

struct xfs_found_inode {
	uint64_t number;
	uint64_t size;
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	uint32_t uid, gid, nlink;
	uint16_t mode;                    /* with type bits */
	uint8_t type;                     /* enum kataimg_type */
	struct xfs_found_fork data, attr; /* attr: len 0 when there is none */
	uint8_t bytes[XFS_INODE_BYTES_MAX];
};

/* Which of the inodes that there is room for, counted from 0. */
int xfs_reader_inode_index(const struct xfs_reader *reader, uint64_t number, uint64_t *index);
int xfs_reader_inode(struct xfs_reader *reader, uint64_t number, struct xfs_found_inode *inode);

/* ---- read_extent.c ---- */

struct xfs_found_extent {
	uint64_t file_block, fsbno, blocks;
	uint64_t off; /* in the window */
	bool unwritten;
};

/* Called in ascending order. */
struct xfs_emit {
	int (*emit)(void *arg, const struct xfs_found_extent *extent);
	void *arg;
};

int xfs_reader_extents(struct xfs_reader *reader, const struct xfs_found_inode *inode,
		       const struct xfs_found_fork *fork, const struct xfs_emit *emit);

/* Of metadata: what is written, as a list. In a sound fork no two blocks are in one place, and who
 * follows what is in them comes to each once. */
struct xfs_map {
	ARRAY(struct xfs_found_extent) extents;
	uint64_t unread; /* so many blocks */
};

static inline void xfs_map_free(struct xfs_map *map)
{
	array_free(&map->extents);
}

int xfs_map_load(struct xfs_reader *reader, const struct xfs_found_inode *inode,
		 const struct xfs_found_fork *fork, struct xfs_map *map);
/* So many blocks of the fork; *off: where the first one is. Holes are refused,
 * and blocks that are read again. */
int xfs_map_read(struct xfs_reader *reader, const struct xfs_found_inode *inode,
		 struct xfs_map *map, uint64_t file_block, uint64_t blocks, uint8_t *buf,
		 uint64_t *off);

/* ---- read_dir.c ---- */

/* Reports the entries, and calls found for the inode number of each. */
int xfs_reader_dir(struct xfs_reader *reader, const struct xfs_found_inode *dir,
		   int (*found)(struct xfs_reader *reader, uint64_t number));

/* ---- read_attr.c, read_value.c ---- */

/* An attribute as it is stored. */
struct xfs_found_attr {
	uint8_t flags;
	uint8_t name_len;
	const uint8_t *name;
	const uint8_t *value;
	uint32_t value_len;
};

int xfs_reader_attrs(struct xfs_reader *reader, const struct xfs_found_inode *inode);
int xfs_reader_report_attr(struct xfs_reader *reader, const struct xfs_found_inode *inode,
			   const struct xfs_found_attr *attr);
/* A value in blocks of the attribute fork, from file_block on, of value_len bytes in buf. */
int xfs_reader_remote_value(struct xfs_reader *reader, const struct xfs_found_inode *inode,
			    struct xfs_map *map, uint64_t file_block, uint8_t *buf,
			    uint32_t value_len);

/* ---- read_symlink.c ---- */

/* target has room for XFS_SYMLINK_BYTES_MAX. */
int xfs_reader_target(struct xfs_reader *reader, const struct xfs_found_inode *inode,
		      uint8_t *target);

/* ---- read.c ---- */

/* kataimg_backend.read; nothing is to be decoded. */
int xfs_read(const struct kataimg_host *host, uint64_t window_bytes,
	     const struct kataimg_sink *sink, void **state);

#endif
