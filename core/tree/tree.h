/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree model: what the image will contain, scanned once and then read-only. Every producer (a
 * directory, an archive) builds the same model, so nothing downstream can tell them apart. The
 * public face is kataimg_tree of kataimg/backend.h; behind it each regular file knows where its
 * bytes are.
 */
#ifndef TREE_TREE_H
#define TREE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "kataimg/backend.h"

struct tree;

enum tree_holes {
	TREE_HOLES_SOURCE, /* the source's own map */
	TREE_HOLES_DETECT, /* aligned runs of zeros of 64 KiB and more, by content alone */
	TREE_HOLES_BLOCKS, /* every block of zeros, of KATAIMG_HOLE_BYTES, by content alone */
	TREE_HOLES_FILL    /* none */
};

struct tree_excluder;
struct backend_search;

/* Makes an unnamed file: a descriptor for the caller, or -errno. */
struct tree_scratch {
	int (*open)(void *arg);
	void *arg;
	uint64_t limit;    /* of what is unpacked, zeros not counted; 0: the reader's own */
	const char *place; /* in messages; NULL: the output's directory */
};

/* What producers of trees are told; each takes what concerns it. */
struct tree_options {
	enum tree_holes holes;
	bool one_filesystem;  /* a mount point below the source stays, with its attributes, but
				 empty: a warning names it */
	unsigned int threads; /* at least 1 */
	struct tree_excluder *excluder; /* what it matches is not even read; NULL: none */
	/* What it covers will be taken out of the tree, so that its content need not be at hand;
	 * NULL: nothing. */
	const struct tree_excluder *unneeded;
	int64_t build_time; /* what entries get that nothing gives one; 0: the newest time */
	const char *arch;   /* as "uname -m" or Go has it; "" or NULL: this machine's where there is
			       a choice */
	struct tree_scratch scratch;           /* for what is compressed or a stream */
	const struct backend_search *backends; /* who can read images; NULL: nobody */
	unsigned int partition;                /* of an image; 0: its name says which, or any */
	bool content_later; /* few will read the files' content, or nobody: it is fetched when
			       somebody does */
};

/*
 * Scans a directory. Never follows a symbolic link (the source itself may be one), never opens a
 * device, fifo or socket. An entry that cannot be read is an error that names it, and so is one
 * that changes meanwhile.
 */
int tree_scan_directory(const char *path, const struct tree_options *options, struct tree **tree,
			struct error *error);

/* Of a tree that several have it is freed with the last one's. */
void tree_free(struct tree *tree);

/*
 * For several who want the same of one source. Who has a shared tree must not change it; a
 * duplicate of a finished one can be changed, and the original no more: names, values and sources
 * stay common. NULL when memory is out. One thread, as tree_free.
 */
struct tree *tree_share(struct tree *tree);
struct tree *tree_duplicate(struct tree *tree);

/* The model, valid until tree_free or the next tree_drop_ or edit. */
const struct kataimg_tree *tree_public(const struct tree *tree);

/* What a backend cannot store can be left out (unsupported = drop): marked first, taken out
 * together. */
enum tree_drop {
	TREE_DROP_NODE,      /* with all its names; a directory with all below it */
	TREE_DROP_LINKS,     /* every name but the first */
	TREE_DROP_XATTRS,    /* all extended attributes; where an access ACL goes, the mode's
				group permissions become what it gives the group */
	TREE_DROP_XATTR,     /* one, likewise: item is its place in node->xattrs */
	TREE_DROP_FINE_TIME, /* mtime is cut to a multiple of item nanoseconds, of all nodes the
				same */
	TREE_DROP_HOLES,     /* become zeros that are written out */
	TREE_DROP_OWNER,     /* 0:0 */
	TREE_DROP_MODE       /* set-id and sticky bits; where there are none, all that
				kataimg/backend.h says of KATAIMG_CHECK_MODE */
};
/* -ENOMEM. */
int tree_mark(struct tree *tree, const struct kataimg_node *node, enum tree_drop what,
	      uint64_t item);
/* Would dropping attributes, the owner or the mode change the node? */
bool tree_can_drop(const struct kataimg_node *node, enum tree_drop what);
/* Takes out what is marked, renumbers, recounts links. */
int tree_drop_marked(struct tree *tree, struct error *error);

/* The newest mtime in whole seconds, at least 1: build_time when nothing else says it. */
int64_t tree_newest_mtime(const struct tree *tree);

/* The path of a node from the root, no leading '/'; "." for the root; cut to size. Returns buf. */
const char *tree_path(const struct kataimg_node *node, char *buf, size_t size);

/* Feeds the metadata of the whole tree, in a canonical text form, to a digest (base/digest.h). Not
 * content. */
struct digest;
int tree_digest(const struct tree *tree, struct digest *digest, struct error *error);

struct tree_digest_options {
	unsigned int threads; /* at least 1 */
	/* From one thread at a time; NULL. */
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	void *progress_arg;
};

/* A digest, of TREE_DIGEST_BYTES, of all files' data: two trees with the same metadata have the
 * same one if their files have the same bytes, wherever these are. Reads all of them. */
#define TREE_DIGEST_BYTES 32
int tree_digest_content(const struct tree *tree, const struct tree_digest_options *options,
			uint8_t out[TREE_DIGEST_BYTES], struct error *error);

/* Sums for the report. */
struct tree_counts {
	uint64_t nodes, names, files, directories, symlinks, devices, fifos, sockets;
	uint64_t hardlinks; /* names beyond each node's first, directories aside */
	uint64_t xattrs;
	uint64_t data_bytes; /* in segments */
	uint64_t file_bytes; /* sizes of regular files */
};
void tree_count(const struct tree *tree, struct tree_counts *counts);

/* How many nodes of the source have flags, of chattr(1), that no image keeps; *first: one of them.
 */
uint64_t tree_count_flagged(const struct tree *tree, const struct kataimg_node **first);

/* Reads [off, off + len) of a regular file; holes as zeros. Any thread. For single reads: copy/ is
 * the fast way. */
int tree_read(const struct tree *tree, const struct kataimg_node *node, uint64_t off, void *buf,
	      size_t len, struct error *error);

#endif
