/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes a tree by name: finds, adds, replaces and removes entries, each in constant time whatever
 * the directory's size. Works on a tree that is being made as well as on a finished one, whose
 * public form is not to be used until tree_edit_finish.
 */
#ifndef TREE_EDIT_H
#define TREE_EDIT_H

#include "core/tree/node.h"
#include "lib/cleanup.h"

struct tree_edit;

/* The tree stays the caller's and must have a root. NULL when memory is out. */
struct tree_edit *tree_edit_new(struct tree *tree);
void tree_edit_free(struct tree_edit *edit);
DEFINE_CLEANUP(struct tree_edit, tree_edit_free)

/* NULL: there is none. */
struct tree_node *tree_edit_find(const struct tree_edit *edit, const struct tree_node *dir,
				 const char *name, size_t len);

/* Gives dir an entry, in the place of another one of that name. -ENOMEM. */
int tree_edit_put(struct tree_edit *edit, struct tree_node *dir, const char *name, size_t len,
		  struct tree_node *node);

/* A name that is not there is none the less gone. */
void tree_edit_remove(struct tree_edit *edit, struct tree_node *dir, const char *name, size_t len);

/* All names of a directory. */
void tree_edit_clear(struct tree_edit *edit, struct tree_node *dir);

bool tree_edit_is_empty(const struct tree_node *dir);

/* Where a path leads: an entry that may or may not exist. */
struct tree_place {
	struct tree_node *dir;
	const char *name; /* inside the path; len 0: the root itself, which dir then is */
	size_t len;
	struct tree_node *node; /* what is there; NULL: nothing */
};

/* What may be done about the way to a path: bits. */
enum tree_parents {
	TREE_PARENTS_NEEDED = 0,   /* a missing directory is an error */
	TREE_PARENTS_IMPLIED = 1,  /* it is made: 0755, 0:0, marked as implied */
	TREE_PARENTS_FOLLOWED = 2, /* symbolic links on the way are followed, inside the root */
	TREE_PARENTS_REPLACED = 4 /* what is neither, and no directory, gives way to an implied one;
				     not where a link leads */
};

/*
 * Follows a path from the root. Leading "/", "." and doubled "/" mean nothing; ".." in it, and a
 * way through what is no directory, is an error that says so, without the path. Paths in the order
 * of a walk cost only what differs. parents: enum tree_parents.
 */
int tree_edit_locate(struct tree_edit *edit, const char *path, unsigned int parents,
		     struct tree_place *place, struct error *error);

/*
 * Follows a symbolic link that is in *dir to the directory that it leads to, through all others.
 * -ENOENT, -ENOTDIR: to none; -ELOOP after TREE_LINKS_MAX links. *dir is then anywhere.
 */
int tree_edit_follow(struct tree_edit *edit, const struct tree_node *link, struct tree_node **dir,
		     struct error *error);

/* The tree is a kataimg_tree again; for the edit, only tree_edit_free is left. */
int tree_edit_finish(struct tree_edit *edit, struct error *error);

#endif
