/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/exclude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/base/glob.h"
#include "core/base/log.h"
#include "core/tree/model.h"

struct pattern {
	char *text; /* owned; without the '/' in front and at the end */
	bool is_path, only_directories;
	uint64_t matches;
};

struct exclusion {
	struct pattern *patterns;
	size_t count;
	char *path; /* of the entry that is looked at */
	size_t dir_len, room;
};

static int parse_pattern(const char *text, struct pattern *pattern, struct error *error)
{
	size_t len = strlen(text);

	pattern->only_directories = len > 0 && text[len - 1] == '/';
	len -= pattern->only_directories;
	pattern->is_path = memchr(text, '/', len) != NULL;
	if (len > 0 && text[0] == '/') {
		text++;
		len--;
	}
	if (len == 0)
		return error_usage(error, "[tree] exclude: an empty pattern");
	pattern->text = strndup(text, len);
	return pattern->text ? 0 : error_nomem(error);
}

static size_t path_bytes(const struct kataimg_node *node)
{
	size_t bytes = 1;

	for (; node->parent != node; node = node->parent)
		bytes += node->name_len + 1;
	return bytes;
}

/* The path of the directory, with a '/' behind it, and room for any name of its own. */
static int enter(struct exclusion *exclusion, const struct kataimg_node *dir)
{
	size_t longest = 0, bytes = path_bytes(dir);

	for (uint32_t i = 0; i < dir->entry_count; i++)
		if (dir->entries[i].name_len > longest)
			longest = dir->entries[i].name_len;
	if (bytes + longest + 1 > exclusion->room) {
		exclusion->room = 2 * (bytes + longest + 1);
		free(exclusion->path);
		exclusion->path = malloc(exclusion->room);
		if (!exclusion->path)
			return -1;
	}
	exclusion->dir_len = 0;
	if (dir->parent == dir)
		return 0;
	tree_path(dir, exclusion->path, exclusion->room);
	exclusion->dir_len = strlen(exclusion->path);
	exclusion->path[exclusion->dir_len++] = '/';
	return 0;
}

static bool matches(struct exclusion *exclusion, const struct kataimg_entry *entry)
{
	bool found = false;

	memcpy(exclusion->path + exclusion->dir_len, entry->name, entry->name_len + 1);
	for (size_t i = 0; i < exclusion->count; i++) {
		struct pattern *pattern = &exclusion->patterns[i];

		if (pattern->only_directories && entry->node->type != KATAIMG_DIR)
			continue;
		if (!glob_match(pattern->text, pattern->is_path ? exclusion->path : entry->name))
			continue;
		pattern->matches++;
		found = true;
	}
	if (found)
		log_debug("excluded: %s", exclusion->path);
	return found;
}

static int exclude_entries(struct exclusion *exclusion, struct tree_node *dir, uint64_t *excluded)
{
	struct kataimg_entry *entries = (struct kataimg_entry *)dir->pub.entries;

	if (dir->pub.entry_count == 0)
		return 0;
	if (enter(exclusion, &dir->pub) < 0)
		return -1;
	for (uint32_t i = 0; i < dir->pub.entry_count; i++) {
		if (!matches(exclusion, &entries[i]))
			continue;
		/* What is below would be looked at in vain, and be counted. */
		if (entries[i].node->type == KATAIMG_DIR)
			tree_node(entries[i].node)->excluded = 1;
		entries[i].node = NULL;
		dir->edited = 1;
		++*excluded;
	}
	return 0;
}

/* Parents precede their entries in tree order. */
static int exclude_all(struct exclusion *exclusion, struct tree *tree, uint64_t *excluded,
		       struct error *error)
{
	for (uint64_t i = 0; i < tree->pub.node_count; i++) {
		struct tree_node *node = tree_node(tree->nodes[i]);

		if (node->pub.type != KATAIMG_DIR)
			continue;
		if (tree_node(node->pub.parent)->excluded)
			node->excluded = 1;
		if (!node->excluded && exclude_entries(exclusion, node, excluded) < 0)
			return error_nomem(error);
	}
	for (size_t i = 0; i < exclusion->count; i++)
		if (exclusion->patterns[i].matches == 0)
			log_warning("[tree] exclude = %s matches nothing",
				    exclusion->patterns[i].text);
	return *excluded ? tree_finish(tree, error) : 0;
}

int tree_exclude(struct tree *tree, char *const *patterns, size_t count, uint64_t *excluded,
		 struct error *error)
{
	struct exclusion exclusion = { .patterns = calloc(count + 1, sizeof(struct pattern)),
				       .count = count };
	int ret = exclusion.patterns ? 0 : error_nomem(error);

	*excluded = 0;
	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = parse_pattern(patterns[i], &exclusion.patterns[i], error);
	if (ret == 0 && count > 0)
		ret = exclude_all(&exclusion, tree, excluded, error);
	for (size_t i = 0; exclusion.patterns && i < count; i++)
		free(exclusion.patterns[i].text);
	free(exclusion.patterns);
	free(exclusion.path);
	return ret;
}
