/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend cannot store is marked while the tree is judged, and taken out at the end. */
#include <errno.h>
#include <string.h>

#include "core/base/cancel.h"
#include "core/tree/model.h"
#include "lib/acl.h"

/* The model hands out const; its owner may still change it. */
static struct kataimg_xattr *own_xattrs(struct tree_node *node)
{
	return (struct kataimg_xattr *)node->pub.xattrs;
}

int tree_mark(struct tree *tree, const struct kataimg_node *marked, enum tree_drop what,
	      uint32_t item)
{
	struct tree_node *node = tree_node(marked);
	struct tree_marked_xattr *xattr;

	node->marks |= (uint8_t)(1u << what);
	if (what != TREE_DROP_XATTR)
		return 0;
	xattr = arena_array(&tree->pending, 1, sizeof(*xattr));
	if (!xattr)
		return -ENOMEM;
	*xattr = (struct tree_marked_xattr){ tree->marked_xattrs, node, item };
	tree->marked_xattrs = xattr;
	return 0;
}

static bool is_marked(const struct tree_node *node, enum tree_drop what)
{
	return node->marks & 1u << what;
}

/*
 * A file with an access ACL shows its mask as the group's permissions. Without the ACL they would
 * hold for the owning group, which may have been granted less.
 */
static void mask_group(struct tree_node *node, const struct kataimg_xattr *acl)
{
	unsigned int granted = 7;

	for (size_t i = 0; i < acl_entry_count(acl->value_len); i++) {
		struct acl_entry entry = acl_entry_at(acl->value, i);
		unsigned int tag = from_le16(entry.tag);

		if (tag == ACL_GROUP_OBJ || tag == ACL_MASK)
			granted &= from_le16(entry.perm);
	}
	node->pub.mode &= (uint16_t)(07707 | granted << 3);
}

static void drop_xattr(struct tree_node *node, struct kataimg_xattr *xattr)
{
	if (xattr->name && strcmp(xattr->name, ACL_ACCESS_NAME) == 0)
		mask_group(node, xattr);
	xattr->name = NULL;
}

static void drop_xattrs(struct tree_node *node)
{
	struct kataimg_xattr *xattrs = own_xattrs(node);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < node->pub.xattr_count; i++) {
		if (is_marked(node, TREE_DROP_XATTRS))
			drop_xattr(node, &xattrs[i]);
		if (xattrs[i].name)
			xattrs[kept++] = xattrs[i];
	}
	tree_set_xattrs(node, xattrs, kept);
}

static bool keeps_entry(const struct tree_node *dir, const struct kataimg_entry *entry)
{
	const struct tree_node *node = tree_node(entry->node);
	bool first = node->pub.parent == &dir->pub && node->pub.name == entry->name;

	return !is_marked(node, TREE_DROP_NODE) && (first || !is_marked(node, TREE_DROP_LINKS));
}

static void drop_entries(struct tree_node *dir)
{
	struct kataimg_entry *entries = (struct kataimg_entry *)dir->pub.entries;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < dir->pub.entry_count; i++)
		if (keeps_entry(dir, &entries[i]))
			entries[kept++] = entries[i];
	dir->pub.entry_count = kept;
	dir->pub.entries = kept ? entries : NULL;
}

static int drop_holes(struct tree *tree, struct tree_node *node)
{
	const struct kataimg_segment all = { 0, node->pub.size };

	return tree_set_segments(tree, node, &all, 1);
}

int tree_drop_marked(struct tree *tree, struct error *error)
{
	int ret = 0;

	for (struct tree_marked_xattr *at = tree->marked_xattrs; at; at = at->next)
		drop_xattr(at->node, &own_xattrs(at->node)[at->item]);
	tree->marked_xattrs = NULL;
	arena_free(&tree->pending);
	for (uint64_t i = 0; i < tree->pub.node_count; i++)
		drop_entries(tree_node(tree->nodes[i]));
	for (uint64_t i = 0; ret == 0 && i < tree->pub.node_count; i++) {
		struct tree_node *node = tree_node(tree->nodes[i]);

		if (is_marked(node, TREE_DROP_XATTR) || is_marked(node, TREE_DROP_XATTRS))
			drop_xattrs(node);
		if (is_marked(node, TREE_DROP_NANOSECONDS))
			node->pub.mtime_nsec = 0;
		if (is_marked(node, TREE_DROP_HOLES))
			ret = drop_holes(tree, node);
		node->marks = 0;
		if (ret == 0 && cancel_requested())
			return cancel_check(error);
	}
	return ret < 0 ? error_nomem(error) : tree_renumber(tree, error);
}
