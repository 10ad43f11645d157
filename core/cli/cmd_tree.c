/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "core/builder/source.h"
#include "core/cli/cli.h"
#include "core/image/output.h"
#include "core/mtree/mtree.h"
#include "core/source/source.h"

/* Beside the image, as a build has it; a directory needs none. */
struct scratch {
	const char *image;
	struct output *output; /* NULL: not needed yet */
	struct error *error;
};

static int open_scratch(void *arg)
{
	struct scratch *scratch = arg;

	if (!scratch->output && output_open("scratch files beside", scratch->image, NULL,
					    &scratch->output, scratch->error) < 0)
		return -scratch->error->code;
	return output_scratch(scratch->output);
}

static int print_mtree(const struct cli *cli, const struct tree *tree, unsigned int threads,
		       struct error *error)
{
	autofree struct mtree_digest *digests = NULL;
	int ret = cli->hash ? mtree_hash(tree, threads, &digests, error) : 0;

	return ret < 0 ? ret : mtree_print(tree, digests, stdout, error);
}

static int print_tree(const struct cli *cli, const struct config *config,
		      const struct backend_search *search, struct error *error)
{
	struct scratch scratch = { .image = config->image.output, .error = error };
	struct source_request request = { .config = config,
					  .scratch = { .open = open_scratch, .arg = &scratch },
					  .backends = search,
					  .content_later = !cli->hash };
	struct source_facts facts;
	struct tree *tree = NULL;
	int64_t build_time;
	int ret = cli_threads(cli, &request.threads, error);

	if (ret == 0)
		ret = cli_partition(cli, &request.partition, error);
	if (ret == 0)
		ret = source_load(&request, &tree, &build_time, &facts, error);
	if (ret == 0)
		ret = print_mtree(cli, tree, request.threads, error);
	tree_free(tree);
	output_close(scratch.output);
	return ret;
}

/* What the command line names is an image without its prefix, too. */
static int recognise(const struct cli *cli, const struct backend_search *search, char **source,
		     struct error *error)
{
	unsigned int partition;
	int ret = cli_partition(cli, &partition, error);

	if (ret < 0 || !cli->argument)
		return ret;
	return source_recognise(cli->argument, search, partition, source, error);
}

static int run(const struct cli *cli, struct config_set *set, const struct backend_search *search,
	       struct error *error)
{
	autofree char *source = NULL;
	struct cli own = *cli;
	struct config *config = NULL;
	int ret = recognise(cli, search, &source, error);

	if (ret == 0 && source)
		own.argument = source;
	if (ret == 0)
		ret = cli_prepare(&own, set, search, error);
	if (ret == 0)
		ret = cli_single(set, &config, error);
	if (ret == 0)
		ret = config_check_inputs(config, error);
	if (ret == 0)
		ret = config_set_report(set, error);
	return ret < 0 ? ret : print_tree(cli, config, search, error);
}

int cmd_tree(const struct cli *cli, struct error *error)
{
	return cli_with_configs(cli, run, error);
}
