/* SPDX-License-Identifier: Apache-2.0 */
#include "core/reader/judge.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sort.h"

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_inodes(const void *a, const void *b)
{
	const struct found_inode *x = a, *y = b;

	return compare_numbers(x->id, y->id);
}

static int compare_entries(const void *a, const void *b)
{
	const union found_entry *x = a, *y = b;
	int order = compare_numbers(x->dir, y->dir);

	return order ? order : strcmp(x->name, y->name);
}

static int compare_ranges(const void *a, const void *b)
{
	const struct found_range *x = a, *y = b;
	int order = compare_numbers(x->id, y->id);

	return order ? order : compare_numbers(x->file_off, y->file_off);
}

static int compare_xattrs(const void *a, const void *b)
{
	const struct found_xattr *x = a, *y = b;
	int order = compare_numbers(x->id, y->id);

	return order ? order : strcmp(x->xattr.name, y->xattr.name);
}

#define SORT(array, compare) \
	sort_in_place((array)->items, (array)->count, sizeof(*(array)->items), compare)

struct found_inode *found_inode_of(const struct found *found, uint64_t id)
{
	const struct found_inode key = { .id = id };

	return found->inodes.count ? bsearch(&key, found->inodes.items, found->inodes.count,
					     sizeof(key), compare_inodes)
				   : NULL;
}

static int judge_inodes(struct found *found, struct error *error)
{
	SORT(&found->inodes, compare_inodes);
	for (size_t i = 1; i < found->inodes.count; i++)
		if (found->inodes.items[i].id == found->inodes.items[i - 1].id)
			return error_set(error, EUCLEAN, "there are two inodes %" PRIu64,
					 found->inodes.items[i].id);
	return 0;
}

static bool is_type(const struct found_inode *inode, enum kataimg_type type)
{
	return inode && inode->node->pub.type == type;
}

static int judge_root(struct found *found, struct error *error)
{
	struct found_inode *root = found->has_root ? found_inode_of(found, found->root) : NULL;

	if (!is_type(root, KATAIMG_DIR))
		return error_set(error, EUCLEAN, "it has no root directory");
	tree_root(found->tree)->pub = root->node->pub;
	tree_root(found->tree)->implied = 0;
	root->node = tree_root(found->tree);
	root->node->pub.parent = &root->node->pub;
	return 0;
}

/* dir: the inode that the entry says it is in; NULL: there is none. */
static int judge_entry(struct found *found, const struct found_inode *dir,
		       const union found_entry *entry, struct error *error)
{
	struct found_inode *inode = found_inode_of(found, entry->id);

	if (!is_type(dir, KATAIMG_DIR))
		return error_set(error, EUCLEAN,
				 "the name %s is in inode %" PRIu64 ", which is no directory",
				 entry->name, entry->dir);
	if (!inode)
		return error_set(error, EUCLEAN,
				 "%s in directory %" PRIu64 " is inode %" PRIu64
				 ", which does not exist",
				 entry->name, entry->dir, entry->id);
	if (!is_type(inode, KATAIMG_DIR)) {
		inode->node->pub.name_len++;
		return 0;
	}
	dir->node->pub.name_len++;
	if (inode->node->pub.parent)
		return error_set(error, EUCLEAN, "directory %" PRIu64 " (%s) is in two places",
				 entry->id, entry->name);
	inode->node->pub.parent = &dir->node->pub;
	return 0;
}

static int judge_entries(struct found *found, struct error *error)
{
	const struct found_inode *dir = NULL;

	SORT(&found->entries, compare_entries);
	for (size_t i = 0; i < found->entries.count; i++) {
		const union found_entry *entry = &found->entries.items[i];
		int ret;

		if (i > 0 && compare_entries(entry - 1, entry) == 0)
			return error_set(error, EUCLEAN,
					 "directory %" PRIu64 " has the name %s twice", entry->dir,
					 entry->name);
		if (!dir || dir->id != entry->dir)
			dir = found_inode_of(found, entry->dir);
		ret = judge_entry(found, dir, entry, error);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* What says nothing is 0, and of a directory 1, by which several filesystems say that nobody counts
 * subdirectories. Orphans may have any number. */
static void judge_links(struct found *found)
{
	struct found_odd_links *odd = &found->odd_links;

	for (size_t i = 0; i < found->inodes.count; i++) {
		const struct found_inode *inode = &found->inodes.items[i];
		const struct kataimg_node *node = &inode->node->pub;
		bool is_dir = node->type == KATAIMG_DIR;
		uint32_t is = node->name_len + (is_dir ? 2 : 0);

		if (node->nlink == is || node->nlink == 0 || (is_dir && node->nlink == 1) ||
		    !(is_dir ? node->parent != NULL : is > 0))
			continue;
		*odd = (struct found_odd_links){ odd->count + 1, inode->id, node->nlink, is,
						 inode->node };
	}
}

/* Where one inode's data ends before the next begins, within its size. */
static int judge_range(const struct found *found, const struct found_range *range,
		       const struct found_range *before, struct error *error)
{
	const struct found_inode *inode = found_inode_of(found, range->id);

	if (!is_type(inode, KATAIMG_REG))
		return error_set(error, EUCLEAN,
				 "there is data of inode %" PRIu64 ", which is no file", range->id);
	if (range->file_off + range->len > inode->node->pub.size)
		return error_set(error, EUCLEAN,
				 "inode %" PRIu64 " of %" PRIu64
				 " bytes has data up to byte %" PRIu64,
				 range->id, inode->node->pub.size, range->file_off + range->len);
	if (inode->node->content_kind != TREE_CONTENT_NONE ||
	    (before && before->id == range->id && before->file_off + before->len > range->file_off))
		return error_set(error, EUCLEAN,
				 "inode %" PRIu64 " has byte %" PRIu64 " of its data twice",
				 range->id, range->file_off);
	return 0;
}

static int judge_ranges(struct found *found, struct error *error)
{
	SORT(&found->ranges, compare_ranges);
	for (size_t i = 0; i < found->ranges.count; i++) {
		const struct found_range *range = &found->ranges.items[i];
		int ret = judge_range(found, range, i > 0 ? range - 1 : NULL, error);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int judge_xattrs(struct found *found, struct error *error)
{
	SORT(&found->xattrs, compare_xattrs);
	for (size_t i = 0; i < found->xattrs.count; i++) {
		const struct found_xattr *xattr = &found->xattrs.items[i];

		if (!found_inode_of(found, xattr->id))
			return error_set(error, EUCLEAN,
					 "there is an attribute of inode %" PRIu64
					 ", which does not exist",
					 xattr->id);
		if (i > 0 && compare_xattrs(xattr - 1, xattr) == 0)
			return error_set(error, EUCLEAN,
					 "inode %" PRIu64 " has the attribute %s twice", xattr->id,
					 xattr->xattr.name);
	}
	return 0;
}

int judge_found(struct found *found, struct error *error)
{
	int ret = judge_inodes(found, error);

	if (ret == 0)
		ret = judge_root(found, error);
	if (ret == 0)
		ret = judge_entries(found, error);
	if (ret == 0)
		judge_links(found);
	if (ret == 0)
		ret = judge_ranges(found, error);
	return ret < 0 ? ret : judge_xattrs(found, error);
}
