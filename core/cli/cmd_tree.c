/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "core/artifact/place.h"
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

/* Where scratch files will be, if any are needed. */
static int confine(const struct source_request *request, struct error *error)
{
	autoconfine struct confine confine = CONFINE_NONE;
	const char *output = request->config->image.output;
	autofree char *beside = output ? artifact_path_beside(output) : NULL;
	int ret;

	confine_begin(&confine, false);
	ret = source_confine_request(request, &confine, error);
	if (ret == 0 && beside)
		ret = confine_allow_parent(&confine, beside, CONFINE_MAKE, error);
	if (ret == 0)
		confine_enter(&confine);
	return ret;
}

/* What the command line names is an image without its prefix, too. */
static int recognise(const struct cli *cli, struct config *config,
		     const struct source_request *request, struct error *error)
{
	char *source;
	int ret;

	if (!cli->argument)
		return 0;
	ret = source_recognise(config->image.source, request->backends, request->partition, &source,
			       error);
	if (ret < 0)
		return ret;
	free(config->image.source);
	config->image.source = source;
	return 0;
}

static int print_tree(const struct cli *cli, struct config *config,
		      const struct backend_search *search, struct error *error)
{
	autofree char *beside = artifact_path_beside(config->image.output);
	struct scratch scratch = { .image = beside, .error = error };
	struct source_request request = { .config = config,
					  .scratch = { .open = open_scratch, .arg = &scratch },
					  .backends = search,
					  .content_later = !cli->hash };
	struct source_facts facts;
	struct tree *tree = NULL;
	int64_t build_time;
	int ret = beside ? cli_threads(cli, &request.threads, error) : error_nomem(error);

	if (ret == 0)
		ret = cli_partition(cli, &request.partition, error);
	if (ret == 0)
		ret = confine(&request, error);
	if (ret == 0)
		ret = recognise(cli, config, &request, error);
	if (ret == 0)
		ret = source_load(&request, &tree, &build_time, &facts, error);
	if (ret == 0)
		ret = print_mtree(cli, tree, request.threads, error);
	tree_free(tree);
	output_close(scratch.output);
	return ret;
}

static int run(const struct cli *cli, struct config_set *set, const struct backend_search *search,
	       struct error *error)
{
	struct config *config = NULL;
	int ret = cli_prepare(cli, set, search, error);

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
