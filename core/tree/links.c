/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/links.h"

#include <errno.h>

/* Fibonacci hashing: inode numbers of one directory are often neighbours. */
static uint32_t hash(uint64_t device, uint64_t inode)
{
	return (uint32_t)((inode ^ device << 32) * UINT64_C(0x9E3779B97F4A7C15) >> 32);
}

struct tree_node *links_find(const struct links *links, uint64_t device, uint64_t inode)
{
	size_t step = 0;
	uint32_t number;

	while (hashtable_next(&links->by_inode, hash(device, inode), &step, &number)) {
		const struct link *link = &links->all.items[number];

		if (link->device == device && link->inode == inode)
			return link->node;
	}
	return NULL;
}

int links_add(struct links *links, uint64_t device, uint64_t inode, struct tree_node *node)
{
	struct link *link = array_add(&links->all);

	if (!link)
		return -ENOMEM;
	*link = (struct link){ device, inode, node };
	return hashtable_put(&links->by_inode, hash(device, inode),
			     (uint32_t)(links->all.count - 1));
}

void links_free(struct links *links)
{
	array_free(&links->all);
	hashtable_free(&links->by_inode);
}
