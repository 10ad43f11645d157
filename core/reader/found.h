/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a backend has reported of a finished filesystem, as it came: unordered and not yet believed.
 * sink.c gathers it, judge.c orders it and refuses what contradicts, maketree.c makes a tree of it.
 *
 * Memory is bounded by the size of the filesystem: an image can name one block from many places, so
 * that few bytes of it would make endless lists.
 */
#ifndef READER_FOUND_H
#define READER_FOUND_H

#include <pthread.h>

#include "core/tree/node.h"
#include "kataimg/backend.h"
#include "lib/array.h"

struct found_inode {
	uint64_t id;
	struct tree_node *node; /* has all attributes of the inode; in the tree's arena */
	uint32_t nlink;         /* as the filesystem says; 0: it does not */
	uint32_t parents;       /* of a directory: entries that name it */
};

struct found_entry {
	uint64_t dir, id;
	const char *name;
	uint32_t name_len;
};

struct found_range {
	uint64_t id; /* first */
	uint64_t file_off, len;
	uint64_t place; /* in the window, or the decoder's cookie */
	bool decoded;
};

struct found_xattr {
	uint64_t id; /* first */
	struct kataimg_xattr xattr;
};

struct found {
	struct tree *tree; /* nodes and texts live in its arena */
	uint64_t window_bytes;
	uint64_t root;
	bool has_root;
	ARRAY(struct found_inode) inodes;
	ARRAY(struct found_entry) entries;
	ARRAY(struct found_range) ranges;
	ARRAY(struct found_xattr) xattrs;
	uint64_t spent_bytes; /* of the memory that the filesystem's size allows */
	pthread_mutex_t lock; /* guards all of the above while the backend reports */
};

#endif
