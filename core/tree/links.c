/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/links.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#define FIRST_ROOM 256

/* Fibonacci hashing: inode numbers of one directory are often neighbours. */
static size_t hash(uint64_t device, uint64_t inode)
{
	return (size_t)((inode ^ device << 32) * UINT64_C(0x9E3779B97F4A7C15) >> 20);
}

static struct link_slot *find_slot(const struct links *links, uint64_t device, uint64_t inode)
{
	size_t at = hash(device, inode) & (links->room - 1);

	while (links->slots[at].node &&
	       (links->slots[at].device != device || links->slots[at].inode != inode))
		at = (at + 1) & (links->room - 1);
	return &links->slots[at];
}

struct tree_node *links_find(const struct links *links, uint64_t device, uint64_t inode)
{
	return links->room ? find_slot(links, device, inode)->node : NULL;
}

static int grow(struct links *links)
{
	struct links larger = { .room = links->room ? 2 * links->room : FIRST_ROOM,
				.count = links->count };

	larger.slots = calloc(larger.room, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < links->room; i++)
		if (links->slots[i].node)
			*find_slot(&larger, links->slots[i].device, links->slots[i].inode) =
				links->slots[i];
	free(links->slots);
	*links = larger;
	return 0;
}

int links_add(struct links *links, uint64_t device, uint64_t inode, struct tree_node *node)
{
	int ret = 2 * links->count >= links->room ? grow(links) : 0;

	if (ret < 0)
		return ret;
	*find_slot(links, device, inode) = (struct link_slot){ device, inode, node };
	links->count++;
	return 0;
}

void links_free(struct links *links)
{
	free(links->slots);
	*links = (struct links){ 0 };
}
