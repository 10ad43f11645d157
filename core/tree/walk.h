/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All entries below a directory of a finished tree, each directory before what is in it, with their
 * paths. Depth costs no stack.
 */
#ifndef TREE_WALK_H
#define TREE_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "kataimg/backend.h"

struct tree_walk {
	const struct kataimg_node *top;
	const struct kataimg_node *dir;    /* that has the entry */
	const struct kataimg_entry *entry; /* NULL before the first */
	char *path;                        /* owned; of the entry, from top: "a/b" */
	size_t len, room, dir_len;         /* of path; dir_len with the '/' */
	uint32_t next;                     /* in dir */
};

void tree_walk_begin(struct tree_walk *walk, const struct kataimg_node *top);
/* 1: there is an entry; 0: no more; or -ENOMEM. */
int tree_walk_next(struct tree_walk *walk);
void tree_walk_end(struct tree_walk *walk);

/* Is the entry another name (a hard link) of a node that another entry names first? */
bool tree_walk_is_link(const struct tree_walk *walk);

#endif
