/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/cli.h"
#include "core/extract/extract.h"
#include "core/tree/select.h"

static void update_progress(void *arg, uint64_t done, uint64_t total)
{
	progress_update(arg, PROGRESS_BYTES, done, total);
}

static int extract(const struct cli *cli, struct tree *tree, struct progress *progress,
		   struct error *error)
{
	struct extract_options options = { .source = cli->argument,
					   .force = cli->force,
					   .partial = cli->more.count > 0,
					   .progress = update_progress,
					   .progress_arg = progress };
	int ret = cli_threads(cli, &options.threads, error);

	if (ret == 0)
		ret = tree_select(tree, cli->more.items, cli->more.count, error);
	return ret < 0 ? ret : extract_to_directory(tree, cli->directory, &options, error);
}

int cmd_extract(const struct cli *cli, struct error *error)
{
	struct progress *progress autocall(cleanup_progress_free) =
		progress_new(cli_passing_progress_mode(cli));
	struct tree *tree = NULL;
	int ret;

	if (!progress)
		return error_nomem(error);
	if (!cli->directory)
		return error_usage(error, "extract needs -C DIR");
	progress_stage(progress, "read");
	ret = cli_read_source(cli, cli->argument, cli->more.count > 0, &tree, error);
	progress_stage(progress, "extract");
	if (ret == 0)
		ret = extract(cli, tree, progress, error);
	progress_finish(progress);
	tree_free(tree);
	return ret;
}
