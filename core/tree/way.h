/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows paths inside a tree as the kernel does for a process that has its root there: ".." of the
 * root is the root, an absolute target begins there. Nothing is allocated on the way: a caller who
 * asks whether something is there must not be told that it is not because memory ran out.
 */
#ifndef TREE_WAY_H
#define TREE_WAY_H

#include <stdbool.h>
#include <stddef.h>

struct tree_node;

/* So many symbolic links are followed on one way, as Linux does. */
#define TREE_LINKS_MAX 40

struct tree_way {
	struct tree_node *root, *at;
	/* What dir has of the name, or -errno, which ends the way. */
	int (*find)(struct tree_way *way, struct tree_node *dir, const char *name, size_t len,
		    struct tree_node **found);
	unsigned int links; /* followed so far */
	unsigned int depth; /* of links in one another; 0: on the path itself */
};

/* Each leaves in way->at where it leads, and returns 0, what find said, -ENOTDIR or -ELOOP. A link
 * at the end of the path, or that the name is, is followed or kept. */
int tree_way_walk(struct tree_way *way, const char *path, bool keep_last_link);
int tree_way_step(struct tree_way *way, const char *name, size_t len, bool keep_link);
int tree_way_follow(struct tree_way *way, const struct tree_node *link);

#endif
