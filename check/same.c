/* SPDX-License-Identifier: Apache-2.0 */
#include "check/same.h"

#include <inttypes.h>
#include <string.h>

#include "check/check.h"
#include "core/tree/reader.h"

#define PATH_BYTES 256
#define CHUNK_BYTES 65536

struct pair {
	const char *occasion;
	const struct tree *made_tree, *found_tree;
	const struct kataimg_node *made, *found;
	bool holes;
};

#define differ(pair, fmt, ...)                      \
	check_fail("%s: %s " fmt, (pair)->occasion, \
		   tree_path((pair)->made, (char[PATH_BYTES]){ "" }, PATH_BYTES), __VA_ARGS__)

static int compare_attributes(const struct pair *pair)
{
	const struct kataimg_node *made = pair->made, *found = pair->found;

	if (found->type != made->type || found->mode != made->mode)
		return differ(pair, "has type %u and mode %04o, not %u and %04o", found->type,
			      found->mode, made->type, made->mode);
	if (found->uid != made->uid || found->gid != made->gid)
		return differ(pair, "belongs to %u:%u, not %u:%u", found->uid, found->gid,
			      made->uid, made->gid);
	if (found->mtime_sec != made->mtime_sec || found->mtime_nsec != made->mtime_nsec)
		return differ(pair, "was modified at %" PRId64 ".%09u, not at %" PRId64 ".%09u",
			      found->mtime_sec, found->mtime_nsec, made->mtime_sec,
			      made->mtime_nsec);
	if (found->rdev_major != made->rdev_major || found->rdev_minor != made->rdev_minor)
		return differ(pair, "is device %u:%u, not %u:%u", found->rdev_major,
			      found->rdev_minor, made->rdev_major, made->rdev_minor);
	if (found->size != made->size)
		return differ(pair, "has %" PRIu64 " bytes, not %" PRIu64, found->size, made->size);
	if (made->type == KATAIMG_LNK && strcmp(found->target, made->target) != 0)
		return differ(pair, "leads to \"%s\", not to \"%s\"", found->target, made->target);
	return 0;
}

static int compare_xattrs(const struct pair *pair)
{
	const struct kataimg_node *made = pair->made, *found = pair->found;

	if (found->xattr_count != made->xattr_count)
		return differ(pair, "has %u extended attributes, not %u", found->xattr_count,
			      made->xattr_count);
	for (uint32_t i = 0; i < made->xattr_count; i++) {
		const struct kataimg_xattr *a = &made->xattrs[i], *b = &found->xattrs[i];

		if (strcmp(a->name, b->name) != 0)
			return differ(pair, "has the attribute %s, not %s", b->name, a->name);
		if (a->value_len != b->value_len || memcmp(a->value, b->value, a->value_len) != 0)
			return differ(pair, "has another value of %s", a->name);
	}
	return 0;
}

/* Does the entry give its node the name by which it is numbered? */
static bool is_first(const struct kataimg_node *dir, const struct kataimg_entry *entry)
{
	return entry->node->parent == dir && entry->node->name == entry->name;
}

/* Links: both trees are numbered in the same order, and agree up to here. */
static bool same_node(const struct pair *pair, const struct kataimg_entry *made,
		      const struct kataimg_entry *found)
{
	bool first = is_first(pair->made, made);

	return first == is_first(pair->found, found) &&
	       (first || made->node->index == found->node->index);
}

static int compare_entries(const struct pair *pair)
{
	const struct kataimg_node *made = pair->made, *found = pair->found;

	if (made->entry_count != found->entry_count)
		return differ(pair, "has %u entries, not %u", found->entry_count,
			      made->entry_count);
	for (uint32_t i = 0; i < made->entry_count; i++) {
		const struct kataimg_entry *a = &made->entries[i], *b = &found->entries[i];

		if (strcmp(a->name, b->name) != 0)
			return differ(pair, "has the entry %s, not %s", b->name, a->name);
		if (!same_node(pair, a, b))
			return differ(pair, "has an entry %s that names another node", a->name);
	}
	return 0;
}

/* A hole may become smaller, by the filesystem's own units, but a large one is not filled. */
static int compare_holes(const struct pair *pair, uint64_t off, uint64_t end)
{
	struct tree_extent extent;
	bool filled = tree_next_extent(pair->found_tree, pair->found, off, end, &extent) &&
		      extent.file_off == off && extent.len == end - off;

	/* What is decoded may hold zeros that cost next to nothing. */
	return filled && extent.source_off < TREE_DECODED_OFF
		       ? differ(pair, "has no hole in [%" PRIu64 ", +%" PRIu64 ")", off, end - off)
		       : 0;
}

static int compare_all_holes(const struct pair *pair)
{
	const struct kataimg_node *made = pair->made;
	uint64_t off = 0;
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < made->segment_count; i++) {
		if (made->segments[i].file_off > off)
			ret = compare_holes(pair, off, made->segments[i].file_off);
		off = made->segments[i].file_off + made->segments[i].len;
	}
	return ret == 0 && off < made->size ? compare_holes(pair, off, made->size) : ret;
}

static int compare_content(const struct pair *pair)
{
	static uint8_t a[CHUNK_BYTES], b[CHUNK_BYTES];
	autoerror struct error error = ERROR_INIT;

	for (uint64_t off = 0; off < pair->made->size; off += CHUNK_BYTES) {
		uint64_t rest = pair->made->size - off;
		size_t len = rest < CHUNK_BYTES ? (size_t)rest : CHUNK_BYTES;

		if (tree_read(pair->made_tree, pair->made, off, a, len, &error) < 0 ||
		    tree_read(pair->found_tree, pair->found, off, b, len, &error) < 0)
			return differ(pair, "cannot be read: %s",
				      error.message ? error.message : "out of memory");
		if (memcmp(a, b, len) != 0)
			return differ(pair, "has other bytes within 64 KiB of byte %" PRIu64, off);
	}
	return pair->holes ? compare_all_holes(pair) : 0;
}

static int compare_nodes(const struct pair *pair)
{
	int ret = compare_attributes(pair);

	if (ret == 0)
		ret = compare_xattrs(pair);
	if (ret == 0 && pair->made->type == KATAIMG_DIR)
		ret = compare_entries(pair);
	return ret == 0 && pair->made->type == KATAIMG_REG ? compare_content(pair) : ret;
}

/* The first difference ends it, so up to there all numbers agree, and both trees have the node. */
int same_trees(const char *occasion, const struct tree *made, const struct tree *found, bool holes)
{
	const struct kataimg_tree *a = tree_public(made), *b = tree_public(found);
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < a->node_count && i < b->node_count; i++) {
		const struct pair pair = { occasion, made, found, a->nodes[i], b->nodes[i], holes };

		ret = compare_nodes(&pair);
	}
	return ret;
}
