/* SPDX-License-Identifier: Apache-2.0 */
#include "core/builder/build.h"
#include "core/cli/cli.h"

static int prepare(const struct cli *cli, struct config_set *set,
		   const struct backend_search *search, struct error *error)
{
	struct config *only;
	int ret = cli_prepare(cli, set, search, error);

	if (ret == 0 && cli->text)
		ret = cli_single(set, &only, error);
	for (size_t i = 0; ret == 0 && i < set->count; i++) {
		ret = config_check_inputs(&set->items[i], error);
		if (ret == 0)
			ret = build_check_backend(&set->items[i], search, error);
	}
	return ret < 0 ? ret : config_set_report(set, error);
}

static int run(const struct cli *cli, struct config_set *set, const struct backend_search *search,
	       struct error *error)
{
	struct build_options options = {
		.search = search,
		.progress = cli_progress_mode(cli),
		.owner = (uid_t)-1,
		.group = (gid_t)-1,
	};
	int ret = prepare(cli, set, search, error);

	if (ret == 0)
		ret = cli_threads(cli, &options.threads, error);
	return ret < 0 ? ret : build_print_keys(set, &options, cli->text, error);
}

int cmd_key(const struct cli *cli, struct error *error)
{
	return cli_with_configs(cli, run, error);
}
