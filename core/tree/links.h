/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the node of an inode that has several names: a hash table by device and inode number. */
#ifndef TREE_LINKS_H
#define TREE_LINKS_H

#include <stddef.h>
#include <stdint.h>

struct tree_node;

struct link_slot {
	uint64_t device, inode;
	struct tree_node *node; /* NULL: free */
};

struct links {
	struct link_slot *slots; /* a power of two of them, at most half of them taken */
	size_t room, count;
};

struct tree_node *links_find(const struct links *links, uint64_t device, uint64_t inode);
int links_add(struct links *links, uint64_t device, uint64_t inode,
	      struct tree_node *node); /* or -ENOMEM */
void links_free(struct links *links);

#endif
