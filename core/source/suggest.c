/* SPDX-License-Identifier: Apache-2.0 */
/* What a tree that is no root filesystem may be instead, as its names tell. */
#include <string.h>
#include <sys/stat.h>

#include "core/source/source.h"
#include "core/tree/find.h"

static const struct kataimg_node *find(const struct kataimg_node *dir, const char *name)
{
	const struct kataimg_entry *entry = tree_find_entry(dir, name, strlen(name));

	return entry ? entry->node : NULL;
}

static bool has_file(const struct kataimg_node *dir, const char *name)
{
	const struct kataimg_node *node = find(dir, name);

	return node && node->type == KATAIMG_REG;
}

/* A directory that could be a root filesystem's. */
static bool is_root(const struct kataimg_node *dir)
{
	static const char *const names[] = { "usr", "sbin", "etc" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (dir->type == KATAIMG_DIR && find(dir, names[i]))
			return true;
	return false;
}

/* The one directory that all is in, or that a runtime's bundle has beside its configuration. */
static const struct kataimg_entry *inner_root(const struct kataimg_node *root)
{
	const struct kataimg_entry *entry = NULL;

	if (root->entry_count == 1)
		entry = &root->entries[0];
	else if (has_file(root, "config.json"))
		entry = tree_find_entry(root, "rootfs", strlen("rootfs"));
	return entry && is_root(entry->node) ? entry : NULL;
}

/* The prefix for what an image is kept in; NULL: it is none. */
static const char *image_prefix(const struct kataimg_node *root, bool is_directory)
{
	if (!is_directory && has_file(root, "manifest.json"))
		return "docker-archive:";
	if (!has_file(root, "oci-layout") || !has_file(root, "index.json"))
		return NULL;
	return is_directory ? "oci:" : "oci-archive:";
}

int source_suggest(const char *source, const struct tree *tree, struct error *error)
{
	const struct kataimg_node *root = tree_public(tree)->nodes[0];
	struct stat st;
	bool is_directory = stat(source, &st) == 0 && S_ISDIR(st.st_mode);
	const char *prefix = image_prefix(root, is_directory);
	const struct kataimg_entry *inner = inner_root(root);

	if (source_kind_by_prefix(source))
		return -error->code;
	if (prefix && strcmp(source, "-") == 0)
		return error_append(error,
				    "; it is a container image: save it to a file, and give "
				    "%sFILE as the source",
				    prefix);
	if (prefix)
		return error_append(error, "; %s is a container image: did you mean %s%s?", source,
				    prefix, source);
	if (inner && is_directory)
		return error_append(error, "; did you mean %s/%s?", source, inner->name);
	if (inner)
		return error_append(error,
				    "; all of it is in %s/: was it made with tar -C %s -cf FILE .?",
				    inner->name, inner->name);
	return -error->code;
}
