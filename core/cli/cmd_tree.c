/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "core/build/source.h"
#include "core/cli/cli.h"
#include "core/image/output.h"
#include "core/mtree/mtree.h"

static int open_scratch(void *arg)
{
	return output_scratch(arg);
}

static int print_tree(const struct cli *cli, const struct config *config, struct error *error)
{
	struct output *output autocall(cleanup_output_close) = NULL;
	struct source_request request = { .config = config, .scratch = { open_scratch, NULL } };
	struct source_facts facts;
	struct tree *tree = NULL;
	int64_t build_time;
	int ret = cli_threads(cli, &request.threads, error);

	if (ret == 0)
		ret = output_open("scratch files beside", config->image.output, NULL, &output,
				  error);
	if (ret < 0)
		return ret;
	request.scratch.arg = output;
	ret = source_load(&request, &tree, &build_time, &facts, error);
	if (ret == 0 && mtree_print(tree, stdout) < 0)
		ret = error_nomem(error);
	tree_free(tree);
	return ret;
}

int cmd_tree(const struct cli *cli, struct error *error)
{
	struct backend_search *search autocall(cleanup_backend_search_free) =
		backend_search_new(cli->backend_dirs.items, cli->backend_dirs.count);
	struct config config;
	int ret;

	if (!search)
		return error_nomem(error);
	ret = cli_prepare(cli, &config, search, error);
	if (ret == 0)
		ret = print_tree(cli, &config, error);
	config_free(&config);
	return ret;
}
