/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes of one inode: which of them XFS stores under which name, and how they are
 * packed. Three forms: in the inode (short), one leaf block, several leaves under a hash tree.
 * Values that are too large for a leaf go to blocks of their own, behind leaves and tree.
 */
#ifndef XFS_ATTR_H
#define XFS_ATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kataimg/backend.h"
#include "lib/array.h"

#define XFS_ATTR_MAX_NAME 255u
#define XFS_ATTR_MAX_VALUE 65536u

struct xfs_attr {
	const char *name; /* without the namespace; not terminated */
	const void *value;
	uint32_t value_len;
	uint32_t hash;
	uint8_t name_len;
	uint8_t flags; /* the namespace */
};

/* The stored attributes of one inode, in the source's order until xfs_attrs_sort. */
struct xfs_attrs {
	struct xfs_attr *items; /* in the list */
	uint32_t count;
};

/* The stored attributes of many inodes, one inode's behind the other's. All zeros is an empty one.
 * Names and values are the nodes', ACLs belong to the list. */
struct xfs_attr_list {
	ARRAY(struct xfs_attr) items;
	ARRAY(void *) acls; /* in XFS's form */
};

/* Appends those of a node that has passed xfs_attrs_check: items from list->items.count on.
 * -ENOMEM. */
int xfs_attrs_add(struct xfs_attr_list *list, const struct kataimg_node *node);
void xfs_attrs_clear(struct xfs_attr_list *list);

/* Can they all be stored? On false the reason says which cannot, and why. */
bool xfs_attrs_check(const struct kataimg_node *node, char *reason, size_t reason_size);

/* By hash, as leaves want it. */
void xfs_attrs_sort(const struct xfs_attrs *attrs);

/* Bytes of the short form; 0: a value is too long for it. */
uint32_t xfs_attrs_short_bytes(const struct xfs_attrs *attrs);

/* Where the leaf that begins with entry `first` of a sorted list ends. */
uint32_t xfs_attrs_leaf_end(const struct xfs_attrs *attrs, uint32_t first);

/* Bytes of an attribute's record in a leaf. */
uint32_t xfs_attr_record_bytes(const struct xfs_attr *attr);
bool xfs_attr_is_local(const struct xfs_attr *attr);
/* Blocks of its value: 0 when it is local. */
uint32_t xfs_attr_value_blocks(const struct xfs_attr *attr);

/* Leaves of a sorted list, and all blocks of its fork. */
uint32_t xfs_attrs_leaves(const struct xfs_attrs *attrs);
uint64_t xfs_attrs_blocks(const struct xfs_attrs *attrs);

/* The fork in its short form, into zeros. */
void xfs_attrs_pack_short(const struct xfs_attrs *attrs, uint8_t *fork);

#endif
