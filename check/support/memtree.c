/* SPDX-License-Identifier: Apache-2.0 */
#include "check/support/memtree.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "check/support/must.h"
#include "core/tree/edit.h"
#include "core/tree/find.h"
#include "lib/array.h"
#include "lib/byteorder.h"
#include "lib/cleanup.h"

/* Where a file's bytes begin among all that the decoder gives: each file, or pattern, has a number
 * and so many bits for its offsets. Numbers of files come behind those of patterns. */
#define OFFSET_BITS 46
#define FIRST_FILE (UINT64_C(1) << 16)

struct hole {
	struct tree_node *file;
	uint64_t off, len;
};

struct memtree {
	struct memtree *next; /* of all there are */
	struct tree *tree;
	struct tree_edit *edit; /* NULL: nothing was added since memtree_finish */
	int source;
	ARRAY(uint8_t *) files;
	ARRAY(struct hole) holes; /* until memtree_finish */
};

/* By its root a node's memtree is found. */
static struct memtree *all;
static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;

static struct memtree *memtree_of(const struct kataimg_node *node)
{
	struct memtree *tree;

	while (node->parent != node)
		node = node->parent;
	pthread_mutex_lock(&all_lock);
	for (tree = all; tree && &tree_root(tree->tree)->pub != node; tree = tree->next)
		;
	pthread_mutex_unlock(&all_lock);
	must(tree);
	return tree;
}

/* Any function does that makes neighbouring words, offsets and patterns differ. */
static le64 pattern_word(uint64_t pattern, uint64_t index)
{
	uint64_t word = (index + 1) * UINT64_C(0x9e3779b97f4a7c15) + pattern;

	return to_le64((word ^ (word >> 31)) * UINT64_C(0xbf58476d1ce4e5b9));
}

static void put_pattern(uint64_t pattern, uint64_t off, uint8_t *bytes, size_t len)
{
	while (len > 0) {
		le64 word = pattern_word(pattern, off / sizeof(word));
		size_t skip = off % sizeof(word);
		size_t some = len < sizeof(word) - skip ? len : sizeof(word) - skip;

		memcpy(bytes, (const uint8_t *)&word + skip, some);
		bytes += some;
		off += some;
		len -= some;
	}
}

static int read_bytes(void *arg, uint64_t off, void *buf, size_t len, struct error *error)
{
	const struct memtree *tree = arg;
	uint64_t number = off >> OFFSET_BITS;
	uint8_t *bytes = buf;

	(void)error;
	off &= (UINT64_C(1) << OFFSET_BITS) - 1;
	if (number >= FIRST_FILE) {
		memcpy(bytes, tree->files.items[number - FIRST_FILE] + off, len);
		return 0;
	}
	put_pattern(number, off, bytes, len);
	return 0;
}

static void free_nothing(void *arg)
{
	(void)arg;
}

struct memtree *memtree_new(void)
{
	struct memtree *tree = must_calloc(1, sizeof(*tree));
	const struct tree_decoder decoder = { read_bytes, free_nothing, tree };
	int source = memfd_create("memtree", MFD_CLOEXEC);

	must(source >= 0);
	tree->tree = tree_new_implied();
	must(tree->tree);
	tree_root(tree->tree)->implied = 0;
	tree_root(tree->tree)->pub.mtime_sec = MEMTREE_MTIME;
	tree->source = tree_add_decoded(tree->tree, source, &decoder);
	must(tree->source >= 0);
	tree->edit = tree_edit_new(tree->tree);
	must(tree->edit);
	pthread_mutex_lock(&all_lock);
	tree->next = all;
	all = tree;
	pthread_mutex_unlock(&all_lock);
	return tree;
}

void memtree_free(struct memtree *tree)
{
	struct memtree **at = &all;

	if (!tree)
		return;
	pthread_mutex_lock(&all_lock);
	while (*at != tree)
		at = &(*at)->next;
	*at = tree->next;
	pthread_mutex_unlock(&all_lock);
	tree_edit_free(tree->edit);
	tree_free(tree->tree);
	for (size_t i = 0; i < tree->files.count; i++)
		free(tree->files.items[i]);
	array_free(&tree->files);
	array_free(&tree->holes);
	free(tree);
}

struct kataimg_node *memtree_root(struct memtree *tree)
{
	return &tree_root(tree->tree)->pub;
}

void memtree_add_link(struct kataimg_node *dir, const char *name, struct kataimg_node *node)
{
	struct memtree *tree = memtree_of(dir);

	if (!tree->edit)
		tree->edit = tree_edit_new(tree->tree);
	must(tree->edit);
	must(tree_edit_put(tree->edit, tree_node(dir), name, strlen(name), tree_node(node)) == 0);
}

static struct tree_node *add(struct kataimg_node *dir, const char *name, enum kataimg_type type,
			     uint16_t mode)
{
	struct tree_node *node = tree_add_node(memtree_of(dir)->tree, type);

	must(node);
	node->pub.mode = mode;
	node->pub.mtime_sec = MEMTREE_MTIME;
	node->pub.parent = dir; /* for memtree_of; memtree_finish says it anew */
	memtree_add_link(dir, name, &node->pub);
	return node;
}

struct kataimg_node *memtree_add_dir(struct kataimg_node *dir, const char *name)
{
	return &add(dir, name, KATAIMG_DIR, 0755)->pub;
}

static struct kataimg_node *add_regular(struct kataimg_node *dir, const char *name, uint64_t size,
					uint64_t number)
{
	const struct tree_range all_of_it = { 0, size, number << OFFSET_BITS };
	struct tree_node *node = add(dir, name, KATAIMG_REG, 0644);
	struct memtree *tree = memtree_of(dir);

	must(size < UINT64_C(1) << OFFSET_BITS);
	must(tree_set_ranges(tree->tree, node, tree->source, size, &all_of_it, size > 0,
			     TREE_DECODED_OFF) == 0);
	return &node->pub;
}

struct kataimg_node *memtree_add_pattern(struct kataimg_node *dir, const char *name, uint64_t size,
					 uint64_t pattern)
{
	must(pattern < FIRST_FILE);
	return add_regular(dir, name, size, pattern);
}

struct kataimg_node *memtree_add_file(struct kataimg_node *dir, const char *name,
				      const void *content, size_t len)
{
	struct memtree *tree = memtree_of(dir);
	uint8_t **bytes = array_add(&tree->files);

	must(bytes);
	*bytes = must_memdup(content, len);
	return add_regular(dir, name, len, FIRST_FILE + tree->files.count - 1);
}

struct kataimg_node *memtree_add_numbers(struct kataimg_node *dir, const char *name, size_t len,
					 unsigned int number)
{
	autofree char *text = malloc(len + 16); /* the last line may be longer */

	must(text);
	for (size_t at = 0; at < len;)
		at += (size_t)sprintf(text + at, "%u\n", number++);
	return memtree_add_file(dir, name, text, len);
}

void memtree_punch_hole(struct kataimg_node *file, uint64_t off, uint64_t len)
{
	struct hole *hole = array_add(&memtree_of(file)->holes);

	must(hole && off % KATAIMG_HOLE_BYTES == 0);
	must(len % KATAIMG_HOLE_BYTES == 0 || off + len == file->size);
	*hole = (struct hole){ tree_node(file), off, len };
}

struct kataimg_node *memtree_add_symlink(struct kataimg_node *dir, const char *name,
					 const char *target)
{
	struct tree_node *node = add(dir, name, KATAIMG_LNK, 0777);

	must(tree_set_target(memtree_of(dir)->tree, node, target, strlen(target)) == 0);
	return &node->pub;
}

struct kataimg_node *memtree_add_special(struct kataimg_node *dir, const char *name,
					 enum kataimg_type type)
{
	return &add(dir, name, type, 0600)->pub;
}

struct kataimg_node *memtree_add_device(struct kataimg_node *dir, const char *name,
					enum kataimg_type type, uint32_t major, uint32_t minor)
{
	struct kataimg_node *node = memtree_add_special(dir, name, type);

	node->rdev_major = major;
	node->rdev_minor = minor;
	return node;
}

void memtree_set_xattr(struct kataimg_node *node, const char *name, const void *value, size_t len)
{
	struct arena *arena = tree_arena(memtree_of(node)->tree);
	struct kataimg_xattr *xattrs = arena_array(arena, node->xattr_count + 1, sizeof(*xattrs));

	must(xattrs);
	if (node->xattr_count)
		memcpy(xattrs, node->xattrs, node->xattr_count * sizeof(*xattrs));
	xattrs[node->xattr_count] = (struct kataimg_xattr){
		.name = arena_text(arena, name, strlen(name)),
		.name_len = (uint32_t)strlen(name),
		.value = arena_text(arena, value, len),
		.value_len = (uint32_t)len,
	};
	must(xattrs[node->xattr_count].name && xattrs[node->xattr_count].value);
	tree_set_xattrs(tree_node(node), xattrs, node->xattr_count + 1);
}

/* What is left of a file between its holes. */
struct ranges {
	uint64_t source_off; /* of the file's first byte */
	ARRAY(struct tree_range) list;
};

static void add_range(struct ranges *ranges, uint64_t start, uint64_t end)
{
	struct tree_range *range;

	must(start <= end);
	if (start == end)
		return;
	range = array_add(&ranges->list);
	must(range);
	*range = (struct tree_range){ start, end - start, ranges->source_off + start };
}

/* All holes of the first one's file, which come one after the other. Returns how many. */
static size_t punch(struct memtree *tree, const struct hole *holes, size_t count)
{
	struct tree_node *file = holes[0].file;
	struct ranges ranges = { .source_off = tree_source_off(&file->pub) };
	uint64_t at = 0;
	size_t done = 0;

	for (; done < count && holes[done].file == file; done++) {
		add_range(&ranges, at, holes[done].off);
		at = holes[done].off + holes[done].len;
	}
	add_range(&ranges, at, file->pub.size);
	must(tree_set_ranges(tree->tree, file, tree->source, file->pub.size, ranges.list.items,
			     (uint32_t)ranges.list.count, 0) == 0);
	array_free(&ranges.list);
	return done;
}

const struct kataimg_tree *memtree_finish(struct memtree *tree)
{
	autoerror struct error error = ERROR_INIT;

	for (size_t i = 0; i < tree->holes.count;)
		i += punch(tree, &tree->holes.items[i], tree->holes.count - i);
	array_free(&tree->holes);
	if (tree->edit)
		must(tree_edit_finish(tree->edit, &error) == 0);
	tree_edit_free(steal_ptr(&tree->edit));
	return tree_public(tree->tree);
}

struct tree *memtree_core(struct memtree *tree)
{
	memtree_finish(tree);
	return tree->tree;
}

const struct kataimg_node *memtree_find(const struct memtree *tree, const char *path)
{
	int code;

	return tree_resolve_link(tree->tree, path, &code);
}

int memtree_read(const struct kataimg_node *node, uint64_t off, void *buf, size_t len)
{
	autoerror struct error error = ERROR_INIT;

	return tree_read(memtree_of(node)->tree, node, off, buf, len, &error);
}

static void add_sample_files(struct kataimg_node *root)
{
	struct kataimg_node *usr = memtree_add_dir(root, "usr");
	struct kataimg_node *big = memtree_add_pattern(usr, "big", (5 << 20) + 123, 1);
	struct kataimg_node *sparse = memtree_add_pattern(usr, "sparse", 9 << 20, 2);
	struct kataimg_node *setuid = memtree_add_file(usr, "setuid", "#!/bin/sh\n", 10);

	memtree_punch_hole(sparse, 4096, 3 << 20);
	memtree_punch_hole(sparse, 8 << 20, 1 << 20);
	memtree_add_file(usr, "empty", "", 0);
	memtree_add_link(root, "big-link", big);
	setuid->mode = 04755;
	setuid->uid = 100000;
	setuid->gid = 4000000000u;
	memtree_set_xattr(setuid, "security.capability", "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
			  20);
	memtree_set_xattr(setuid, "user.comment", "hello", 5);
}

static void add_sample_specials(struct kataimg_node *root)
{
	struct kataimg_node *dev = memtree_add_dir(root, "dev");
	struct kataimg_node *link = memtree_add_symlink(root, "sbin", "usr/sbin");
	char target[201];

	memset(target, 't', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	memtree_add_symlink(root, "slow-link", target);
	memtree_add_link(dev, "hard-to-symlink", link);
	memtree_add_device(dev, "null", KATAIMG_CHR, 1, 3);
	memtree_add_device(dev, "disk", KATAIMG_BLK, 259, 70000);
	memtree_add_special(dev, "fifo", KATAIMG_FIFO);
	memtree_add_special(dev, "socket", KATAIMG_SOCK);
}

struct memtree *memtree_new_sample(void)
{
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree), *many;
	char name[32];

	add_sample_files(root);
	add_sample_specials(root);
	memtree_add_dir(root, "tmp")->mode = 01777;
	memtree_add_dir(root, ".hidden")->mtime_nsec = 999999999;
	many = memtree_add_dir(root, "many");
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "name-%d", i);
		memtree_add_pattern(many, name, (uint64_t)i * 37, (uint64_t)i);
	}
	many->mtime_sec = -86400;
	return tree;
}
