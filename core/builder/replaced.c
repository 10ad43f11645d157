/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image that is replaced may have been measured, and its root hash lie beside it in a file that
 * this build does not write: because it measures nothing, or names its file otherwise. That file
 * would stand beside the new image and speak of another one; so would a hash tree and a signature.
 * They are told by the old image's hash tree, so that the root hash of no other image is taken for
 * it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/builder/private.h"
#include "core/inspect/measured.h"
#include "core/inspect/signature.h"

/* What the filesystem is does not matter here. */
static int know_all(void *arg, int fd, uint64_t off, uint64_t len, struct kataimg_fs_info *info,
		    char backend[INSPECT_BACKEND_NAME_BYTES], struct error *error)
{
	(void)arg;
	(void)fd;
	(void)off;
	(void)error;
	info->size_bytes = len;
	*backend = '\0';
	return 0;
}

/* The names of files that go: owned. */
struct replaced {
	char *hash_file, *tree_file, *signature_file; /* NULL: there is none */
};

static void free_replaced(struct replaced *replaced)
{
	free(replaced->hash_file);
	free(replaced->tree_file);
	free(replaced->signature_file);
}

/* Whatever else has the name of a signature stays. */
static int find_signature(const char *image, char **path, struct error *error)
{
	*path = beside_path(image, BESIDE_SIGNATURE);
	if (!*path)
		return error_nomem(error);
	if (!signature_is(*path))
		free(steal_ptr(path));
	return 0;
}

/* What speaks of the image at fd, as its hash tree shows. */
static int find_files(int fd, const char *image, struct replaced *replaced, struct error *error)
{
	const struct inspect_probe probe = { .probe = know_all };
	struct inspect_hash_tree *tree;
	struct inspection inspection;
	int ret = inspect_fd(fd, &probe, &inspection, error);

	tree = &inspection.hash_tree;
	if (ret == 0)
		ret = measured_find(fd, image, &inspection, error);
	if (ret == 0 && inspection.has_hash_tree)
		ret = find_signature(image, &replaced->signature_file, error);
	if (ret == 0 && inspection.has_hash_tree) {
		replaced->hash_file = steal_ptr(&tree->file);
		if (tree->place == HASH_FILE)
			replaced->tree_file = steal_ptr(&tree->tree_file);
	}
	inspect_clear(&inspection);
	return ret;
}

static int open_replaced(const struct build *build, const char *what, const char *path,
			 const struct output *written, struct output **output, struct error *error)
{
	if (!path || (written && strcmp(output_path(written), path) == 0))
		return 0;
	return build_open_output(build->set, what, path, NULL, output, error);
}

int build_find_replaced(const struct build *build, struct output *outputs[BUILD_REPLACED_MAX],
			struct error *error)
{
	const char *image = output_path(build->files[BUILD_IMAGE]);
	struct replaced replaced __attribute__((cleanup(free_replaced))) = { 0 };
	autoerror struct error unreadable = ERROR_INIT;
	autoclose int fd = inspect_open(image, &unreadable);
	int ret = 0;

	/* What speaks of an image in a layout is in there. */
	if (build->place.tag)
		return 0;
	/* An image that nobody can read here is no image of ours, or there is none. */
	if (fd >= 0)
		ret = find_files(fd, image, &replaced, &unreadable);
	if (ret == -ENOMEM)
		return error_nomem(error);
	if (ret < 0)
		return 0;
	ret = open_replaced(build, "the root hash of the image that was replaced",
			    replaced.hash_file, build->files[BUILD_HASH], &outputs[0], error);
	if (ret == 0)
		ret = open_replaced(build, "the hash tree of the image that was replaced",
				    replaced.tree_file, build->files[BUILD_TREE], &outputs[1],
				    error);
	if (ret == 0)
		ret = open_replaced(build, "the signature of the image that was replaced",
				    replaced.signature_file, build->files[BUILD_SIGNATURE],
				    &outputs[2], error);
	return ret;
}
