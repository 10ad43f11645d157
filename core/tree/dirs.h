/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors of a source's directories, the most recently used ones kept open, so that files are
 * opened by their last name, at any depth and without a limit on the path. One thread.
 */
#ifndef TREE_DIRS_H
#define TREE_DIRS_H

#include <stdbool.h>
#include <stddef.h>

#include "kataimg/backend.h"
#include "lib/array.h"

#define DIRS_SLOTS 8

struct dirs {
	int root_fd; /* not owned */
	unsigned int clock;
	struct {
		const struct kataimg_node *dir; /* NULL: free */
		int fd;
		unsigned int used;
	} slots[DIRS_SLOTS];
	ARRAY(const struct kataimg_node *) missing; /* the way down */
	bool steps_only;                            /* the kernel has no openat2(2) */
};

void dirs_init(struct dirs *dirs, int root_fd);
void dirs_release(struct dirs *dirs);

/* A descriptor of dir, good for *at() calls until the next call; or -errno. Links are not
 * followed. */
int dirs_get(struct dirs *dirs, const struct kataimg_node *dir);

/* Hands over a descriptor of dir that the caller has opened. */
void dirs_put(struct dirs *dirs, const struct kataimg_node *dir, int fd);

#endif
