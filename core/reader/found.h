/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a backend has reported of a finished filesystem, as it came: unordered and not yet believed.
 * sink.c gathers it, judge.c orders it and refuses what contradicts, maketree.c makes a tree of it.
 *
 * Memory is bounded by the size of the filesystem: an image can name one block from many places, so
 * that few bytes of it would make endless lists. A sound one of 64 MiB can have a million files, of
 * which each then may take 180 bytes and its name: so each step frees what the next does not need.
 */
#ifndef READER_FOUND_H
#define READER_FOUND_H

#include <pthread.h>

#include "core/tree/node.h"
#include "kataimg/backend.h"
#include "lib/array.h"

struct found_inode {
	uint64_t id;
	/* Has all attributes of the inode; in the tree's arena. Until the tree is numbered nlink is
	 * what the inode says, and name_len how many entries count for it. Of a named directory the
	 * parent is set, of a file that was one range its content, of which the source's base is
	 * missing. */
	struct tree_node *node;
};

/* What is said of a name becomes the tree's entry in its place: there may be millions. */
union found_entry {
	struct {
		uint64_t dir, id; /* first */
		const char *name; /* without a NUL in it, and ends in one */
	};
	struct kataimg_entry made;
};

struct found_range {
	uint64_t id; /* first */
	uint64_t file_off, len : 63, decoded : 1;
	uint64_t place; /* in the window, or the decoder's cookie */
};

struct found_xattr {
	uint64_t id; /* first */
	struct kataimg_xattr xattr;
};

struct found_text {
	const char *bytes;
	uint32_t len;
};

/* Inodes that say another number of links than there are. */
struct found_odd_links {
	uint64_t count;
	uint64_t id; /* of one of them, and so on */
	uint32_t said, is;
	const struct tree_node *node;
};

#define FOUND_RECENT_TEXTS 256u

struct found {
	struct tree *tree; /* nodes and texts live in its arena */
	uint64_t window_bytes;
	uint64_t root;
	bool has_root;
	ARRAY(struct found_inode) inodes;
	ARRAY(union found_entry) entries;
	ARRAY(struct found_range) ranges;
	ARRAY(struct found_xattr) xattrs;
	struct found_odd_links odd_links;
	/* Names and values of attributes, of which many inodes have the same. */
	struct found_text recent_texts[FOUND_RECENT_TEXTS];
	uint64_t spent_bytes; /* of the memory that the filesystem's size allows */
	pthread_mutex_t lock; /* guards all of the above while the backend reports */
};

#endif
