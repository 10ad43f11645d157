/* SPDX-License-Identifier: Apache-2.0 */
#include "core/source/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/reader/image.h"
#include "core/tree/exclude.h"

bool source_is_relative(const char *source, size_t *prefix_len)
{
	const struct source_kind *kind = source_kind_by_prefix(source);

	*prefix_len = kind ? strlen(kind->prefix) : 0;
	return strcmp(source, "-") != 0 && (!kind || kind->read) && source[*prefix_len] != '/';
}

char *source_path(const char *source)
{
	const struct source_kind *kind = source_kind_by_prefix(source);

	return kind && kind->read ? kind->file(source + strlen(kind->prefix)) : strdup(source);
}

static bool is_image(const struct source_kind *kind)
{
	return kind && kind->read == image_read_tree;
}

int source_refuse_as_file(const char *name, struct error *error)
{
	const struct source_kind *kind = source_kind_by_prefix(name);
	struct stat st;

	if (!kind || stat(name, &st) == 0)
		return 0;
	if (is_image(kind))
		return error_usage(error, "%s: give the image's file alone, without %s in front",
				   name, kind->prefix);
	if (!kind->refuse_as_file)
		return error_usage(error, "%s: give the file of an image, which no %s is", name,
				   kind->prefix);
	kind->refuse_as_file(name + strlen(kind->prefix), error);
	return error_prefix(error, "%s", name);
}

int source_recognise(const char *source, const struct backend_search *backends,
		     unsigned int partition, char **recognised, struct error *error)
{
	const struct source_kind *kind = source_kind_by_prefix(source);
	int is = kind || strcmp(source, "-") == 0 ? 0 : image_is(source, backends);

	if (is < 0)
		return error_nomem(error);
	if (!is && !is_image(kind) && partition)
		return error_usage(error, "--partition %u: %s is no image", partition, source);
	if (asprintf(recognised, "%s%s", is ? "image:" : "", source) < 0)
		return error_nomem(error);
	return 0;
}

static int read_prefixed(const struct source_kind *kind, const char *source,
			 const struct tree_options *options, struct tree **tree,
			 struct error *error)
{
	autofree char *path = source_path(source);
	struct stat st;
	int ret;

	if (!path)
		return error_nomem(error);
	if (stat(path, &st) < 0)
		return error_errno(error, errno, "cannot read the source %s%s", kind->prefix, path);
	ret = kind->read(source + strlen(kind->prefix), options, tree, error);
	return ret < 0 ? error_prefix(error, "%s", source) : 0;
}

int source_fail_absent(const struct source_kind *kind, const char *source, struct error *error)
{
	return error_set(error, EINVAL, kind->advice, source);
}

static int read_kind(const struct source_kind *kind, const char *source,
		     const struct tree_options *options, struct tree **tree, struct error *error)
{
	if (!kind->read) {
		source_fail_absent(kind, source, error);
		return error_prefix(error, "%s", source);
	}
	return kind->prefix ? read_prefixed(kind, source, options, tree, error)
			    : kind->read(source, options, tree, error);
}

bool source_reads_filtered(const char *source)
{
	return source_kind_of(source)->excludes;
}

static void take_count(struct source_filter *filter, const struct tree_excluder *excluder)
{
	tree_excluder_warn(excluder);
	filter->excluded = tree_excluder_count(excluder);
}

int source_exclude(struct tree *tree, struct source_filter *filter, struct error *error)
{
	struct tree_excluder *excluder autocall(cleanup_tree_excluder_free) = NULL;
	int ret = tree_excluder_new(filter->patterns, filter->count, &excluder, error);

	if (ret == 0)
		ret = tree_exclude(tree, excluder, error);
	if (ret == 0)
		take_count(filter, excluder);
	return ret;
}

static int read_filtered(const struct source_kind *kind, const char *source,
			 const struct tree_options *options, struct source_filter *filter,
			 struct tree **tree, struct error *error)
{
	struct tree_excluder *excluder autocall(cleanup_tree_excluder_free) = NULL;
	struct tree_options own = *options;
	int ret = tree_excluder_new(filter->patterns, filter->count, &excluder, error);

	own.excluder = excluder;
	if (ret == 0)
		ret = read_kind(kind, source, &own, tree, error);
	if (ret == 0)
		take_count(filter, excluder);
	return ret;
}

/*
 * What is excluded may be unreadable, so that a directory is read without it. All other sources
 * lose it when they are complete: what is excluded may be what a link leads to on the way.
 */
int source_read(const char *source, const struct tree_options *options,
		struct source_filter *filter, struct tree **result, struct error *error)
{
	const struct source_kind *kind = source_kind_of(source);
	struct tree *tree = NULL;
	int ret;

	if (kind->excludes)
		return read_filtered(kind, source, options, filter, result, error);
	ret = read_kind(kind, source, options, &tree, error);
	if (ret == 0)
		ret = source_exclude(tree, filter, error);
	if (ret < 0)
		tree_free(tree);
	else
		*result = tree;
	return ret;
}
