/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend cannot store is marked while the tree is judged, and taken out at the end. */
#include <errno.h>
#include <string.h>

#include "core/base/cancel.h"
#include "core/tree/model.h"
#include "lib/acl.h"

#define NSEC_PER_SEC UINT64_C(1000000000)

int tree_mark(struct tree *tree, const struct kataimg_node *marked, enum tree_drop what,
	      uint64_t item)
{
	struct tree_node *node = tree_node(marked);
	struct tree_marked_xattr *xattr;

	node->marks |= (uint8_t)(1u << what);
	if (what == TREE_DROP_FINE_TIME)
		tree->marked_granularity_nsec = item;
	if (what != TREE_DROP_XATTR)
		return 0;
	xattr = arena_array(&tree->pending, 1, sizeof(*xattr));
	if (!xattr)
		return -ENOMEM;
	*xattr = (struct tree_marked_xattr){ tree->marked_xattrs, node, (uint32_t)item };
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
	struct kataimg_xattr *xattrs = tree_xattrs(node);
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
	for (uint32_t i = 0; i < dir->pub.entry_count; i++)
		if (!keeps_entry(dir, &dir->pub.entries[i]))
			tree_remove_entry(dir, i);
}

static int drop_holes(struct tree *tree, struct tree_node *node)
{
	const struct kataimg_segment all = { 0, node->pub.size };

	return tree_set_segments(tree, node, &all, 1);
}

static void cut_time(struct kataimg_node *node, uint64_t granularity)
{
	int64_t step = (int64_t)(granularity / NSEC_PER_SEC), over;

	if (granularity < NSEC_PER_SEC) {
		node->mtime_nsec -= node->mtime_nsec % (uint32_t)granularity;
		return;
	}
	node->mtime_nsec = 0;
	over = node->mtime_sec % step;
	node->mtime_sec -= over;
	/* A time before 1970 goes down, too, unless there is nothing below. */
	if (over < 0 && node->mtime_sec >= INT64_MIN + step)
		node->mtime_sec -= step;
}

static uint16_t plain_mode(const struct kataimg_node *node)
{
	if (node->mode & 07000)
		return node->mode & 0777;
	if (node->type == KATAIMG_LNK)
		return 0777;
	return node->type == KATAIMG_DIR || node->mode & 0111 ? 0755 : 0644;
}

bool tree_can_drop(const struct kataimg_node *node, enum tree_drop what)
{
	if (what == TREE_DROP_XATTRS)
		return node->xattr_count > 0;
	if (what == TREE_DROP_OWNER)
		return node->uid != 0 || node->gid != 0;
	return what == TREE_DROP_MODE ? node->mode != plain_mode(node) : true;
}

static void drop_attributes(struct tree *tree, struct tree_node *node)
{
	if (is_marked(node, TREE_DROP_XATTR) || is_marked(node, TREE_DROP_XATTRS))
		drop_xattrs(node);
	if (is_marked(node, TREE_DROP_FINE_TIME))
		cut_time(&node->pub, tree->marked_granularity_nsec);
	if (is_marked(node, TREE_DROP_OWNER))
		node->pub.uid = node->pub.gid = 0;
	if (is_marked(node, TREE_DROP_MODE))
		node->pub.mode = plain_mode(&node->pub);
}

int tree_drop_marked(struct tree *tree, struct error *error)
{
	int ret = 0;

	for (struct tree_marked_xattr *at = tree->marked_xattrs; at; at = at->next)
		drop_xattr(at->node, &tree_xattrs(at->node)[at->item]);
	tree->marked_xattrs = NULL;
	arena_free(&tree->pending);
	for (uint64_t i = 0; i < tree->pub.node_count; i++)
		drop_entries(tree_node(tree->nodes[i]));
	for (uint64_t i = 0; ret == 0 && i < tree->pub.node_count; i++) {
		struct tree_node *node = tree_node(tree->nodes[i]);

		drop_attributes(tree, node);
		if (is_marked(node, TREE_DROP_HOLES))
			ret = drop_holes(tree, node);
		node->marks = 0;
		if (ret == 0 && cancel_requested())
			return cancel_check(error);
	}
	return ret < 0 ? error_nomem(error) : tree_finish(tree, error);
}
