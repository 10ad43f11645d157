/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the directory scanner. Directories wait on a stack; workers take them from there,
 * each reads one as a whole and puts its subdirectories on the stack. What a directory holds is
 * made by one worker in memory of its own, so that workers share the stack and the table of hard
 * links and nothing else.
 */
#ifndef TREE_SCAN_H
#define TREE_SCAN_H

#include <pthread.h>
#include <sys/stat.h>

#include "core/tree/dirs.h"
#include "core/tree/links.h"
#include "core/tree/model.h"
#include "core/tree/xattrs.h"

/* A directory that is known and not yet read. */
struct scan_pending {
	struct tree_node *dir;
	uint64_t device, inode;
	uint64_t mtime_ns, ctime_ns; /* modulo 2^64; when it was met */
};

struct scan {
	const char *path; /* of the source, as given */
	const struct tree_scan_options *options;
	struct tree *tree;
	uint64_t mount_id; /* of the source */
	uid_t uid;         /* that reads */

	pthread_mutex_t lock; /* guards all that follows */
	pthread_cond_t changed;
	struct scan_pending *pending;
	size_t pending_count, pending_room;
	unsigned int busy; /* workers that are reading a directory */
	struct links links;
	struct error *error;
	bool failed;
};

struct scan_worker {
	struct scan *scan;
	struct tree *part; /* where its nodes come from, later a part of the tree */
	struct dirs dirs;
	struct xattrs xattrs;
	char *records; /* of a directory */
	char *target;  /* of a symbolic link */
	size_t target_bytes;
	struct scan_pending *found; /* subdirectories of the directory that it reads */
	size_t found_count, found_room;
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

/* "cannot WHAT SOURCE/DIR/NAME: reason". Returns -code. */
int scan_fail(struct scan *scan, const struct scan_entry *entry, int code, const char *what);

/* scan_entry.c: reads entry->stat. */
int scan_stat(struct scan *scan, struct scan_entry *entry);
/* Tells mounts apart. */
uint64_t scan_mount_id(const struct scan_entry *entry);
/* Fills the node from the entry: attributes, target, segments, extended attributes. */
int scan_fill_node(struct scan_worker *worker, const struct scan_entry *entry,
		   struct tree_node *node);
/* Notes a directory that is to be read. */
int scan_add_found(struct scan_worker *worker, const struct scan_entry *entry,
		   struct tree_node *dir);

/* scan_segments.c: the data segments of a regular file, in the way of options->holes. */
int scan_segments(struct scan_worker *worker, const struct scan_entry *entry,
		  struct tree_node *node);

#endif
