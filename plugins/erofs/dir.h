/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories: entries with "." and "..", in unsigned bytewise order of their names (some names
 * come before "."), as many to a block as fit. Readers search by bisection.
 */
#ifndef EROFS_DIR_H
#define EROFS_DIR_H

#include "plugins/erofs/inode.h"

/* Walks the entries of a directory; begin with { .dir = node } and the rest zero. */
struct erofs_dir_cursor {
	const struct kataimg_node *dir;
	uint32_t next; /* in dir->entries */
	uint8_t dots;  /* how many of "." and ".." are done */
};

struct erofs_dir_name {
	const char *name;
	uint32_t len;
	const struct kataimg_node *node;
};

/* The next entry, not taken yet. false: there is none. */
bool erofs_dir_peek(const struct erofs_dir_cursor *cursor, struct erofs_dir_name *name);
/* Takes the entry that peek shows. */
void erofs_dir_advance(struct erofs_dir_cursor *cursor);

/* What the directory takes: whole blocks and the bytes used of the last one. */
uint64_t erofs_dir_bytes(const struct kataimg_node *dir);

/* Fills one block (zeros to its end) with the entries that fit. Returns the bytes used, 0 at the
 * end. */
uint32_t erofs_dir_encode_block(const struct erofs_inode *inodes, struct erofs_dir_cursor *cursor,
				uint8_t out[EROFS_BLOCK_BYTES]);
/* Takes the entries of one block without writing them: the bytes that they use. */
uint32_t erofs_dir_skip_block(struct erofs_dir_cursor *cursor);

#endif
