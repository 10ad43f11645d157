/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/memtree.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/tree/tree.h"
#include "tests/support/must.h"

/* Behind each public node: the growing arrays it points to, and where its bytes come from. */
struct memnode {
	struct kataimg_node node; /* first: the public pointer is this one */
	struct memnode *next;     /* all nodes of the tree, for memtree_free */
	struct memtree *tree;
	struct kataimg_entry *entries;
	struct kataimg_segment *segments;
	struct kataimg_xattr *xattrs;
	uint8_t *content; /* NULL: the pattern */
	uint64_t pattern;
	bool numbered;
};

struct memtree {
	struct kataimg_tree tree;
	struct memnode *all;
	struct memnode *root;
	const struct kataimg_node **nodes;
	uint64_t node_count;
};

static struct memnode *memnode_of(const struct kataimg_node *node)
{
	return (struct memnode *)(uintptr_t)node;
}

/* Arrays grow by doubling: `count` members are in use and one more is wanted. */
static void *grow(void *array, uint32_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	return must_realloc(array, (count ? 2 * (size_t)count : 1) * size);
}

static struct memnode *memnode_new(struct memtree *tree, enum kataimg_type type, uint16_t mode)
{
	struct memnode *memnode = must_calloc(1, sizeof(*memnode));

	memnode->node.type = (uint8_t)type;
	memnode->node.mode = mode;
	memnode->node.mtime_sec = MEMTREE_MTIME;
	memnode->tree = tree;
	memnode->next = tree->all;
	tree->all = memnode;
	tree->node_count++;
	return memnode;
}

static void free_xattrs(struct memnode *memnode)
{
	for (uint32_t i = 0; i < memnode->node.xattr_count; i++) {
		free((char *)(uintptr_t)memnode->xattrs[i].name);
		free((void *)(uintptr_t)memnode->xattrs[i].value);
	}
}

static void memnode_free(struct memnode *memnode)
{
	for (uint32_t i = 0; i < memnode->node.entry_count; i++)
		free((char *)(uintptr_t)memnode->entries[i].name);
	free_xattrs(memnode);
	free((char *)(uintptr_t)memnode->node.target);
	free(memnode->entries);
	free(memnode->segments);
	free(memnode->xattrs);
	free(memnode->content);
	free(memnode);
}

struct memtree *memtree_new(void)
{
	struct memtree *tree = must_calloc(1, sizeof(*tree));

	tree->root = memnode_new(tree, KATAIMG_DIR, 0755);
	tree->root->node.name = "";
	tree->root->node.parent = &tree->root->node;
	return tree;
}

void memtree_free(struct memtree *tree)
{
	struct memnode *memnode, *next;

	if (!tree)
		return;
	for (memnode = tree->all; memnode; memnode = next) {
		next = memnode->next;
		memnode_free(memnode);
	}
	free(tree->nodes);
	free(tree);
}

struct kataimg_node *memtree_root(struct memtree *tree)
{
	return &tree->root->node;
}

void memtree_add_link(struct kataimg_node *dir, const char *name, struct kataimg_node *node)
{
	struct memnode *parent = memnode_of(dir);

	parent->entries = grow(parent->entries, dir->entry_count, sizeof(*parent->entries));
	parent->entries[dir->entry_count++] = (struct kataimg_entry){
		.name = must_strdup(name),
		.name_len = (uint32_t)strlen(name),
		.node = node,
	};
}

static struct memnode *add(struct kataimg_node *dir, const char *name, enum kataimg_type type,
			   uint16_t mode)
{
	struct memnode *memnode = memnode_new(memnode_of(dir)->tree, type, mode);

	memtree_add_link(dir, name, &memnode->node);
	return memnode;
}

struct kataimg_node *memtree_add_dir(struct kataimg_node *dir, const char *name)
{
	return &add(dir, name, KATAIMG_DIR, 0755)->node;
}

static void add_segment(struct memnode *memnode, uint64_t off, uint64_t len)
{
	uint32_t count = memnode->node.segment_count;

	if (len == 0)
		return;
	memnode->segments = grow(memnode->segments, count, sizeof(*memnode->segments));
	memnode->segments[count] = (struct kataimg_segment){ .file_off = off, .len = len };
	memnode->node.segment_count++;
}

static struct memnode *add_regular(struct kataimg_node *dir, const char *name, uint64_t size)
{
	struct memnode *memnode = add(dir, name, KATAIMG_REG, 0644);

	memnode->node.size = size;
	add_segment(memnode, 0, size);
	return memnode;
}

struct kataimg_node *memtree_add_file(struct kataimg_node *dir, const char *name,
				      const void *content, size_t len)
{
	struct memnode *memnode = add_regular(dir, name, len);

	memnode->content = must_memdup(content, len);
	return &memnode->node;
}

struct kataimg_node *memtree_add_pattern(struct kataimg_node *dir, const char *name, uint64_t size,
					 uint64_t pattern)
{
	struct memnode *memnode = add_regular(dir, name, size);

	memnode->pattern = pattern;
	return &memnode->node;
}

void memtree_punch_hole(struct kataimg_node *file, uint64_t off, uint64_t len)
{
	struct memnode *memnode = memnode_of(file);
	struct kataimg_segment *old = memnode->segments;
	uint32_t count = file->segment_count;

	must(off % KATAIMG_HOLE_BYTES == 0);
	must(len % KATAIMG_HOLE_BYTES == 0 || off + len == file->size);
	memnode->segments = NULL;
	file->segment_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t start = old[i].file_off, end = start + old[i].len;

		if (start < off)
			add_segment(memnode, start, (end < off ? end : off) - start);
		if (end > off + len) {
			uint64_t from = start > off + len ? start : off + len;

			add_segment(memnode, from, end - from);
		}
	}
	free(old);
}

struct kataimg_node *memtree_add_symlink(struct kataimg_node *dir, const char *name,
					 const char *target)
{
	struct memnode *memnode = add(dir, name, KATAIMG_LNK, 0777);

	memnode->node.target = must_strdup(target);
	memnode->node.size = strlen(target);
	return &memnode->node;
}

struct kataimg_node *memtree_add_special(struct kataimg_node *dir, const char *name,
					 enum kataimg_type type)
{
	return &add(dir, name, type, 0600)->node;
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
	struct memnode *memnode = memnode_of(node);

	memnode->xattrs = grow(memnode->xattrs, node->xattr_count, sizeof(*memnode->xattrs));
	memnode->xattrs[node->xattr_count++] = (struct kataimg_xattr){
		.name = must_strdup(name),
		.name_len = (uint32_t)strlen(name),
		.value = must_memdup(value, len),
		.value_len = (uint32_t)len,
	};
}

static void remove_entries(struct memnode *dir, const struct kataimg_node *node)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < dir->node.entry_count; i++) {
		if (dir->entries[i].node == node)
			free((char *)(uintptr_t)dir->entries[i].name);
		else
			dir->entries[kept++] = dir->entries[i];
	}
	dir->node.entry_count = kept;
}

/* The node itself stays in the list of all, without a number, until the tree is freed. */
void memtree_remove(const struct kataimg_node *node)
{
	struct memtree *tree = memnode_of(node)->tree;

	must(node != &tree->root->node);
	for (struct memnode *memnode = tree->all; memnode; memnode = memnode->next)
		remove_entries(memnode, node);
}

void memtree_clear_xattrs(struct kataimg_node *node)
{
	free_xattrs(memnode_of(node));
	node->xattr_count = 0;
}

/* strcmp compares as unsigned bytes, which is the order that the contract wants. */
static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct kataimg_entry *)a)->name,
		      ((const struct kataimg_entry *)b)->name);
}

static int compare_xattrs(const void *a, const void *b)
{
	return strcmp(((const struct kataimg_xattr *)a)->name,
		      ((const struct kataimg_xattr *)b)->name);
}

static void sort_and_publish(struct memnode *memnode)
{
	struct kataimg_node *node = &memnode->node;

	if (node->entry_count)
		qsort(memnode->entries, node->entry_count, sizeof(*memnode->entries),
		      compare_entries);
	if (node->xattr_count)
		qsort(memnode->xattrs, node->xattr_count, sizeof(*memnode->xattrs), compare_xattrs);
	node->entries = memnode->entries;
	node->xattrs = memnode->xattrs;
	node->segments = memnode->segments;
	node->nlink = node->type == KATAIMG_DIR ? 2 : 0;
	memnode->numbered = false;
}

static void number_node(struct memtree *tree, struct kataimg_node *node);

static void number_children(struct memtree *tree, struct kataimg_node *dir)
{
	for (uint32_t i = 0; i < dir->entry_count; i++) {
		const struct kataimg_entry *entry = &dir->entries[i];
		struct memnode *child = memnode_of(entry->node);

		if (child->node.type == KATAIMG_DIR)
			dir->nlink++;
		else
			child->node.nlink++;
		if (child->numbered)
			continue;
		child->node.name = entry->name;
		child->node.name_len = entry->name_len;
		child->node.parent = dir;
		number_node(tree, &child->node);
	}
}

static void number_node(struct memtree *tree, struct kataimg_node *node)
{
	node->index = (uint32_t)tree->tree.node_count;
	tree->nodes[tree->tree.node_count++] = node;
	memnode_of(node)->numbered = true;
	number_children(tree, node);
}

const struct kataimg_tree *memtree_finish(struct memtree *tree)
{
	for (struct memnode *memnode = tree->all; memnode; memnode = memnode->next)
		sort_and_publish(memnode);
	tree->nodes = must_realloc(tree->nodes, tree->node_count * sizeof(*tree->nodes));
	tree->tree.struct_size = sizeof(tree->tree);
	tree->tree.nodes = tree->nodes;
	tree->tree.node_count = 0;
	number_node(tree, &tree->root->node);
	return &tree->tree;
}

static const struct kataimg_node *find_entry(const struct kataimg_node *dir, const char *name,
					     size_t len)
{
	for (uint32_t i = 0; i < dir->entry_count; i++)
		if (dir->entries[i].name_len == len && !memcmp(dir->entries[i].name, name, len))
			return dir->entries[i].node;
	return NULL;
}

const struct kataimg_node *memtree_find(const struct memtree *tree, const char *path)
{
	const struct kataimg_node *node = &tree->root->node;

	while (node && *path) {
		size_t len = strcspn(path, "/");

		node = find_entry(node, path, len);
		path += len + (path[len] == '/');
	}
	return node;
}

/* Any function does that makes neighbouring words, offsets and patterns differ. */
static uint8_t pattern_byte(uint64_t pattern, uint64_t off)
{
	uint64_t word = (off / 8 + 1) * UINT64_C(0x9e3779b97f4a7c15) + pattern;

	word = (word ^ (word >> 31)) * UINT64_C(0xbf58476d1ce4e5b9);
	return (uint8_t)(word >> (8 * (off % 8)));
}

static void read_data(const struct memnode *memnode, uint64_t off, uint8_t *buf, size_t len)
{
	if (memnode->content) {
		memcpy(buf, memnode->content + off, len);
		return;
	}
	for (size_t i = 0; i < len; i++)
		buf[i] = pattern_byte(memnode->pattern, off + i);
}

int memtree_read(const struct kataimg_node *node, uint64_t off, void *buf, size_t len)
{
	const struct memnode *memnode = memnode_of(node);

	if (node->type != KATAIMG_REG || off > node->size || len > node->size - off)
		return -ERANGE;
	memset(buf, 0, len);
	for (uint32_t i = 0; i < node->segment_count; i++) {
		uint64_t start = node->segments[i].file_off;
		uint64_t end = start + node->segments[i].len;

		if (start < off)
			start = off;
		if (end > off + len)
			end = off + len;
		if (start < end)
			read_data(memnode, start, (uint8_t *)buf + (start - off),
				  (size_t)(end - start));
	}
	return 0;
}

const char *memtree_path(const struct kataimg_node *node, char *buf, size_t size)
{
	return tree_path(node, buf, size);
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
