/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/exclude.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cancel.h"
#include "core/base/log.h"
#include "core/base/pathname.h"
#include "core/tree/model.h"
#include "lib/glob.h"

/* Most paths are shorter than this. */
#define PATH_BYTES 1024

struct pattern {
	char *text; /* owned; without the '/' in front and at the end */
	bool is_path, only_directories;
	atomic_bool has_matched;
};

struct tree_excluder {
	struct pattern *patterns; /* owned */
	size_t count;
	bool needs_paths;
	atomic_uint_fast64_t excluded;
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
		return error_usage(error, "an empty pattern");
	pattern->text = strndup(text, len);
	return pattern->text ? 0 : error_nomem(error);
}

int tree_exclude_check(const char *text, struct error *error)
{
	struct pattern pattern;
	int ret = parse_pattern(text, &pattern, error);

	if (ret == 0)
		free(pattern.text);
	return ret;
}

int tree_excluder_new(char *const *patterns, size_t count, struct tree_excluder **result,
		      struct error *error)
{
	struct tree_excluder *excluder autocall(cleanup_tree_excluder_free) =
		calloc(1, sizeof(*excluder));
	int ret = 0;

	if (excluder)
		excluder->patterns = calloc(count + 1, sizeof(*excluder->patterns));
	if (!excluder || !excluder->patterns)
		return error_nomem(error);
	excluder->count = count;
	for (size_t i = 0; ret == 0 && i < count; i++) {
		ret = parse_pattern(patterns[i], &excluder->patterns[i], error);
		excluder->needs_paths |= excluder->patterns[i].is_path;
	}
	if (ret == 0)
		*result = steal_ptr(&excluder);
	return ret;
}

void tree_excluder_free(struct tree_excluder *excluder)
{
	if (!excluder)
		return;
	for (size_t i = 0; excluder->patterns && i < excluder->count; i++)
		free(excluder->patterns[i].text);
	free(excluder->patterns);
	free(excluder);
}

uint64_t tree_excluder_count(const struct tree_excluder *excluder)
{
	return atomic_load(&excluder->excluded);
}

void tree_excluder_warn(const struct tree_excluder *excluder)
{
	for (size_t i = 0; i < excluder->count; i++)
		if (!atomic_load(&excluder->patterns[i].has_matched))
			log_warning("[tree] exclude = %s matches nothing",
				    excluder->patterns[i].text);
}

static bool matches(const struct pattern *pattern, const char *path, const char *name,
		    bool is_directory)
{
	return (is_directory || !pattern->only_directories) &&
	       glob_match(pattern->text, pattern->is_path ? path : name);
}

static bool match_any(const struct tree_excluder *excluder, const char *path, const char *name,
		      bool is_directory)
{
	for (size_t i = 0; i < excluder->count; i++)
		if (matches(&excluder->patterns[i], path, name, is_directory))
			return true;
	return false;
}

static bool match_patterns(struct tree_excluder *excluder, const char *path, const char *name,
			   bool is_directory)
{
	bool found = false;

	for (size_t i = 0; i < excluder->count; i++) {
		struct pattern *pattern = &excluder->patterns[i];

		if (!matches(pattern, path, name, is_directory))
			continue;
		atomic_store(&pattern->has_matched, true);
		found = true;
	}
	return found;
}

static size_t path_bytes(const struct kataimg_node *dir, size_t name_len)
{
	size_t bytes = name_len + 1;

	for (; dir->parent != dir; dir = dir->parent)
		bytes += dir->name_len + 1;
	return bytes;
}

/* The path of a name in dir, from the root. */
static void put_path(const struct kataimg_node *dir, const char *name, char *path, size_t bytes)
{
	size_t len = 0;

	if (dir->parent != dir) {
		tree_path(dir, path, bytes);
		len = strlen(path);
		path[len++] = '/';
	}
	memcpy(path + len, name, strlen(name) + 1);
}

int tree_excluder_matches(struct tree_excluder *excluder, const struct kataimg_node *dir,
			  const char *name, bool is_directory)
{
	char buffer[PATH_BYTES], *path = buffer;
	autofree char *longer = NULL;
	bool found;

	if (excluder->needs_paths) {
		size_t bytes = path_bytes(dir, strlen(name));

		if (bytes > sizeof(buffer))
			path = longer = malloc(bytes);
		if (!path)
			return -ENOMEM;
		put_path(dir, name, path, bytes);
	}
	found = match_patterns(excluder, path, name, is_directory);
	if (found)
		atomic_fetch_add(&excluder->excluded, 1);
	return found;
}

static int exclude_entries(struct tree_excluder *excluder, struct tree_node *dir)
{
	const struct kataimg_entry *entries = dir->pub.entries;

	for (uint32_t i = 0; i < dir->pub.entry_count; i++) {
		bool is_directory = entries[i].node->type == KATAIMG_DIR;
		int matches =
			tree_excluder_matches(excluder, &dir->pub, entries[i].name, is_directory);

		if (matches < 0)
			return matches;
		if (!matches)
			continue;
		/* What is below would be looked at in vain, and be counted. */
		if (is_directory)
			tree_node(entries[i].node)->excluded = 1;
		tree_remove_entry(dir, i);
	}
	return 0;
}

bool tree_excluder_covers(const struct tree_excluder *excluder, const char *path, bool is_directory)
{
	char plain[PATH_MAX];
	char *name = plain;

	if (!pathname_plain(path, plain, sizeof(plain)))
		return false;
	while (*name) {
		size_t len = strcspn(name, "/");
		bool is_last = name[len] == '\0';

		name[len] = '\0';
		if (match_any(excluder, plain, name, is_directory || !is_last))
			return true;
		if (is_last)
			break;
		name[len] = '/';
		name += len + 1;
	}
	return false;
}

/* Parents precede their entries in tree order. */
int tree_exclude(struct tree *tree, struct tree_excluder *excluder, struct error *error)
{
	for (uint64_t i = 0; excluder->count > 0 && i < tree->pub.node_count; i++) {
		struct tree_node *node = tree_node(tree->nodes[i]);

		if (cancel_requested())
			return cancel_check(error);
		if (node->pub.type != KATAIMG_DIR)
			continue;
		if (tree_node(node->pub.parent)->excluded)
			node->excluded = 1;
		if (!node->excluded && exclude_entries(excluder, node) < 0)
			return error_nomem(error);
	}
	return tree_excluder_count(excluder) > 0 ? tree_finish(tree, error) : 0;
}
