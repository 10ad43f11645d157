/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the node of an inode that has several names: a hash table by device and inode number. */
#ifndef TREE_LINKS_H
#define TREE_LINKS_H

#include <stddef.h>
#include <sys/types.h>

struct tree_node;

struct link_slot {
	dev_t dev;
	ino_t ino;
	struct tree_node *node; /* NULL: free */
};

struct links {
	struct link_slot *slots; /* a power of two of them, at most half of them taken */
	size_t room, count;
};

struct tree_node *links_find(const struct links *links, dev_t dev, ino_t ino);
int links_add(struct links *links, dev_t dev, ino_t ino, struct tree_node *node); /* or -ENOMEM */
void links_free(struct links *links);

#endif
