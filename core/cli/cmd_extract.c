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
	struct extract_target target; /* or ... */
	struct output *output;        /* ... where it goes; NULL: standard output */
};

/* ---- To a directory ---- */

static struct extract_options options_of(const struct request *request)
{
	const struct cli *cli = request->cli;

	return (struct extract_options){ .source = cli->argument,
					 .threads = request->threads,
					 .force = cli->force,
					 .partial = cli->more.count > 0,
					 .progress = progress_bytes,
					 .progress_arg = request->progress };
}

static int open_directory(struct request *request, struct error *error)
{
	const struct extract_options options = options_of(request);

	return extract_target_open(&request->target, request->cli->directory, &options, error);
}

static int to_directory(const struct request *request, struct error *error)
{
	const struct extract_options options = options_of(request);

	return extract_to_directory(request->tree, &request->target, &options, error);
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

static int to_file(const struct request *request, struct error *error)
{
	struct output *output = request->output;
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

static int open_file(struct request *request, struct error *error)
{
	const char *path = request->cli->archive;
	autofree char *source = source_path(request->cli->argument);

	if (!source)
		return error_nomem(error);
	if (!request->cli->force && access(path, F_OK) == 0)
		return error_set(error, EEXIST, "%s is there already: --force replaces it", path);
	return output_open("the archive", path, source, &request->output, error);
}

/* ---- */

static int open_target(struct request *request, struct error *error)
{
	if (request->cli->directory)
		return open_directory(request, error);
	return strcmp(request->cli->archive, "-") == 0 ? 0 : open_file(request, error);
}

static int extract(const struct request *request, struct error *error)
{
	const struct cli *cli = request->cli;
	if (cli->directory)
		return to_directory(request, error);
	return request->output ? to_file(request, error) : to_stream(request, stdout, error);
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

/* What is read comes into reach when there is no other place left that it could reach. */
static int confine(const struct request *request, struct error *error)
{
	const struct cli *cli = request->cli;
	const struct cli_places places = { .sources = { cli->argument },
					   .count = 1,
					   .made = cli->directory,
					   .file = request->output ? output_path(request->output)
								   : NULL };

	return cli_confine(cli, &places, error);
}

static int run(struct request *request, struct error *error)
{
	const struct cli *cli = request->cli;
	int ret;

	progress_stage(request->progress, "read");
	meter_listen(progress_meter, request->progress);
	ret = cli_read_source(cli, cli->argument, cli->more.count > 0, &request->tree, error);
	meter_listen(NULL, NULL);
	if (ret == 0)
		ret = tree_select(request->tree, cli->more.items, cli->more.count, error);
	if (ret < 0)
		extract_target_give_up(&request->target);
	progress_stage(request->progress, "extract");
	if (ret == 0)
		ret = extract(request, error);
	progress_finish(request->progress);
	return ret;
}

int cmd_extract(const struct cli *cli, struct error *error)
{
	struct progress *progress autocall(cleanup_progress_free) =
		progress_new(cli_passing_progress_mode(cli));
	struct request request = { .cli = cli, .progress = progress, .target = EXTRACT_NO_TARGET };
	int ret = progress ? check_target(cli, error) : error_nomem(error);

	if (ret == 0)
		ret = cli_threads(cli, &request.threads, error);
	if (ret == 0)
		ret = open_target(&request, error);
	if (ret == 0)
		ret = confine(&request, error);
	if (ret == 0)
		ret = run(&request, error);
	tree_free(request.tree);
	output_close(request.output);
	extract_target_close(&request.target);
	return ret;
}
