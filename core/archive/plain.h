/* SPDX-License-Identifier: Apache-2.0 */
/* An archive as a plain one that lies in a file, and that file as a source of a tree. */
#ifndef ARCHIVE_PLAIN_H
#define ARCHIVE_PLAIN_H

#include "core/archive/input.h"
#include "core/archive/partial.h"
#include "core/tree/tree.h"

struct archive_plain {
	struct archive_input input;      /* its digest, if any, is of what is unpacked */
	bool given;                      /* a tree has input.fd; else it is owned */
	struct archive_partial *partial; /* owned, until it is given away with it; NULL */
	bool scratch;                    /* nobody else can change the file */
	bool unpacked;                   /* it was no plain one before */
};

struct archive_plain_options {
	const struct tree_options *tree;
	bool layer;            /* of a container image */
	struct digest *digest; /* of the plain bytes when they are unpacked; not owned; NULL */
	unsigned int beside;   /* so many others are there as well, and share the memory */
	/* archive/partial.h, beside what tree->unneeded covers; NULL: 1. */
	int (*needs)(void *arg, const struct archive_member *member);
	void *needs_arg;
};

/* Makes plain->input, with its descriptor, a plain archive: of a compressed one and of a stream a
 * scratch file, which need not have all of it: nothing but headers, and those in memory, as
 * tree->content_later has it, and else not what is not needed. */
int archive_plain_make(struct archive_plain *plain, const struct archive_plain_options *options,
		       struct error *error);

/* The tree takes descriptor and partial, which stay where they are and are good as long as the tree
 * is. Returns the source's place or -errno. */
int archive_plain_give(struct archive_plain *plain, struct tree *tree, struct error *error);

void archive_plain_release(struct archive_plain *plain);

#endif
