/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows a path as the kernel does, but one name at a time, each from the descriptor of its
 * directory: what rules have judged is what the caller then uses, whatever others rename meanwhile.
 */
#ifndef BASE_LOOKUP_H
#define BASE_LOOKUP_H

#include <stdbool.h>
#include <sys/stat.h>

#include "core/base/error.h"

/* Each may be NULL: anything goes. They return 0, or -errno with a message. path is for messages:
 * absolute, and without links so far. */
struct lookup_rules {
	/* Every directory on the way, from the root on. */
	int (*directory)(const char *path, const struct stat *dir, struct error *error);
	/* Every symbolic link, and the directory that it is in. */
	int (*link)(const char *path, const struct stat *dir, const struct stat *link,
		    struct error *error);
};

struct lookup {
	char *path;       /* owned; absolute, without links, "." and ".." */
	const char *name; /* what follows the last '/' of it */
	int dir;          /* owned; O_PATH; the directory that has the name, unless it is one */
	bool linked;      /* the last name of the path was a link */
	bool exists;      /* else there is no such name in dir */
	struct stat st;   /* if it exists; never a link's */
};

#define LOOKUP_INIT ((struct lookup){ .dir = -1 })

/* A relative path begins in the working directory, whose own directories are judged as well.
 * Returns -errno; only rules leave a message in *error. */
int lookup_path(const char *path, const struct lookup_rules *rules, struct lookup *lookup,
		struct error *error);
/* The same of a name, without a '/', in a directory that somebody has open; path is its own,
 * absolute. */
int lookup_name(int dir, const char *path, const char *name, const struct lookup_rules *rules,
		struct lookup *lookup, struct error *error);
void lookup_release(struct lookup *lookup);

/* Is there more to a directory than its owner's word: may others put names into it? */
bool lookup_is_shared(const struct stat *dir);

#endif
