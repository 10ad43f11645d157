/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaves entries out by patterns (lib/glob.h). A pattern without a '/' is matched against names,
 * in all directories; one with a '/' against the path from the root, with or without a '/' in
 * front; a '/' at the end asks for directories alone. A directory goes with all below it.
 */
#ifndef TREE_EXCLUDE_H
#define TREE_EXCLUDE_H

#include <stddef.h>

#include "core/tree/tree.h"
#include "lib/cleanup.h"

struct tree_excluder;

/* A pattern without a name in it is an error, of kind ERROR_USAGE. */
int tree_exclude_check(const char *text, struct error *error);

/* Errors are those of the patterns. */
int tree_excluder_new(char *const *patterns, size_t count, struct tree_excluder **excluder,
		      struct error *error);
void tree_excluder_free(struct tree_excluder *excluder);
DEFINE_CLEANUP(struct tree_excluder, tree_excluder_free)

/* 1: the entry is to be left out, and is counted; 0: it is not; or -ENOMEM. Any thread. */
int tree_excluder_matches(struct tree_excluder *excluder, const struct kataimg_node *dir,
			  const char *name, bool is_directory);

/* Would the entry at a path from the root be left out, by itself or with a directory that it is in?
 * As it is written in an archive: what is no plain path is left out by nothing. Not counted. */
bool tree_excluder_covers(const struct tree_excluder *excluder, const char *path,
			  bool is_directory);

/* How many entries matched so far; what was below them is not counted. */
uint64_t tree_excluder_count(const struct tree_excluder *excluder);

/* Warns of patterns that matched nothing. */
void tree_excluder_warn(const struct tree_excluder *excluder);

/* Takes what matches out of a finished tree. */
int tree_exclude(struct tree *tree, struct tree_excluder *excluder, struct error *error);

#endif
