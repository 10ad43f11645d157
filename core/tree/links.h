/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the node of an inode that has several names, by device and inode number. */
#ifndef TREE_LINKS_H
#define TREE_LINKS_H

#include <stdint.h>

#include "lib/array.h"
#include "lib/hashtable.h"

struct tree_node;

struct link {
	uint64_t device, inode;
	struct tree_node *node;
};

struct links {
	ARRAY(struct link) all;
	struct hashtable by_inode; /* their numbers */
};

struct tree_node *links_find(const struct links *links, uint64_t device, uint64_t inode);
int links_add(struct links *links, uint64_t device, uint64_t inode,
	      struct tree_node *node); /* or -ENOMEM */
void links_free(struct links *links);

#endif
