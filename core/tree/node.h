/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes, for whoever makes or changes a tree. A producer makes them, says their attributes in pub
 * and their content (tree/content.h), and names them in directories by an edit (tree/edit.h).
 */
#ifndef TREE_NODE_H
#define TREE_NODE_H

#include "core/base/arena.h"
#include "core/tree/content.h"
#include "core/tree/tree.h"

struct tree_name;

/* A tree has millions: what few of them need is elsewhere. */
struct tree_node {
	struct kataimg_node pub;            /* first: a kataimg_node of a tree is a tree_node */
	union {                             /* pub.type tells which */
		struct tree_name *names;    /* directory, until tree_finish: newest first, and only
					       those that entries does not have yet */
		union tree_content content; /* regular file */
	};
	uint16_t source;      /* TREE_CONTENT_FILE, _STRETCH, _RANGES: its place in tree->sources */
	uint8_t content_kind; /* enum tree_content_kind */
	uint8_t marks;        /* 1 << enum tree_drop */
	uint8_t visited : 1;
	uint8_t edited : 1; /* directory: names, or entries with a node of NULL, wait for
			       tree_finish */
	uint8_t excluded : 1;
	uint8_t implied : 1; /* nothing says its time */
	uint8_t flagged : 1; /* it has flags of chattr(1) or of another system, which get lost */
};

/* The model hands out const; its owner may still change it. */
static inline struct tree_node *tree_node(const struct kataimg_node *node)
{
	return (struct tree_node *)(uintptr_t)node;
}

/* With a root that nothing describes yet: 0755, 0:0, implied. */
struct tree *tree_new_implied(void);
/* What is implied gets the time; 0: the newest of the tree, at least 1. */
void tree_set_implied_times(struct tree *tree, int64_t build_time);

/* Where names and values of attributes are kept, as long as the tree. */
struct arena *tree_arena(struct tree *tree);
struct tree_node *tree_root(struct tree *tree);

/* A node of the type, without a name; NULL when memory is out. Set the attributes in pub. */
struct tree_node *tree_add_node(struct tree *tree, enum kataimg_type type);

/* Takes malloced entries, of any number of directories, as long as the tree. */
void tree_take_entries(struct tree *tree, struct kataimg_entry *entries);
/* All of a directory: some of those, sorted. */
void tree_set_entries(struct tree *tree, struct tree_node *dir, const struct kataimg_entry *entries,
		      uint32_t count);
/* Brings the directories that got or lost names in order and numbers the tree: from here on it is a
 * kataimg_tree. */
int tree_finish(struct tree *tree, struct error *error);

int tree_set_target(struct tree *tree, struct tree_node *node, const char *target, size_t len);

/* Takes count segments in bytes, ascending, not overlapping, and keeps them normalised to whole
 * blocks. */
int tree_set_segments(struct tree *tree, struct tree_node *node,
		      const struct kataimg_segment *segments, uint32_t count);

/* Sorts xattrs, which live in the tree's arena. */
void tree_set_xattrs(struct tree_node *node, struct kataimg_xattr *xattrs, uint32_t count);

#endif
