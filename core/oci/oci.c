/* SPDX-License-Identifier: Apache-2.0 */
#include "core/oci/oci.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/archive/finish.h"
#include "core/config/scheme.h"
#include "core/oci/layers.h"
#include "core/tree/model.h"

/* Cuts the tag off: what follows the first colon that has an existing file in front of it. */
static const char *split_tag(char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return NULL;
	for (char *colon = strchr(path, ':'); colon; colon = strchr(colon + 1, ':')) {
		*colon = '\0';
		if (stat(path, &st) == 0)
			return colon + 1;
		*colon = ':';
	}
	return NULL;
}

char *oci_store_path(const char *source)
{
	size_t scheme_len;
	char *path;

	source_scheme_of(source, &scheme_len);
	path = strdup(source + scheme_len);
	if (path)
		split_tag(path);
	return path;
}

static int open_store(enum source_scheme scheme, const char *path,
		      const struct oci_options *options, struct tree **store, struct error *error)
{
	const struct tree_scan_options scan = { .holes = TREE_HOLES_FILL, .threads = 1 };
	struct archive_options archive = options->archive;

	archive.holes = TREE_HOLES_SOURCE;
	return scheme == SOURCE_OCI ? tree_scan_directory(path, &scan, store, error)
				    : archive_read_tree(path, &archive, store, error);
}

static int read_layers(const struct tree *store, const struct oci_image *image,
		       const struct oci_options *options, struct tree **result, struct error *error)
{
	struct tree *tree = tree_new_implied();
	int ret = tree ? oci_apply_layers(store, image, &options->archive.scratch, tree, error)
		       : error_nomem(error);

	if (ret == 0)
		ret = archive_finish_tree(tree, &options->archive, error);
	if (ret < 0)
		tree_free(tree);
	else
		*result = tree;
	return ret;
}

static int read_image(enum source_scheme scheme, const struct tree *store,
		      const struct oci_choice *choice, const struct oci_options *options,
		      struct tree **tree, struct error *error)
{
	struct oci_image image = { 0 };
	int ret = scheme == SOURCE_DOCKER_ARCHIVE
			  ? oci_find_in_docker(store, choice, &image, error)
			  : oci_find_in_layout(store, choice, &image, error);

	if (ret == 0)
		ret = read_layers(store, &image, options, tree, error);
	oci_image_free(&image);
	return ret;
}

int oci_read_tree(const char *source, const struct oci_options *options, struct tree **tree,
		  struct error *error)
{
	size_t scheme_len;
	enum source_scheme scheme = source_scheme_of(source, &scheme_len);
	autofree char *path = strdup(source + scheme_len);
	struct oci_choice choice = {
		.tag = path ? split_tag(path) : NULL,
		.arch = options->arch && *options->arch ? options->arch : NULL,
	};
	struct tree *store = NULL;
	int ret = path ? open_store(scheme, path, options, &store, error) : error_nomem(error);

	if (ret < 0)
		return ret;
	ret = read_image(scheme, store, &choice, options, tree, error);
	tree_free(store);
	return ret < 0 ? error_prefix(error, "%s", source) : 0;
}
