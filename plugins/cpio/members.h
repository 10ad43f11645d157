/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The members of a tree's archive, in their order, and where they are: every name of every node, a
 * directory before what is in it, otherwise sorted as the tree is. The root comes first, as ".".
 *
 * What a file with several names holds comes with the last of them: the kernel, like cpio(1), makes
 * the file at the first, a link at each that follows, and has the data when it is there. Symbolic
 * links have their target at each name; the kernel makes another link of each.
 */
#ifndef CPIO_MEMBERS_H
#define CPIO_MEMBERS_H

#include "lib/array.h"
#include "plugins/cpio/format.h"
#include "plugins/cpio/header.h"

struct cpio_member {
	const struct kataimg_node *node;
	const char *path;    /* until the next member is asked for */
	uint32_t path_bytes; /* with the NUL */
	uint32_t data_bytes;
	uint64_t header_off; /* in the archive; the path follows the header */
	uint64_t data_off;
	uint64_t end; /* where the next member is */
};

struct cpio_members {
	const struct kataimg_tree *tree;
	uint64_t next_off;
	uint32_t *names_left; /* by node index: of those that have more than one */
	ARRAY(char) path;
	ARRAY(struct cpio_frame) frames; /* the directories that we are in */
	bool begun;
};

/* -ENOMEM. */
int cpio_members_begin(struct cpio_members *members, const struct kataimg_tree *tree);
/* 1, or 0 at the end, which has no trailer: next_off is where it goes. -ENOMEM; -EOVERFLOW: the
 * archive is larger than a number can say. */
int cpio_members_next(struct cpio_members *members, struct cpio_member *member);
void cpio_members_end(struct cpio_members *members);

/* Where things go that follow each other. */
uint64_t cpio_data_off(uint64_t header_off, uint64_t path_bytes);
/* The whole archive: its trailer is at trailer_off. */
uint64_t cpio_archive_bytes(uint64_t trailer_off);

#endif
