/* SPDX-License-Identifier: Apache-2.0 */
#include "core/builder/private.h"
#include "core/format/dax.h"
#include "core/format/mbr.h"

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

static int add_mbr(const struct build *build, uint64_t base_bytes, struct build_table *table,
		   struct error *error)
{
	table->off = base_bytes;
	table->len = MBR_BYTES;
	return mbr_encode(&build->geometry, base_bytes, table->bytes, error);
}

static int add_mbrs(const struct build *build, struct build_table *tables, size_t *count,
		    struct error *error)
{
	int ret = add_mbr(build, 0, &tables[(*count)++], error);

	if (ret < 0 || !build->geometry.dax)
		return ret;
	return add_mbr(build, DAX_HEADER_BYTES, &tables[(*count)++], error);
}

static void add_info_block(struct build_table *table)
{
	table->off = DAX_INFO_OFFSET;
	table->len = DAX_INFO_BYTES;
	dax_encode(table->bytes);
}

int build_make_tables(const struct build *build, struct build_table tables[BUILD_TABLES_MAX],
		      size_t *count, struct error *error)
{
	int ret = 0;

	*count = 0;
	if (build->geometry.table == IMAGE_TABLE_DOS)
		ret = add_mbrs(build, tables, count, error);
	if (ret == 0 && build->geometry.dax)
		add_info_block(&tables[(*count)++]);
	return ret;
}

static int write_tables(struct build *build, struct error *error)
{
	struct build_table tables[BUILD_TABLES_MAX];
	size_t count;
	int ret;

	progress_stage(build->progress, "tables");
	ret = build_make_tables(build, tables, &count, error);
	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = output_write(build->output, tables[i].bytes, tables[i].len, tables[i].off,
				   error);
	return ret;
}

int build_write(struct build *build, struct error *error)
{
	int ret = build_create_image(build, error);

	if (ret < 0)
		return ret;
	ret = write_filesystem(build, error);
	if (ret == 0)
		ret = copy_data(build, error);
	if (ret == 0)
		ret = write_tables(build, error);
	return ret;
}
