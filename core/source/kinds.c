/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>

#include "core/archive/archive.h"
#include "core/mtree/mtree.h"
#include "core/oci/oci.h"
#include "core/reader/image.h"
#include "core/source/source.h"

#define COPY_FIRST                                                                    \
	"kataimg fetches nothing: skopeo copy %s oci:DIR:TAG, then give oci:DIR:TAG " \
	"as the source"
#define DOWNLOAD_FIRST                                                                  \
	"kataimg fetches nothing: download %s first, or give - as the source and pipe " \
	"it in"

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_any(const char *path)
{
	(void)path;
	return true;
}

static int read_layout(const char *path, const struct tree_options *options, struct tree **tree,
		       struct error *error)
{
	return oci_read_tree(OCI_LAYOUT, path, options, tree, error);
}

static int read_layout_archive(const char *path, const struct tree_options *options,
			       struct tree **tree, struct error *error)
{
	return oci_read_tree(OCI_LAYOUT_ARCHIVE, path, options, tree, error);
}

static int read_docker_archive(const char *path, const struct tree_options *options,
			       struct tree **tree, struct error *error)
{
	return oci_read_tree(OCI_DOCKER_ARCHIVE, path, options, tree, error);
}

static char *image_file(const char *path)
{
	unsigned int partition;

	return image_file_path(path, &partition);
}

/* Those without a prefix come last, and any path is the last one's. */
static const struct source_kind kinds[] = {
	{ .prefix = "oci:",
	  .file = oci_store_path,
	  .read = read_layout,
	  .refuse_as_file = oci_refuse_as_file },
	{ .prefix = "oci-archive:", .file = oci_store_path, .read = read_layout_archive },
	{ .prefix = "docker-archive:", .file = oci_store_path, .read = read_docker_archive },
	{ .prefix = "image:", .file = image_file, .read = image_read_tree },
	{ .prefix = "docker://", .advice = COPY_FIRST },
	{ .prefix = "docker-daemon:", .advice = COPY_FIRST },
	{ .prefix = "containers-storage:", .advice = COPY_FIRST },
	{ .prefix = "http://", .advice = DOWNLOAD_FIRST },
	{ .prefix = "https://", .advice = DOWNLOAD_FIRST },
	{ .prefix = "ftp://", .advice = DOWNLOAD_FIRST },
	{ .prefix = "file://", .advice = "a source is a path: leave file:// out of %s" },
	{ .matches = is_directory, .read = tree_scan_directory, .excludes = true },
	{ .matches = mtree_is, .read = mtree_read_tree },
	{ .matches = is_any, .read = archive_read_tree },
};

const struct source_kind *source_kind_by_prefix(const char *source)
{
	for (const struct source_kind *kind = kinds; kind->prefix; kind++)
		if (strncmp(source, kind->prefix, strlen(kind->prefix)) == 0)
			return kind;
	return NULL;
}

const struct source_kind *source_kind_of(const char *source)
{
	const struct source_kind *kind = source_kind_by_prefix(source);

	if (kind)
		return kind;
	for (kind = kinds; kind->prefix || !kind->matches(source); kind++)
		;
	return kind;
}
