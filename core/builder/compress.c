/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image that is compressed is built and verified beside the output, and goes into it last. What
 * is attested goes the other way: what the compressed image unpacks to is compared, so that another
 * version of zlib or libzstd, which would compress to other bytes, tells nothing wrong.
 */
#include <errno.h>
#include <unistd.h>

#include "core/base/io.h"
#include "core/builder/private.h"
#include "core/compress/expand.h"
#include "core/image/unnamed.h"

int build_create_image(struct build *build, struct error *error)
{
	const uint64_t bytes = build->geometry.image_bytes;
	int ret;

	/* In a layout the compressed image is a blob of its own. */
	if (build->config->image.compress == COMPRESS_NONE || build->place.tag) {
		ret = output_create(build->files[BUILD_IMAGE], bytes, error);
		build->image_fd = output_fd(build->files[BUILD_IMAGE]);
		return ret;
	}
	build->raw_fd = build_open_scratch(build);
	if (build->raw_fd < 0 || ftruncate(build->raw_fd, (off_t)bytes) < 0)
		return error_errno(error, build->raw_fd < 0 ? -build->raw_fd : errno,
				   "cannot make a file for the image before it is compressed");
	build->image_fd = build->raw_fd;
	return 0;
}

int build_compress(struct build *build, struct error *error)
{
	struct compress_request request = {
		.form = build->config->image.compress,
		.level = (int)build->config->image.level,
		.threads = build->options->threads,
		.in_fd = build->image_fd,
		.len = build->geometry.image_bytes,
		.in_name = "the image",
		.out_name = output_path(build->files[BUILD_IMAGE]),
		.progress = progress_bytes,
		.progress_arg = build->progress,
	};
	int ret;

	if (request.form == COMPRESS_NONE || build->place.tag)
		return 0;
	progress_stage(build->progress, "compress");
	ret = output_create(build->files[BUILD_IMAGE], 0, error);
	if (ret < 0)
		return ret;
	request.out_fd = output_fd(build->files[BUILD_IMAGE]);
	return compress_run(&request, &build->compressed_bytes, error);
}

static int check_form(enum compress_form wanted, int fd, const char *path, struct error *error)
{
	uint8_t magic[COMPRESS_MAGIC_BYTES];
	int ret = io_pread(fd, magic, sizeof(magic), 0);

	if (ret < 0 && ret != -ENODATA)
		return error_errno(error, -ret, "cannot read %s", path);
	if (ret == 0 && compress_recognise(magic, sizeof(magic)) == wanted)
		return 0;
	return error_set(error, EUCLEAN, "%s is not compressed by %s, as the build makes it", path,
			 compress_form_name(wanted));
}

/* The image's own descriptor is replaced by one of what it unpacks to. */
int build_expand_image(struct build *build, const char *path, struct error *error)
{
	const enum compress_form form = build->config->image.compress;
	autoclose int scratch = -1;
	struct compress_request request = {
		.form = form,
		.in_fd = build->image_fd,
		.in_name = path,
		.out_name = "a file for what the image unpacks to",
		.progress = progress_bytes,
		.progress_arg = build->progress,
	};
	off_t end = lseek(build->image_fd, 0, SEEK_END);
	int ret;

	if (form == COMPRESS_NONE)
		return 0;
	if (end < 0)
		return error_errno(error, errno, "cannot find the size of %s", path);
	ret = check_form(form, build->image_fd, path, error);
	if (ret < 0)
		return ret;
	progress_stage(build->progress, "unpack");
	scratch = unnamed_open(NULL);
	if (scratch < 0)
		return error_errno(error, -scratch, "cannot make %s", request.out_name);
	request.len = (uint64_t)end;
	request.out_fd = scratch;
	ret = compress_expand(&request, build->geometry.image_bytes, NULL, error);
	if (ret < 0)
		return ret;
	close(build->image_fd);
	build->image_fd = steal_fd(&scratch);
	return 0;
}
