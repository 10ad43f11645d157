/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the tree model, for this folder alone: others make trees by tree/node.h and
 * tree/content.h, and change them by tree/edit.h.
 */
#ifndef TREE_MODEL_H
#define TREE_MODEL_H

#include <pthread.h>

#include "core/tree/node.h"

/* A name that a directory has got and that tree_finish will sort in. */
struct tree_name {
	struct tree_name *next;
	struct tree_node *node; /* NULL: an editor took it away again */
	const char *name;       /* ends in a NUL, and has none in it */
};

/* One extended attribute that is to be left out. */
struct tree_marked_xattr {
	struct tree_marked_xattr *next;
	struct tree_node *node;
	uint32_t item;
};

/* Those of tree_read that are idle. */
struct tree_readers {
	pthread_mutex_t lock;
	struct tree_reader *first;
};

#define TREE_RECENT_SEGMENTS 1024u

struct tree {
	struct arena arena;            /* nodes, names, values: as long as the tree */
	struct arena pending;          /* struct tree_name until tree_finish, then what is marked */
	struct tree_name *spare_names; /* of pending, sorted in already; for names to come */
	struct tree_marked_xattr *marked_xattrs;
	uint64_t marked_granularity_nsec; /* of all that is marked with TREE_DROP_FINE_TIME */
	struct tree_node *root;
	struct kataimg_tree pub;
	struct kataimg_entry *taken_entries; /* owned; of tree_take_entries; NULL */
	const struct kataimg_node **nodes;   /* pub.nodes, with room for all_nodes */
	uint64_t all_nodes;                  /* made so far, dropped ones too */
	uint64_t names;                      /* in all directories, dropped ones too */
	int root_fd;                         /* of a directory tree; -1 */
	struct tree_source *sources;
	uint32_t source_count;
	struct tree *origin;       /* of a duplicate, as long as that; NULL */
	uint32_t borrowed_sources; /* the first ones are the origin's, as is root_fd */
	unsigned int sharers;      /* who have it besides the first */
	/* Those that are one file's only one, by their place and length. */
	struct kataimg_segment *recent_segments[TREE_RECENT_SEGMENTS];
	struct tree_readers *readers; /* owned; of what is read, whoever may not change it */
};

/* As tree_node: the owner may change what the model hands out as const. */
static inline struct kataimg_entry *tree_entries(const struct tree_node *dir)
{
	return (struct kataimg_entry *)(uintptr_t)dir->pub.entries;
}

static inline struct kataimg_xattr *tree_xattrs(const struct tree_node *node)
{
	return (struct kataimg_xattr *)(uintptr_t)node->pub.xattrs;
}

struct tree *tree_new(void);

/* Takes over all that was made in part, which stays empty: nodes of several threads become one
 * tree's. */
void tree_absorb(struct tree *tree, struct tree *part);

/* Names a node in a directory. The name is copied; a second entry of the same name is the caller's
 * to prevent. */
int tree_add_name(struct tree *tree, struct tree_node *dir, const char *name, size_t len,
		  struct tree_node *node);

/* Sorts in the names that a directory got. tree is where the entries are kept and who has use for
 * the struct tree_name that are left: the directory's own, or a part that it will absorb. -ENOMEM.
 */
int tree_sort_directory(struct tree *part, struct tree_node *dir);

/* Takes an entry of a finished directory out, at tree_finish. */
static inline void tree_remove_entry(struct tree_node *dir, uint32_t entry)
{
	tree_entries(dir)[entry].node = NULL;
	dir->edited = 1;
}

/* Those of tree_read. */
void tree_free_readers(struct tree_readers *readers);

#endif
