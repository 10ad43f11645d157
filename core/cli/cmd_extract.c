/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/archive/create.h"
#include "core/cli/cli.h"
#include "core/extract/extract.h"
#include "core/image/output.h"
#include "core/image/publish.h"
#include "core/source/source.h"
#include "core/tree/select.h"

struct request {
	const struct cli *cli;
	struct tree *tree;
	struct progress *progress;
	unsigned int threads;
};

static int to_directory(const struct request *request, struct error *error)
{
	const struct cli *cli = request->cli;
	const struct extract_options options = { .source = cli->argument,
						 .threads = request->threads,
						 .force = cli->force,
						 .partial = cli->more.count > 0,
						 .progress = progress_bytes,
						 .progress_arg = request->progress };

	return extract_to_directory(request->tree, cli->directory, &options, error);
}

/* ---- To an archive ---- */

static int to_stream(const struct request *request, FILE *out, struct error *error)
{
	const struct cli *cli = request->cli;
	const struct archive_create_options options = { .compression = archive_compression_of(
								cli->archive),
							.threads = request->threads,
							.partial = cli->more.count > 0,
							.progress = progress_bytes,
							.progress_arg = request->progress };

	return archive_create(request->tree, out, &options, error);
}

static int to_output(const struct request *request, struct output *output, struct error *error)
{
	const struct publish_item item = { .output = output };
	autoclose int fd = -1;
	FILE *out;
	int ret = output_create(output, 0, error);

	if (ret < 0)
		return ret;
	fd = dup(output_fd(output));
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out)
		return error_errno(error, errno, "%s", output_path(output));
	steal_fd(&fd);
	ret = to_stream(request, out, error);
	if (fclose(out) != 0 && ret == 0)
		ret = error_errno(error, errno, "cannot write %s", output_path(output));
	return ret < 0 ? ret : publish(&item, 1, false, error);
}

static int to_file(const struct request *request, struct error *error)
{
	const char *path = request->cli->archive;
	struct output *output autocall(cleanup_output_close) = NULL;
	autofree char *source = source_path(request->cli->argument);
	int ret;

	if (!source)
		return error_nomem(error);
	if (!request->cli->force && access(path, F_OK) == 0)
		return error_set(error, EEXIST, "%s is there already: --force replaces it", path);
	ret = output_open("the archive", path, source, &output, error);
	return ret < 0 ? ret : to_output(request, output, error);
}

static int extract(const struct request *request, struct error *error)
{
	const struct cli *cli = request->cli;
	int ret = tree_select(request->tree, cli->more.items, cli->more.count, error);

	if (ret < 0)
		return ret;
	if (cli->directory)
		return to_directory(request, error);
	return strcmp(cli->archive, "-") == 0 ? to_stream(request, stdout, error)
					      : to_file(request, error);
}

static int check_target(const struct cli *cli, struct error *error)
{
	if (!cli->directory == !cli->archive)
		return error_usage(error, "extract needs -C DIR or -o FILE, and one of them");
	if (cli->archive && archive_compression_of(cli->archive) == ARCHIVE_UNKNOWN)
		return error_usage(error,
				   "--output %s: its name ends in none of .tar, .tar.gz, .tar.zst "
				   "and .tar.xz",
				   cli->archive);
	if (cli->archive && strcmp(cli->archive, "-") == 0 && isatty(STDOUT_FILENO))
		return error_usage(error, "--output -: no archive is written to a terminal");
	return 0;
}

int cmd_extract(const struct cli *cli, struct error *error)
{
	struct progress *progress autocall(cleanup_progress_free) =
		progress_new(cli_passing_progress_mode(cli));
	struct request request = { .cli = cli, .progress = progress };
	int ret = progress ? check_target(cli, error) : error_nomem(error);

	if (ret == 0)
		ret = cli_threads(cli, &request.threads, error);
	if (ret < 0)
		return ret;
	progress_stage(progress, "read");
	meter_listen(progress_meter, progress);
	ret = cli_read_source(cli, cli->argument, cli->more.count > 0, &request.tree, error);
	meter_listen(NULL, NULL);
	progress_stage(progress, "extract");
	if (ret == 0)
		ret = extract(&request, error);
	progress_finish(progress);
	tree_free(request.tree);
	return ret;
}
