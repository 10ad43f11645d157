/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the directory scanner. Directories wait on a stack; workers take them from there,
 * each reads one as a whole and puts its subdirectories on the stack. Of a large directory, workers
 * that have nothing else to do take blocks. What a block holds is made by one worker in memory of
 * its own, so that workers share the queues and the table of hard links and little else.
 */
#ifndef TREE_SCAN_H
#define TREE_SCAN_H

#include <pthread.h>

#include "core/tree/dirs.h"
#include "core/tree/links.h"
#include "core/tree/model.h"
#include "core/tree/xattrs.h"
#include "lib/array.h"
#include "lib/statx.h"

/* A directory that is known and not yet read. */
struct scan_pending {
	struct tree_node *dir;
	uint64_t device, inode;
	uint64_t mtime_ns, ctime_ns; /* modulo 2^64; when it was met */
};

/* A directory that several workers look at. */
struct scan_share {
	struct tree_node *dir;
	int fd;
	unsigned int blocks_out; /* handed out and not yet done */
};

/* Some of its records, as getdents64(2) gave them. */
struct scan_block {
	struct scan_block *next;
	struct scan_share *share;
	size_t len;
	_Alignas(uint64_t) char records[];
};

struct scan {
	const char *path; /* of the source, as given */
	const struct tree_options *options;
	struct tree *tree;
	uint64_t mount_id; /* of the source */
	uid_t uid;         /* that reads */

	pthread_mutex_t lock; /* guards all that follows, and names and edited of directories */
	pthread_cond_t changed;
	ARRAY(struct scan_pending) pending;
	struct scan_block *blocks;
	unsigned int block_count;
	unsigned int busy; /* workers that read a directory, and may find more */
	unsigned int idle; /* workers that wait for one */
	struct links links;
	struct error *error;
	int failure;     /* the first one; ends the scan */
	uint64_t denied; /* entries that may not be read: they end it when all are counted */
};

struct scan_worker {
	struct scan *scan;
	struct tree *part;     /* where its nodes come from, later a part of the tree */
	struct tree_node tray; /* names that it gives, until the directory gets them */
	struct dirs dirs;
	struct xattrs xattrs;
	char *records; /* of a directory */
	char *target;  /* of a symbolic link */
	size_t target_bytes;
	ARRAY(struct scan_pending) found; /* subdirectories, until they are put on the stack */
};

/* The entry that is looked at: name in dir, whose descriptor is fd. The source itself: an empty
 * name. */
struct scan_entry {
	struct tree_node *dir;
	const char *name;
	int fd;
	struct statx stat;
};

/* All below return 0 or -errno; -ENOMEM and -ECANCELED need no message. */

/* "cannot WHAT SOURCE/DIR/NAME: reason". Returns -code; what is -EACCES is counted, and does not
 * keep others from being looked at. */
int scan_fail(struct scan *scan, const struct scan_entry *entry, int code, const char *what);

/* scan_entry.c: reads entry->stat. */
int scan_stat(struct scan *scan, struct scan_entry *entry);
uint64_t scan_device(const struct scan_entry *entry);
struct scan_pending scan_pending_of(const struct scan_entry *entry, struct tree_node *dir);
/* Tells mounts apart. */
uint64_t scan_mount_id(const struct scan_entry *entry);
/* Fills the node from the entry: attributes, target, segments, extended attributes. */
int scan_fill_node(struct scan_worker *worker, const struct scan_entry *entry,
		   struct tree_node *node);

/* scan_queue.c. A worker notes a directory that is to be read. */
int scan_add_found(struct scan_worker *worker, const struct scan_pending *pending);

/* Waits for something to do: a block, or else a directory, which scan_leave ends. false: there is
 * nothing any more. */
struct scan_task {
	struct scan_block *block; /* or NULL */
	struct scan_pending pending;
};
bool scan_take(struct scan *scan, struct scan_task *task);
void scan_leave(struct scan *scan);

/* What the worker has found in dir becomes everyone's; ret, which it returns, is how that ended. */
int scan_give(struct scan_worker *worker, struct tree_node *dir, int ret);

/* Hands len bytes of worker->records to a worker that has nothing to do, if there is one. */
bool scan_offer(struct scan_worker *worker, struct scan_share *share, size_t len);
void scan_end_block(struct scan *scan, struct scan_block *block);
/* A block of any directory while some of this one are out; NULL: all are done. */
struct scan_block *scan_take_block(struct scan *scan, const struct scan_share *share);

/* scan_segments.c: the data segments of a regular file, in the way of options->holes. */
int scan_segments(struct scan_worker *worker, const struct scan_entry *entry,
		  struct tree_node *node);

#endif
