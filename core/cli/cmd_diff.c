/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "core/cli/cli.h"
#include "core/diff/diff.h"

/* What the exit code says, without a word: it was all printed. */
static int judge(bool equal, struct error *error)
{
	if (equal)
		return 0;
	error->kind = ERROR_DIFFERS;
	return error_set(error, ENODATA, "they differ");
}

static int compare_blocks(const struct cli *cli, const struct diff_options *options,
			  struct error *error)
{
	const char *a = cli->argument, *b = cli->more.items[0];
	uint64_t first = 0, count;
	struct diff_blocks blocks;
	int ret = diff_blocks_run(a, b, options, &blocks, error);

	if (ret == 0 && cli->json)
		ret = diff_print_json(a, b, NULL, &blocks, stdout, error);
	else if (ret == 0)
		diff_blocks_print(&blocks, stdout);
	if (ret == 0)
		ret = judge(!diff_blocks_next(&blocks, &first, &count), error);
	diff_blocks_free(&blocks);
	return ret;
}

static int compare_trees(const struct cli *cli, const struct diff_options *options,
			 const struct tree *a, const struct tree *b, struct error *error)
{
	struct diff diff;
	int ret = diff_run(a, b, options, &diff, error);

	if (ret == 0 && cli->json)
		ret = diff_print_json(cli->argument, cli->more.items[0], &diff, NULL, stdout,
				      error);
	else if (ret == 0)
		ret = diff_print(&diff, stdout, error);
	if (ret == 0)
		ret = judge(diff.items.count == 0, error);
	diff_free(&diff);
	return ret;
}

static int compare_sources(const struct cli *cli, const struct diff_options *options,
			   struct progress *progress, struct error *error)
{
	struct tree *a = NULL, *b = NULL;
	int ret;

	progress_stage(progress, "read");
	meter_listen(progress_meter, progress);
	ret = cli_read_source(cli, cli->argument, false, &a, error);
	if (ret == 0)
		ret = cli_read_source(cli, cli->more.items[0], false, &b, error);
	meter_listen(NULL, NULL);
	progress_stage(progress, "compare");
	if (ret == 0)
		ret = compare_trees(cli, options, a, b, error);
	progress_finish(progress);
	tree_free(a);
	tree_free(b);
	return ret;
}

int cmd_diff(const struct cli *cli, struct error *error)
{
	struct progress *progress autocall(cleanup_progress_free) =
		progress_new(cli_passing_progress_mode(cli));
	struct diff_options options = { .progress = progress_bytes, .progress_arg = progress };
	const struct cli_places places = { .sources = { cli->argument, cli->more.items[0] },
					   .count = 2 };
	int ret = progress ? cli_threads(cli, &options.threads, error) : error_nomem(error);

	if (ret == 0)
		ret = cli_confine(cli, &places, error);
	if (ret < 0)
		return ret;
	return cli->blocks ? compare_blocks(cli, &options, error)
			   : compare_sources(cli, &options, progress, error);
}
