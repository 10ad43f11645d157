/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees as text, in the form of mtree(5): one line an entry, a path or name and keywords. Written
 * here are full paths, or, of a tree with directories deeper than MTREE_PATH_DEPTH, names in the
 * directory of the line before with "..", as paths would have the square of its length; with type,
 * uid, gid, mode, time, size, link, device, nlink and inode (entries of one inode are hard links),
 * and xattr.NAME with the value in base64. Read are also /set and /unset, optional, and contents, a
 * file relative to the mtree file's directory. A line, with those that go on with it, has
 * MTREE_LINE_BYTES at most.
 *
 * The nine digits of a time's fraction are nanoseconds. Ids are numbers: an owner who has only a
 * name is an error. Checksums, flags and tags are passed over.
 */
#ifndef MTREE_MTREE_H
#define MTREE_MTREE_H

#include <stdio.h>

#include "core/base/digest.h"
#include "core/confine/confine.h"
#include "core/tree/tree.h"

#define MTREE_PATH_DEPTH 64
#define MTREE_LINE_BYTES ((size_t)16 << 20)

/* SHA-256 of a file's content. */
struct mtree_digest {
	uint8_t bytes[DIGEST_BYTES];
};

/* Reads all files: *digests has one for each node of the tree, to be freed. */
int mtree_hash(const struct tree *tree, unsigned int threads, struct mtree_digest **digests,
	       struct error *error);

/* Writes the whole tree, with the digests of files (NULL: without); whether out took it is out's to
 * say. -ENOMEM, -ECANCELED. */
int mtree_print(const struct tree *tree, const struct mtree_digest *digests, FILE *out,
		struct error *error);

/*
 * Changes a finished tree. An entry that is there keeps what its line does not say; a new one needs
 * a type, and is 0:0 and 0644, a directory 0755, a symbolic link 0777 where its line says nothing.
 * *changes: lines that named an entry. Errors begin with "PATH:LINE: ".
 */
int mtree_apply(struct tree *tree, const char *path, const struct tree_options *options,
		uint64_t *changes, struct error *error);

/* Is it a regular file that begins as one? */
bool mtree_is(const char *path);

/* Allows reading of the file at path and of all that its contents= name. Of what is no regular
 * file, and can be read once, nobody knows what it will name: all may be read. */
int mtree_confine(const char *path, struct confine *confine, struct error *error);

/* A tree of nothing else. */
int mtree_read_tree(const char *path, const struct tree_options *options, struct tree **tree,
		    struct error *error);

#endif
