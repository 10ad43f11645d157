/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "core/builder/build.h"
#include "core/cli/cli.h"
#include "core/source/source.h"
#include "lib/samefile.h"

static bool is_output(const struct config *config, const char *path)
{
	return config->image.output && same_file_named(path, config->image.output);
}

/* Of several the one whose output the image is. */
static int find_config(const struct config_set *set, const char *path, struct config **config,
		       struct error *error)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->count > 1 && is_output(&set->items[i], path)) {
			*config = &set->items[i];
			return 0;
		}
	return cli_single(set, config, error);
}

static int attest(const struct cli *cli, struct config_set *set,
		  const struct backend_search *search, struct error *error)
{
	struct build_options options = {
		.search = search,
		.progress = cli_progress_mode(cli),
		.owner = (uid_t)-1,
		.group = (gid_t)-1,
	};
	struct config *config = NULL;
	int ret = cli_prepare(cli, set, search, error);

	if (ret == 0)
		ret = find_config(set, cli->argument, &config, error);
	if (ret == 0)
		ret = config_check_inputs(config, error);
	if (ret == 0)
		ret = build_check_backend(config, search, error);
	if (ret == 0)
		ret = config_set_report(set, error);
	if (ret == 0)
		ret = cli_threads(cli, &options.threads, error);
	if (ret < 0)
		return ret;
	ret = build_attest(config, &options, cli->argument, error);
	return ret < 0 && config->name ? error_prefix(error, "image %s", config->name) : ret;
}

int cmd_attest(const struct cli *cli, struct error *error)
{
	int ret = source_refuse_as_file(cli->argument, error);

	return ret < 0 ? ret : cli_with_configs(cli, attest, error);
}
