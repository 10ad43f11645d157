/* SPDX-License-Identifier: Apache-2.0 */
#include "core/builder/private.h"
#include "core/format/dax.h"
#include "core/format/mbr.h"

struct host_range build_window(const struct build *build)
{
	return (struct host_range){
		.fd = output_fd(build->output),
		.offset_bytes = build->geometry.partitions[0].start_bytes,
		.len_bytes = build->geometry.window_bytes,
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
	return session_write(build->session, tree_public(build->tree), build->geometry.window_bytes,
			     error);
}

static void copy_progress(void *arg, uint64_t done, uint64_t total)
{
	progress_update(arg, PROGRESS_BYTES, done, total);
}

static int copy_data(struct build *build, struct error *error)
{
	const struct copy_options options = {
		.threads = build->options->threads,
		.reflink = build->options->reflink,
		.writeback = build->options->sync,
		.progress = copy_progress,
		.progress_arg = build->progress,
	};

	progress_stage(build->progress, "copy");
	return copy_run(build->copy, output_fd(build->output), &options, &build->copied, error);
}

static int write_mbr(struct build *build, uint64_t base_bytes, struct error *error)
{
	uint8_t mbr[MBR_BYTES];
	int ret = mbr_encode(&build->geometry, base_bytes, mbr, error);

	return ret < 0 ? ret : output_write(build->output, mbr, sizeof(mbr), base_bytes, error);
}

static int write_tables(struct build *build, struct error *error)
{
	uint8_t info[DAX_INFO_BYTES];
	int ret;

	progress_stage(build->progress, "tables");
	ret = write_mbr(build, 0, error);
	if (ret < 0 || !build->geometry.dax)
		return ret;
	ret = write_mbr(build, DAX_HEADER_BYTES, error);
	if (ret < 0)
		return ret;
	dax_encode(info);
	return output_write(build->output, info, sizeof(info), DAX_INFO_OFFSET, error);
}

int build_write(struct build *build, struct error *error)
{
	int ret = output_create(build->output, build->geometry.image_bytes, error);

	if (ret == 0)
		ret = write_filesystem(build, error);
	if (ret == 0)
		ret = copy_data(build, error);
	if (ret == 0)
		ret = write_tables(build, error);
	return ret;
}
