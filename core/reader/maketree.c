/* SPDX-License-Identifier: Apache-2.0 */
#include "core/reader/maketree.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "core/reader/judge.h"
#include "core/tree/content.h"

/* How many of `left` items, whose first member is an id, have the first one's. */
static size_t count_alike(const void *first, size_t item_bytes, size_t left)
{
	size_t count = 1;

	while (count < left &&
	       memcmp(first, (const char *)first + count * item_bytes, sizeof(uint64_t)) == 0)
		count++;
	return count;
}

/* Entries are in order: each directory's become the tree's where they are. */
static int give_entries(struct found *found)
{
	union found_entry *items = found->entries.items;
	size_t left = found->entries.count, count;
	struct kataimg_entry *made;

	if (left == 0)
		return 0;
	tree_take_entries(found->tree, &items->made);
	array_forget(&found->entries);
	for (; left > 0; items += count, left -= count) {
		struct tree_node *dir = found_inode_of(found, items->dir)->node;

		count = count_alike(items, sizeof(*items), left);
		if (count > UINT32_MAX)
			return -EOVERFLOW;
		/* One behind the other, which is less far apart where pointers are small. */
		made = &items->made;
		for (size_t i = 0; i < count; i++) {
			const union found_entry item = items[i];

			made[i] = (struct kataimg_entry){
				.name = item.name,
				.node = &found_inode_of(found, item.id)->node->pub,
				.name_len = (uint32_t)strlen(item.name),
			};
		}
		tree_set_entries(found->tree, dir, made, (uint32_t)count);
	}
	return 0;
}

static int give_xattrs(struct found *found)
{
	size_t count;

	for (size_t first = 0; first < found->xattrs.count; first += count) {
		const struct found_xattr *items = &found->xattrs.items[first];
		struct kataimg_xattr *xattrs;

		count = count_alike(items, sizeof(*items), found->xattrs.count - first);
		xattrs = arena_array(tree_arena(found->tree), count, sizeof(*xattrs));
		if (!xattrs)
			return -ENOMEM;
		for (size_t i = 0; i < count; i++)
			xattrs[i] = items[i].xattr;
		tree_set_xattrs(found_inode_of(found, items->id)->node, xattrs, (uint32_t)count);
	}
	array_free(&found->xattrs);
	return 0;
}

/* Where the source has the range: the image's bytes, or behind all of them what is decoded. */
static int source_offset(const struct found_range *range, uint64_t base, struct decoder *decoder,
			 uint64_t *off)
{
	int ret;

	if (!range->decoded) {
		*off = base + range->place;
		return 0;
	}
	ret = decoder_add(decoder, range->place, range->len, off);
	*off += TREE_DECODED_OFF;
	return ret;
}

/* Ranges that go on where the last one ended become one. */
static void add_range(struct tree_range *ranges, uint32_t *count, const struct found_range *found,
		      uint64_t off)
{
	struct tree_range *last = &ranges[*count > 0 ? *count - 1 : 0];

	if (*count > 0 && last->file_off + last->len == found->file_off &&
	    last->source_off + last->len == off)
		last->len += found->len;
	else
		ranges[(*count)++] = (struct tree_range){ found->file_off, found->len, off };
}

static int give_ranges_of(struct found *found, const struct found_range *items, size_t count,
			  int source, uint64_t base, struct decoder *decoder)
{
	autofree struct tree_range *ranges = calloc(count, sizeof(*ranges));
	struct tree_node *node = found_inode_of(found, items->id)->node;
	uint32_t made = 0;

	if (!ranges)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		uint64_t off = 0;
		int ret = source_offset(&items[i], base, decoder, &off);

		if (ret < 0)
			return ret;
		add_range(ranges, &made, &items[i], off);
	}
	return tree_set_ranges(found->tree, node, source, node->pub.size, ranges, made, 0);
}

static int give_ranges(struct found *found, int source, uint64_t base, struct decoder *decoder)
{
	size_t count;

	for (size_t first = 0; first < found->ranges.count; first += count) {
		const struct found_range *items = &found->ranges.items[first];
		int ret;

		count = count_alike(items, sizeof(*items), found->ranges.count - first);
		if (count > UINT32_MAX)
			return -EOVERFLOW;
		ret = give_ranges_of(found, items, count, source, base, decoder);
		if (ret < 0)
			return ret;
	}
	array_free(&found->ranges);
	return 0;
}

/* What was said of files that are one range each. */
static int give_stretches(struct found *found, int source, uint64_t base)
{
	for (size_t i = 0; i < found->inodes.count; i++) {
		struct tree_node *node = found->inodes.items[i].node;
		int ret = 0;

		if (node->pub.type == KATAIMG_REG && node->content_kind == TREE_CONTENT_STRETCH)
			ret = tree_set_stretch(found->tree, node, source, node->pub.size,
					       base + node->content.source_off);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Of all inodes, what check_circles needs. */
static void keep_directories(struct found *found)
{
	size_t kept = 0;

	for (size_t i = 0; i < found->inodes.count; i++)
		if (found->inodes.items[i].node->pub.type == KATAIMG_DIR)
			found->inodes.items[kept++] = found->inodes.items[i];
	found->inodes.count = kept;
	array_trim(&found->inodes);
}

/* A directory that has a name and is not in the tree is its own ancestor. */
static int check_circles(const struct found *found, struct error *error)
{
	for (size_t i = 0; i < found->inodes.count; i++) {
		const struct found_inode *inode = &found->inodes.items[i];

		if (inode->node->pub.parent && !inode->node->visited)
			return error_set(error, EUCLEAN,
					 "directory %" PRIu64 " is in a circle of directories",
					 inode->id);
	}
	return 0;
}

static int fill(struct found *found, int source, uint64_t base, struct decoder *decoder)
{
	int ret = source < 0 ? source : give_stretches(found, source, base);

	if (ret == 0)
		ret = give_ranges(found, source, base, decoder);
	if (ret == 0)
		ret = give_xattrs(found);
	return ret < 0 ? ret : give_entries(found);
}

int maketree(struct found *found, int fd, uint64_t base, struct decoder *decoder,
	     struct error *error)
{
	const struct tree_decoder made = decoder_of_tree(decoder);
	int source = tree_add_decoded(found->tree, fd, &made);
	int ret = fill(found, source, base, decoder);

	if (ret == -ENOMEM)
		return error_nomem(error);
	if (ret < 0)
		return error_errno(error, -ret, "cannot make a tree of the image");
	keep_directories(found);
	ret = tree_finish(found->tree, error);
	return ret < 0 ? ret : check_circles(found, error);
}
