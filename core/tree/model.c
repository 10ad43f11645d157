/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/cancel.h"
#include "lib/array.h"
#include "lib/calloc64.h"

struct tree *tree_new(void)
{
	struct tree *tree = calloc(1, sizeof(*tree));

	if (tree)
		tree->readers = calloc(1, sizeof(*tree->readers));
	if (!tree || !tree->readers) {
		free(tree);
		return NULL;
	}
	tree->pub.struct_size = sizeof(tree->pub);
	tree->root_fd = -1;
	pthread_mutex_init(&tree->readers->lock, NULL);
	return tree;
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	if (tree->sharers > 0) {
		tree->sharers--;
		return;
	}
	tree_free_readers(tree->readers);
	if (tree->root_fd >= 0 && !tree->origin)
		close(tree->root_fd);
	tree_free_sources(tree);
	free(tree->nodes);
	free(tree->taken_entries);
	arena_free(&tree->arena);
	arena_free(&tree->pending);
	tree_free(tree->origin);
	free(tree);
}

struct tree *tree_share(struct tree *tree)
{
	tree->sharers++;
	return tree;
}

void tree_absorb(struct tree *tree, struct tree *part)
{
	arena_join(&tree->arena, &part->arena);
	arena_join(&tree->pending, &part->pending);
	tree->all_nodes += part->all_nodes;
	tree->names += part->names;
	part->all_nodes = 0;
	part->names = 0;
	part->root = NULL;
}

const struct kataimg_tree *tree_public(const struct tree *tree)
{
	return &tree->pub;
}

struct arena *tree_arena(struct tree *tree)
{
	return &tree->arena;
}

struct tree_node *tree_root(struct tree *tree)
{
	return tree->root;
}

struct tree_node *tree_add_node(struct tree *tree, enum kataimg_type type)
{
	struct tree_node *node = arena_array(&tree->arena, 1, sizeof(*node));

	if (!node)
		return NULL;
	node->pub.type = (uint8_t)type;
	tree->all_nodes++;
	if (!tree->root)
		tree->root = node;
	return node;
}

static struct tree_name *new_name(struct tree *tree)
{
	struct tree_name *name = tree->spare_names;

	if (!name)
		return arena_array(&tree->pending, 1, sizeof(*name));
	tree->spare_names = name->next;
	return name;
}

int tree_add_name(struct tree *tree, struct tree_node *dir, const char *name, size_t len,
		  struct tree_node *node)
{
	struct tree_name *added = new_name(tree);
	char *copy = arena_text(&tree->arena, name, len);

	if (!added || !copy)
		return -ENOMEM;
	*added = (struct tree_name){ dir->names, node, copy };
	dir->names = added;
	dir->edited = 1;
	tree->names++;
	return 0;
}

void tree_take_entries(struct tree *tree, struct kataimg_entry *entries)
{
	free(tree->taken_entries);
	tree->taken_entries = entries;
}

void tree_set_entries(struct tree *tree, struct tree_node *dir, const struct kataimg_entry *entries,
		      uint32_t count)
{
	dir->pub.entries = entries;
	dir->pub.entry_count = count;
	tree->names += count;
}

int tree_set_target(struct tree *tree, struct tree_node *node, const char *target, size_t len)
{
	node->pub.target = arena_text(&tree->arena, target, len);
	node->pub.size = len;
	return node->pub.target ? 0 : -ENOMEM;
}

static uint64_t block_down(uint64_t off)
{
	return off & ~(uint64_t)(KATAIMG_HOLE_BYTES - 1);
}

/* Rounds up to the next block, but not beyond the end of the file. */
static uint64_t block_up(uint64_t off, uint64_t size)
{
	uint64_t down = block_down(off);

	if (down == off)
		return off;
	return size - down > KATAIMG_HOLE_BYTES ? down + KATAIMG_HOLE_BYTES : size;
}

/* Most files are one segment, and many are of one size: they have it in common. */
static struct kataimg_segment *one_segment(struct tree *tree, const struct kataimg_segment *wanted)
{
	struct kataimg_segment **recent =
		&tree->recent_segments[(wanted->file_off ^ wanted->len) % TREE_RECENT_SEGMENTS];

	struct kataimg_segment *segment = *recent;

	if (segment && segment->file_off == wanted->file_off && segment->len == wanted->len)
		return segment;
	segment = arena_array(&tree->arena, 1, sizeof(*segment));
	if (segment)
		*segment = *wanted;
	*recent = segment;
	return segment;
}

/* To whole blocks, in kept, which has room for count. Returns how many are left. */
static uint32_t normalise(const struct kataimg_segment *segments, uint32_t count, uint64_t size,
			  struct kataimg_segment *kept)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t start = block_down(segments[i].file_off);
		uint64_t end = block_up(segments[i].file_off + segments[i].len, size);

		if (segments[i].len == 0)
			continue;
		if (n > 0 && start <= kept[n - 1].file_off + kept[n - 1].len)
			kept[n - 1].len = end - kept[n - 1].file_off;
		else
			kept[n++] = (struct kataimg_segment){ start, end - start };
	}
	return n;
}

int tree_set_segments(struct tree *tree, struct tree_node *node,
		      const struct kataimg_segment *segments, uint32_t count)
{
	struct kataimg_segment one = { 0, 0 }, *kept = &one;
	uint32_t n;

	if (count > 1)
		kept = arena_array(&tree->arena, count, sizeof(*kept));
	if (!kept)
		return -ENOMEM;
	n = normalise(segments, count, node->pub.size, kept);
	if (n > 0 && count == 1) {
		kept = one_segment(tree, &one);
		if (!kept)
			return -ENOMEM;
	}
	node->pub.segments = n ? kept : NULL;
	node->pub.segment_count = n;
	return 0;
}

static int compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_xattrs(const void *a, const void *b)
{
	const struct kataimg_xattr *x = a, *y = b;

	return compare_bytes(x->name, x->name_len, y->name, y->name_len);
}

void tree_set_xattrs(struct tree_node *node, struct kataimg_xattr *xattrs, uint32_t count)
{
	if (count > 1)
		qsort(xattrs, count, sizeof(*xattrs), compare_xattrs);
	node->pub.xattrs = count ? xattrs : NULL;
	node->pub.xattr_count = count;
}

static int compare_entries(const void *a, const void *b)
{
	const struct kataimg_entry *x = a, *y = b;

	return compare_bytes(x->name, x->name_len, y->name, y->name_len);
}

/* The entries that are left, and room for all names. */
static struct kataimg_entry *keep_entries(struct tree *tree, const struct tree_node *dir,
					  uint32_t *count)
{
	size_t room = dir->pub.entry_count;
	struct kataimg_entry *entries;
	uint32_t kept = 0;

	for (const struct tree_name *name = dir->names; name; name = name->next)
		room++;
	entries = room <= UINT32_MAX ? arena_array(&tree->arena, room, sizeof(*entries)) : NULL;
	for (uint32_t i = 0; entries && i < dir->pub.entry_count; i++)
		if (dir->pub.entries[i].node)
			entries[kept++] = dir->pub.entries[i];
	*count = kept;
	return entries;
}

static void spare_names(struct tree *tree, struct tree_node *dir)
{
	struct tree_name *next;

	for (struct tree_name *name = dir->names; name; name = next) {
		next = name->next;
		name->next = tree->spare_names;
		tree->spare_names = name;
	}
	dir->names = NULL;
}

int tree_sort_directory(struct tree *tree, struct tree_node *dir)
{
	struct kataimg_entry *entries;
	uint32_t kept, count;

	if (!dir->edited)
		return 0;
	entries = keep_entries(tree, dir, &kept);
	if (!entries)
		return -ENOMEM;
	count = kept;
	for (const struct tree_name *name = dir->names; name; name = name->next)
		if (name->node)
			entries[count++] =
				(struct kataimg_entry){ .name = name->name,
							.node = &name->node->pub,
							.name_len = (uint32_t)strlen(name->name) };
	if (count > kept)
		qsort(entries, count, sizeof(*entries), compare_entries);
	spare_names(tree, dir);
	dir->edited = 0;
	dir->pub.entries = count ? entries : NULL;
	dir->pub.entry_count = count;
	return 0;
}

/* Where a walk in tree order stands in one directory. */
struct walk_step {
	struct tree_node *dir;
	uint32_t next;
};

struct walk {
	struct walk_step *items;
	size_t count, room;
};

static int walk_push(struct walk *walk, struct tree_node *dir)
{
	struct walk_step *step = array_add(walk);

	if (!step)
		return -ENOMEM;
	step->dir = dir;
	return 0;
}

static void number_node(struct tree *tree, struct tree_node *node)
{
	node->pub.index = (uint32_t)tree->pub.node_count;
	node->pub.nlink = node->pub.type == KATAIMG_DIR ? 2 : 0;
	node->visited = 1;
	tree->nodes[tree->pub.node_count++] = &node->pub;
}

/* One entry in tree order: its node is numbered where it is met first. */
static int number_entry(struct tree *tree, struct walk *walk, struct tree_node *dir,
			const struct kataimg_entry *entry)
{
	struct tree_node *node = tree_node(entry->node);

	if (cancel_requested())
		return -ECANCELED;
	if (!node->visited) {
		number_node(tree, node);
		node->pub.parent = &dir->pub;
		node->pub.name = entry->name;
		node->pub.name_len = entry->name_len;
	}
	if (node->pub.type != KATAIMG_DIR) {
		node->pub.nlink++;
		return 0;
	}
	dir->pub.nlink++;
	return walk_push(walk, node);
}

static int number_all(struct tree *tree)
{
	struct walk walk = { 0 };
	int ret = walk_push(&walk, tree->root);

	number_node(tree, tree->root);
	if (ret == 0)
		ret = tree_sort_directory(tree, tree->root);
	while (ret == 0 && walk.count > 0) {
		struct walk_step *step = &walk.items[walk.count - 1];
		struct tree_node *dir = step->dir;
		size_t depth = walk.count;

		if (step->next == dir->pub.entry_count) {
			walk.count--;
			continue;
		}
		ret = number_entry(tree, &walk, dir, &dir->pub.entries[step->next++]);
		if (ret == 0 && walk.count > depth)
			ret = tree_sort_directory(tree, walk.items[depth].dir);
	}
	free(walk.items);
	return ret;
}

int tree_finish(struct tree *tree, struct error *error)
{
	struct tree_node *root = tree->root;
	int ret;

	if (tree->all_nodes > UINT32_MAX)
		return error_set(error, EFBIG, "the tree has more than %u files", UINT32_MAX);
	for (uint64_t i = 0; i < tree->pub.node_count; i++)
		tree_node(tree->nodes[i])->visited = 0;
	free(tree->nodes);
	tree->nodes = calloc64(tree->all_nodes, sizeof(*tree->nodes));
	tree->pub.nodes = tree->nodes;
	tree->pub.node_count = 0;
	root->pub.parent = &root->pub;
	root->pub.name = "";
	root->pub.name_len = 0;
	ret = tree->nodes ? number_all(tree) : -ENOMEM;
	arena_free(&tree->pending);
	tree->spare_names = NULL;
	if (ret == -ECANCELED)
		return cancel_check(error);
	return ret < 0 ? error_nomem(error) : 0;
}
