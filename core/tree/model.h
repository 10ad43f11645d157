/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the tree model, for its producers and editors in this folder. A producer makes
 * nodes, names them in directories, and calls tree_finish; an editor (tree/edit.h) changes a
 * finished tree and calls tree_finish again.
 */
#ifndef TREE_MODEL_H
#define TREE_MODEL_H

#include <pthread.h>

#include "core/base/arena.h"
#include "core/tree/content.h"
#include "core/tree/tree.h"

/* A name that a directory has got and that tree_finish will sort in. */
struct tree_name {
	struct tree_name *next;
	struct tree_node *node; /* NULL: an editor took it away again */
	const char *name;
	uint32_t name_len;
};

struct tree_node {
	struct kataimg_node pub;             /* first: a kataimg_node of a tree is a tree_node */
	union {                              /* pub.type tells which */
		struct tree_name *names;     /* directory, until tree_finish: newest first, and only
						those that entries does not have yet */
		struct tree_content content; /* regular file */
	};
	uint8_t marks; /* 1 << enum tree_drop */
	uint8_t visited : 1;
	uint8_t edited : 1; /* directory: names, or entries with a node of NULL, wait for
			       tree_finish */
	uint8_t excluded : 1;
	uint8_t implied : 1; /* nothing says its time */
	uint8_t flagged : 1; /* it has flags of chattr(1) or of another system, which get lost */
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

struct tree {
	struct arena arena;   /* nodes, names, values: as long as the tree */
	struct arena pending; /* struct tree_name until tree_finish, then what is marked */
	struct tree_marked_xattr *marked_xattrs;
	uint64_t marked_granularity_nsec; /* of all that is marked with TREE_DROP_FINE_TIME */
	struct tree_node *root;
	struct kataimg_tree pub;
	const struct kataimg_node **nodes; /* pub.nodes, with room for all_nodes */
	uint64_t all_nodes;                /* made so far, dropped ones too */
	uint64_t names;                    /* in all directories, dropped ones too */
	int root_fd;                       /* of a directory tree; -1 */
	struct tree_source *sources;
	uint32_t source_count;
	struct tree_readers *readers; /* owned; of what is read, whoever may not change it */
};

/*
 * The model hands out const; its owner may still change it. These are the only places where the
 * one becomes the other.
 */
static inline struct tree_node *tree_node(const struct kataimg_node *node)
{
	return (struct tree_node *)(uintptr_t)node;
}

static inline struct kataimg_entry *tree_entries(const struct tree_node *dir)
{
	return (struct kataimg_entry *)(uintptr_t)dir->pub.entries;
}

static inline struct kataimg_xattr *tree_xattrs(const struct tree_node *node)
{
	return (struct kataimg_xattr *)(uintptr_t)node->pub.xattrs;
}

struct tree *tree_new(void);

/* With a root that nothing describes yet: 0755, 0:0, implied. */
struct tree *tree_new_implied(void);
/* What is implied gets the time; 0: the newest of the tree, at least 1. */
void tree_set_implied_times(struct tree *tree, int64_t build_time);

/* Takes over all that was made in part, which stays empty: nodes of several threads become one
 * tree's. */
void tree_absorb(struct tree *tree, struct tree *part);

/* A node of the type, without a name; NULL when memory is out. Set the attributes in pub. */
struct tree_node *tree_add_node(struct tree *tree, enum kataimg_type type);

/* Names a node in a directory. The name is copied; a second entry of the same name is the caller's
 * to prevent. */
int tree_add_name(struct tree *tree, struct tree_node *dir, const char *name, size_t len,
		  struct tree_node *node);

int tree_set_target(struct tree *tree, struct tree_node *node, const char *target, size_t len);

/* Takes count segments in bytes, ascending, not overlapping, and keeps them normalised to whole
 * blocks. */
int tree_set_segments(struct tree *tree, struct tree_node *node,
		      const struct kataimg_segment *segments, uint32_t count);

/* Sorts xattrs, which live in the tree's arena. */
void tree_set_xattrs(struct tree_node *node, struct kataimg_xattr *xattrs, uint32_t count);

/* Takes an entry of a finished directory out, at tree_finish. */
static inline void tree_remove_entry(struct tree_node *dir, uint32_t entry)
{
	tree_entries(dir)[entry].node = NULL;
	dir->edited = 1;
}

/* Brings the directories that got or lost names in order and numbers the tree: from here on it is a
 * kataimg_tree. */
int tree_finish(struct tree *tree, struct error *error);

/* Those of tree_read. */
void tree_free_readers(struct tree_readers *readers);

#endif
