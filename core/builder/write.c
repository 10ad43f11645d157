/* SPDX-License-Identifier: Apache-2.0 */
#include "core/builder/private.h"

struct host_range build_window(const struct build *build)
{
	return (struct host_range){
		.fd = build->image_fd,
		.offset_bytes = build->geometry.filesystem.start_bytes,
		.len_bytes = build->geometry.filesystem.len_bytes,
	};
}

static int write_filesystem(struct build *build, struct error *error)
{
	const struct host_range window = build_window(build);

	progress_stage(build->progress, "write");
	build->copy = copy_new(build->tree);
	if (!build->copy)
		return error_nomem(error);
	host_set_window(build->host, HOST_WRITE_WINDOW, &window, build->copy);
	return session_write(build->session, tree_public(build->tree), window.len_bytes, error);
}

static int copy_data(struct build *build, struct error *error)
{
	const struct copy_options options = {
		.threads = build->options->threads,
		.reflink = build->options->reflink,
		.writeback = build->options->sync,
		.progress = progress_bytes,
		.progress_arg = build->progress,
	};

	progress_stage(build->progress, "copy");
	build->has_copied = true;
	return copy_run(build->copy, build->image_fd, &options, &build->copied, error);
}

int build_write(struct build *build, struct error *error)
{
	int ret = build_create_image(build, error);

	if (ret < 0)
		return ret;
	ret = write_filesystem(build, error);
	return ret < 0 ? ret : copy_data(build, error);
}
