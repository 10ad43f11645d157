/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the tree model, for its producers and editors in this folder. A producer makes
 * nodes, names them in directories, and calls tree_finish; an editor (tree/edit.h) changes a
 * finished tree and calls tree_finish again.
 */
#ifndef TREE_MODEL_H
#define TREE_MODEL_H

#include <pthread.h>
#include <sys/stat.h>

#include "core/base/arena.h"
#include "core/tree/tree.h"

/* A name that a directory has got and that tree_finish will sort in. */
struct tree_name {
	struct tree_name *next;
	struct tree_node *node; /* NULL: an editor took it away again */
	const char *name;
	uint32_t name_len;
};

/* Bytes of a file that lie together in its source. */
struct tree_range {
	uint64_t file_off, len, source_off;
};

/*
 * When a file was last written, and when anything of it last changed, in nanoseconds modulo 2^64.
 * Whoever writes can put mtime back; ctime is the kernel's alone.
 */
struct tree_stamp {
	uint64_t mtime_ns, ctime_ns;
};

struct tree_node {
	struct kataimg_node pub; /* first: a kataimg_node of a tree is a tree_node */
	union {
		struct tree_name *names;   /* directory, until tree_finish: newest first, and only
					      those that entries does not have yet */
		struct tree_range *ranges; /* regular file in a shared source: ascending in
					      file_off */
		uint64_t inode;            /* regular file of its own: what it was at the scan */
	};
	/* Regular file of its own: its times at the scan, whatever an edit made of pub's. */
	struct tree_stamp scanned;
	uint32_t range_count; /* 0: a file of its own, or no data */
	uint16_t source;      /* 0: a scanned file, found by its names; else 1 + its place in
				 tree->sources */
	uint8_t marks;        /* 1 << enum tree_drop */
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

/* Where bytes of files are, apart from a scanned directory. */
struct tree_source {
	int fd;     /* many files' ranges; owned */
	char *path; /* fd is -1: one file, in whole; owned */
	/* What the file of fd was when it was read; inode 0: it is the program's own. */
	uint64_t inode, size;
	struct tree_stamp stamp;
};

#define TREE_SOURCES_MAX UINT16_MAX

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
	pthread_mutex_t readers_lock;
	struct tree_reader *readers; /* idle ones of tree_read */
};

static inline struct tree_node *tree_node(const struct kataimg_node *node)
{
	return (struct tree_node *)node;
}

/* Of a file as stat(2) sees it. */
struct tree_stamp tree_stamp_of(const struct stat *st);

struct tree *tree_new(void);

/* With a root that nothing describes yet: 0755, 0:0, implied. */
struct tree *tree_new_implied(void);
/* What is implied gets the time; 0: the newest of the tree, at least 1. */
void tree_set_implied_times(struct tree *tree, int64_t build_time);

/* Takes over all that was made in part, which stays empty: nodes of several threads become one
 * tree's. */
void tree_absorb(struct tree *tree, struct tree *part);

/*
 * Adds what the bytes of nodes whose source is the result are read from, and takes the descriptor:
 * an archive, or scratch, which nobody else can change. -ENOMEM, -EMFILE, -errno of fstat.
 */
int tree_add_archive(struct tree *tree, int fd, bool scratch);
/* The same for one file, which is opened when it is needed; the node's inode and scanned_ time tell
 * whether it is still the same. */
int tree_add_file(struct tree *tree, const char *path);
void tree_free_sources(struct tree *tree);

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

/* Brings the directories that got or lost names in order and numbers the tree: from here on it is a
 * kataimg_tree. */
int tree_finish(struct tree *tree, struct error *error);

/* Those of tree_read. */
void tree_free_readers(struct tree *tree);

/* Numbers what can be reached from the root, recounts links, sets first names and parents. */
int tree_renumber(struct tree *tree, struct error *error);

#endif
