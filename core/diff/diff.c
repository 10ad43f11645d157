/* SPDX-License-Identifier: Apache-2.0 */
/* Two sorted trees, side by side. */
#include "core/diff/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cancel.h"
#include "core/diff/private.h"
#include "lib/calloc64.h"
#include "lib/cleanup.h"

/* Two directories on the way down, or one that the other tree has not got. */
struct level {
	const struct kataimg_node *a, *b; /* one may be NULL */
	uint32_t next_a, next_b;
};

struct walk {
	struct diff *diff;
	ARRAY(struct level) levels;
	uint32_t *job_of; /* owned; by node of a: the last job with it, plus 1 */
};

/* ---- Hard links ---- */

static bool is_first(const struct kataimg_node *dir, const struct kataimg_entry *entry)
{
	const struct kataimg_node *node = entry->node;

	return node->type == KATAIMG_DIR ||
	       (node->parent == dir && node->name_len == entry->name_len &&
		memcmp(node->name, entry->name, entry->name_len) == 0);
}

static bool has_same_path(const struct kataimg_node *a, const struct kataimg_node *b)
{
	while (a->parent != a && b->parent != b) {
		if (a->name_len != b->name_len || memcmp(a->name, b->name, a->name_len) != 0)
			return false;
		a = a->parent;
		b = b->parent;
	}
	return a->parent == a && b->parent == b;
}

static unsigned int diff_links(const struct kataimg_node *a, const struct kataimg_node *b)
{
	if (a->type == KATAIMG_DIR || (a->nlink == 1 && b->nlink == 1))
		return 0;
	return has_same_path(a, b) ? 0 : DIFF_LINK;
}

/* ---- Entries ---- */

/* The number of the pair's job, plus 1; 0: memory is out. Names of one inode share it. */
static uint32_t find_job(struct walk *walk, const struct kataimg_node *a,
			 const struct kataimg_node *b)
{
	struct diff *diff = walk->diff;
	uint32_t job = walk->job_of[a->index];
	struct diff_job *added;

	if (job && diff->jobs.items[job - 1].b == b)
		return job;
	added = array_add(&diff->jobs);
	if (!added)
		return 0;
	*added = (struct diff_job){ .a = a, .b = b };
	return walk->job_of[a->index] = (uint32_t)diff->jobs.count;
}

static int add_item(struct walk *walk, const struct diff_item *item)
{
	const struct kataimg_node *a = item->a, *b = item->b;
	bool reads = a && b && a->type == KATAIMG_REG && b->type == KATAIMG_REG &&
		     a->size == b->size && a->size > 0;
	struct diff_item *added;

	if (a && b && item->bits == 0 && !reads)
		return 0;
	added = array_add(&walk->diff->items);
	if (!added)
		return -ENOMEM;
	*added = *item;
	if (reads)
		added->job = find_job(walk, a, b);
	return reads && !added->job ? -ENOMEM : 0;
}

static int push(struct walk *walk, const struct kataimg_node *a, const struct kataimg_node *b)
{
	struct level *level;

	a = a && a->type == KATAIMG_DIR ? a : NULL;
	b = b && b->type == KATAIMG_DIR ? b : NULL;
	if (!a && !b)
		return 0;
	level = array_add(&walk->levels);
	if (!level)
		return -ENOMEM;
	*level = (struct level){ .a = a, .b = b };
	return 0;
}

static int compare_entries(const struct kataimg_entry *a, const struct kataimg_entry *b)
{
	size_t shorter;
	int order;

	if (!a || !b)
		return a ? -1 : 1;
	shorter = a->name_len < b->name_len ? a->name_len : b->name_len;
	order = memcmp(a->name, b->name, shorter);
	return order ? order : (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

static int take_entries(struct walk *walk, const struct level *level, const struct kataimg_entry *a,
			const struct kataimg_entry *b)
{
	const struct kataimg_node *dir = b ? level->b : level->a;
	const struct kataimg_entry *entry = b ? b : a;
	struct diff_item item = { .a = a ? a->node : NULL,
				  .b = b ? b->node : NULL,
				  .dir = dir,
				  .name = entry->name,
				  .is_link = !is_first(dir, entry) };
	int ret;

	if (a && b)
		item.bits = diff_attributes(item.a, item.b);
	if (a && b && !(item.bits & DIFF_TYPE))
		item.bits |= diff_links(item.a, item.b);
	ret = add_item(walk, &item);
	return ret < 0 ? ret : push(walk, item.a, item.b);
}

static int step(struct walk *walk)
{
	struct level *level = &walk->levels.items[walk->levels.count - 1], now = *level;
	const struct kataimg_entry *a = NULL, *b = NULL;
	int order;

	if (now.a && now.next_a < now.a->entry_count)
		a = &now.a->entries[now.next_a];
	if (now.b && now.next_b < now.b->entry_count)
		b = &now.b->entries[now.next_b];
	if (!a && !b) {
		walk->levels.count--;
		return 0;
	}
	order = compare_entries(a, b);
	level->next_a += order <= 0;
	level->next_b += order >= 0;
	return take_entries(walk, &now, order <= 0 ? a : NULL, order >= 0 ? b : NULL);
}

static int compare_trees(struct walk *walk, struct error *error)
{
	const struct kataimg_node *a = tree_public(walk->diff->a)->nodes[0];
	const struct kataimg_node *b = tree_public(walk->diff->b)->nodes[0];
	const struct diff_item root = { a, b, b, "", false, diff_attributes(a, b), 0 };
	int ret = add_item(walk, &root);

	if (ret == 0)
		ret = push(walk, a, b);
	while (ret == 0 && walk->levels.count > 0) {
		if (cancel_requested())
			return cancel_check(error);
		ret = step(walk);
	}
	return ret < 0 ? error_nomem(error) : 0;
}

/* ---- All of it ---- */

static void drop_equal(struct diff *diff)
{
	size_t kept = 0;

	for (size_t i = 0; i < diff->items.count; i++) {
		struct diff_item item = diff->items.items[i];

		if (item.job && diff->jobs.items[item.job - 1].differs)
			item.bits |= DIFF_CONTENT;
		if (item.a && item.b && !item.bits)
			continue;
		diff->added += !item.a;
		diff->removed += !item.b;
		diff->changed += item.a && item.b;
		diff->items.items[kept++] = item;
	}
	diff->items.count = kept;
}

int diff_run(const struct tree *a, const struct tree *b, const struct diff_options *options,
	     struct diff *diff, struct error *error)
{
	struct walk walk = { .diff = diff };
	int ret;

	*diff = (struct diff){ .a = a, .b = b };
	walk.job_of = calloc64(tree_public(a)->node_count, sizeof(*walk.job_of));
	ret = walk.job_of ? compare_trees(&walk, error) : error_nomem(error);
	free(walk.job_of);
	array_free(&walk.levels);
	if (ret == 0)
		ret = diff_contents(diff, options, error);
	if (ret == 0)
		drop_equal(diff);
	return ret;
}

void diff_free(struct diff *diff)
{
	array_free(&diff->items);
	array_free(&diff->jobs);
}

char *diff_path(const struct diff_item *item)
{
	size_t bytes = strlen(item->name) + 2, len = 0;
	char *path;

	for (const struct kataimg_node *at = item->dir; at->parent != at; at = at->parent)
		bytes += at->name_len + 1;
	path = malloc(bytes);
	if (!path)
		return NULL;
	if (!*item->name) {
		memcpy(path, ".", sizeof("."));
		return path;
	}
	if (item->dir->parent != item->dir) {
		tree_path(item->dir, path, bytes);
		len = strlen(path);
		path[len++] = '/';
	}
	strcpy(path + len, item->name);
	return path;
}
