/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees as text, in the form of mtree(5): one line an entry, a path or name and keywords. Written
 * here are full paths and type, uid, gid, mode, time, size, link, device, nlink and inode (entries
 * of one inode are hard links), and xattr.NAME with the value in base64. Read are also /set and
 * /unset, names in the directory of the line before with "..", optional, and contents, a file
 * relative to the mtree file's directory.
 *
 * The nine digits of a time's fraction are nanoseconds. Ids are numbers: an owner who has only a
 * name is an error. Checksums, flags and tags are passed over.
 */
#ifndef MTREE_MTREE_H
#define MTREE_MTREE_H

#include <stdio.h>

#include "core/tree/tree.h"

struct mtree_options {
	enum tree_holes holes; /* of contents */
	int64_t build_time;    /* of new entries without a time; 0: the newest time in the tree */
};

/* Writes the whole tree; errors are out's. 0 or -ENOMEM. */
int mtree_print(const struct tree *tree, FILE *out);

/*
 * Changes a finished tree. An entry that is there keeps what its line does not say; a new one needs
 * a type, and is 0:0 and 0644, a directory 0755, a symbolic link 0777 where its line says nothing.
 * *changes: lines that named an entry. Errors begin with "PATH:LINE: ".
 */
int mtree_apply(struct tree *tree, const char *path, const struct mtree_options *options,
		uint64_t *changes, struct error *error);

/* Is it a regular file that begins as one? */
bool mtree_is(const char *path);

/* A tree of nothing else. */
int mtree_read_tree(const char *path, const struct mtree_options *options, struct tree **tree,
		    struct error *error);

#endif
