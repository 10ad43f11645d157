/* SPDX-License-Identifier: Apache-2.0 */
/* The keywords of a line, and what they say. */
#ifndef MTREE_WORD_H
#define MTREE_WORD_H

#include "core/base/arena.h"
#include "core/tree/node.h"

#define MTREE_SIGNATURE "#mtree"

enum mtree_bit {
	MTREE_TYPE = 1 << 0,
	MTREE_MODE = 1 << 1,
	MTREE_UID = 1 << 2,
	MTREE_GID = 1 << 3,
	MTREE_TIME = 1 << 4,
	MTREE_SIZE = 1 << 5,
	MTREE_LINK = 1 << 6,
	MTREE_CONTENTS = 1 << 7,
	MTREE_DEVICE = 1 << 8,
	MTREE_NLINK = 1 << 9,
	MTREE_INODE = 1 << 10,
	MTREE_OPTIONAL = 1 << 11,
	MTREE_UNAME = 1 << 12,
	MTREE_GNAME = 1 << 13,
	MTREE_IGNORED = 1 << 14 /* describes what is not kept, or what is not there */
};

struct mtree_xattr {
	struct mtree_xattr *next;
	struct kataimg_xattr xattr;
};

/* Texts and xattrs live in the arena that mtree_take_word is given. */
struct mtree_words {
	unsigned int set; /* enum mtree_bit */
	enum kataimg_type type;
	uint32_t mode, uid, gid;
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	uint64_t size, nlink, inode;
	uint32_t major, minor;
	const char *link, *contents, *uname, *gname;
	struct mtree_xattr *xattrs;
};

const char *mtree_type_word(enum kataimg_type type);

/* Takes "KEYWORD" or "KEYWORD=VALUE", which it may write into. Errors begin with the keyword. */
int mtree_take_word(struct mtree_words *words, char *word, struct arena *arena,
		    struct error *error);

/* For /unset: a keyword, or "all". */
int mtree_unset_word(struct mtree_words *words, const char *word, struct error *error);

#endif
