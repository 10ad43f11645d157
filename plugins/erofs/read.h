/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way back: a filesystem of any builder, walked from its root. Everything comes from the image
 * and nothing in it is believed: offsets are held against the window, an inode is reported once,
 * and all metadata that is looked at counts against a sum that no sound image reaches.
 *
 *   read.c         the walk, and kataimg_backend.read
 *   read_super.c   the superblock, and what cannot be read of it
 *   read_inode.c   inodes of both forms
 *   read_xattr.c   attributes: inline, shared, with long prefixes
 *   read_data.c    where the bytes of flat and chunk-based inodes are, and of packed ones
 *   read_zmap.c    the same of compressed ones
 *   read_map.c     what lies in an inode that the reader itself needs
 *   read_dir.c     directories
 *   decode.c       compressed pieces become bytes, by unpack.c and unpack_*.c
 */
#ifndef EROFS_READ_H
#define EROFS_READ_H

#include <stdbool.h>

#include "lib/array.h"
#include "plugins/common/window.h"
#include "plugins/erofs/decode.h"
#include "plugins/erofs/format.h"

/* A stretch of an inode's bytes that is no hole: the window's at place, or decoded for the cookie
 * that place is. */
struct erofs_piece {
	uint64_t file_off;
	uint64_t len;
	uint64_t place;
	bool decoded;
};

struct erofs_map {
	ARRAY(struct erofs_piece) pieces; /* ascending; what follows on is one piece */
};

struct erofs_prefix {
	uint8_t base; /* enum erofs_xattr_prefix */
	uint8_t len;
	char text[255]; /* between the base's text and the name */
};

/* Metadata in windows that is looked at: compressed directories are larger than what they take. */
#define EROFS_LOOK_FACTOR 4

struct erofs_reader {
	struct window window;
	const struct kataimg_sink *sink;
	struct erofs_super super;
	unsigned int block_bits;
	uint32_t block_bytes;
	uint64_t meta_off; /* where nids count from */
	uint8_t *seen;     /* a bit for each nid */
	uint64_t nids;
	ARRAY(uint64_t) dirs;    /* found and not read yet */
	struct erofs_map packed; /* the inode that holds fragments of many files */
	uint64_t packed_bytes;
	struct erofs_prefix *prefixes; /* super.xattr_prefix_count */
	uint8_t *value;                /* 64 KiB for an attribute */
	struct erofs_decoder *decoder;
};

/* ---- read_super.c ---- */

/* Fills super and what follows from it. */
int erofs_reader_open_super(struct erofs_reader *reader);

/* ---- read_inode.c ---- */

struct erofs_found_inode {
	uint64_t nid;
	uint64_t size;
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	uint32_t u;
	uint32_t uid, gid, nlink;
	uint16_t mode; /* with type bits */
	uint8_t type;  /* enum kataimg_type */
	uint8_t layout;
	uint64_t xattr_off; /* in the window: behind the inode */
	uint64_t body_off;  /* behind the attributes */
};

int erofs_reader_inode(struct erofs_reader *reader, uint64_t nid, struct erofs_found_inode *inode);
/* A device number, as erofs_device_encode makes it. */
void erofs_device_decode(uint32_t u, uint32_t *major, uint32_t *minor);

/* ---- read_xattr.c ---- */

/* After the packed inode is known. */
int erofs_reader_load_prefixes(struct erofs_reader *reader);
int erofs_reader_report_xattrs(struct erofs_reader *reader, const struct erofs_found_inode *inode);

/* ---- read_data.c, read_zmap.c: calls emit for each piece, in ascending order ---- */

struct erofs_emit {
	int (*emit)(struct erofs_reader *reader, void *arg, const struct erofs_piece *piece);
	void *arg;
};

int erofs_reader_pieces(struct erofs_reader *reader, const struct erofs_found_inode *inode,
			const struct erofs_emit *emit);
int erofs_reader_zmap_pieces(struct erofs_reader *reader, const struct erofs_found_inode *inode,
			     const struct erofs_emit *emit);
/* [file_off, +len) are bytes of the packed inode at packed_off. */
int erofs_reader_fragment(struct erofs_reader *reader, const struct erofs_found_inode *inode,
			  uint64_t file_off, uint64_t len, uint64_t packed_off,
			  const struct erofs_emit *emit);

/* ---- read_map.c ---- */

int erofs_map_load(struct erofs_reader *reader, const struct erofs_found_inode *inode,
		   struct erofs_map *map);
/* Bytes by a map; holes are zeros. */
int erofs_map_read(struct erofs_reader *reader, const struct erofs_map *map, uint64_t off,
		   void *buf, size_t len);
/* The first piece that ends behind off. */
size_t erofs_map_find(const struct erofs_map *map, uint64_t off);

/* ---- read_dir.c ---- */

/* Reports the entries, and calls found for the nid of each. */
int erofs_reader_dir(struct erofs_reader *reader, const struct erofs_found_inode *dir,
		     int (*found)(struct erofs_reader *reader, uint64_t nid));

/* ---- read.c ---- */

/* kataimg_backend.read; the state is a struct erofs_decoder. */
int erofs_read(const struct kataimg_host *host, uint64_t window_bytes,
	       const struct kataimg_sink *sink, void **state);

#endif
