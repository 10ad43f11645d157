/* SPDX-License-Identifier: Apache-2.0 */
#include "core/oci/oci.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/archive/archive.h"
#include "core/archive/finish.h"
#include "core/oci/layers.h"
#include "core/tree/node.h"

/*
 * Cuts the tag off: what follows the first colon that has an existing file in front of it, or, when
 * there is no such file, the first one.
 */
static const char *split_tag(char *path)
{
	struct stat st;
	char *first = strchr(path, ':');

	if (!first || stat(path, &st) == 0)
		return NULL;
	for (char *colon = first; colon; colon = strchr(colon + 1, ':')) {
		*colon = '\0';
		if (stat(path, &st) == 0)
			return colon + 1;
		*colon = ':';
	}
	*first = '\0';
	return first + 1;
}

char *oci_store_path(const char *source)
{
	char *path = strdup(source);

	if (path)
		split_tag(path);
	return path;
}

static int open_store(enum oci_store kind, const char *path, const struct tree_options *options,
		      struct tree **store, struct error *error)
{
	const struct tree_options plain = { .holes = kind == OCI_LAYOUT ? TREE_HOLES_FILL
									: TREE_HOLES_SOURCE,
					    .threads = 1,
					    .scratch = options->scratch };

	return kind == OCI_LAYOUT ? tree_scan_directory(path, &plain, store, error)
				  : archive_read_tree(path, &plain, store, error);
}

static int read_layers(const struct tree *store, const struct oci_image *image,
		       const struct tree_options *options, struct tree **result,
		       struct error *error)
{
	struct tree *tree = tree_new_implied();
	int ret = tree ? oci_apply_layers(store, image, options, tree, error) : error_nomem(error);

	if (ret == 0)
		ret = archive_finish_tree(tree, options, error);
	if (ret < 0)
		tree_free(tree);
	else
		*result = tree;
	return ret;
}

static int read_image(enum oci_store kind, const struct tree *store,
		      const struct oci_choice *choice, const struct tree_options *options,
		      struct tree **tree, struct error *error)
{
	struct oci_image image = { 0 };
	int ret = kind == OCI_DOCKER_ARCHIVE ? oci_find_in_docker(store, choice, &image, error)
					     : oci_find_in_layout(store, choice, &image, error);

	if (ret == 0)
		ret = read_layers(store, &image, options, tree, error);
	oci_image_free(&image);
	return ret;
}

int oci_read_tree(enum oci_store kind, const char *source, const struct tree_options *options,
		  struct tree **tree, struct error *error)
{
	autofree char *path = strdup(source);
	struct oci_choice choice = {
		.tag = path ? split_tag(path) : NULL,
		.arch = options->arch && *options->arch ? options->arch : NULL,
	};
	struct tree *store = NULL;
	int ret = path ? open_store(kind, path, options, &store, error) : error_nomem(error);

	if (ret == 0)
		ret = read_image(kind, store, &choice, options, tree, error);
	tree_free(store);
	return ret;
}

int oci_refuse_as_file(const char *source, struct error *error)
{
	const struct tree_options options = { 0 };
	autofree char *path = strdup(source);
	const struct oci_choice choice = { .tag = path ? split_tag(path) : NULL };
	struct oci_image image = { 0 };
	struct tree *store = NULL;
	int ret = path ? open_store(OCI_LAYOUT, path, &options, &store, error) : error_nomem(error);

	if (ret == 0)
		ret = oci_find_in_layout(store, &choice, &image, error);
	oci_image_free(&image);
	tree_free(store);
	if (ret < 0)
		return ret;
	return error_set(error, EINVAL,
			 "a container image, not the file of a disk image: kataimg ls and extract "
			 "look into it");
}
