/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image that is replaced may have been measured, and its root hash lie beside it in a file that
 * this build does not write: because it measures nothing, or names its file otherwise. That file
 * would stand beside the new image and speak of another one. It is told by the old image's hash
 * tree, so that the root hash of no other image is taken for it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/builder/private.h"
#include "core/inspect/measured.h"

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

/* *path: of the file that the image at fd is measured by, to be freed; NULL when there is none. */
static int find_hash_file(int fd, const char *image, char **path, struct error *error)
{
	const struct inspect_probe probe = { .probe = know_all };
	struct inspection inspection;
	int ret = inspect_fd(fd, &probe, &inspection, error);

	if (ret == 0)
		ret = measured_find(fd, image, &inspection, error);
	if (ret == 0)
		*path = steal_ptr(&inspection.hash_tree.file);
	inspect_clear(&inspection);
	return ret;
}

int build_find_replaced(const struct build *build, struct output **replaced, struct error *error)
{
	const char *image = output_path(build->output);
	autoerror struct error unreadable = ERROR_INIT;
	autoclose int fd = inspect_open(image, &unreadable);
	autofree char *path = NULL;
	int ret = 0;

	/* An image that nobody can read here is no image of ours, or there is none. */
	if (fd >= 0)
		ret = find_hash_file(fd, image, &path, &unreadable);
	if (ret == -ENOMEM)
		return error_nomem(error);
	if (ret < 0 || !path ||
	    (build->hash_file && strcmp(output_path(build->hash_file), path) == 0))
		return 0;
	return output_open("the replaced image's root hash", path, NULL, replaced, error);
}
