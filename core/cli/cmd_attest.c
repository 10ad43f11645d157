/* SPDX-License-Identifier: Apache-2.0 */
#include "core/builder/build.h"
#include "core/cli/cli.h"

static int attest(const struct cli *cli, struct config *config, const struct backend_search *search,
		  struct error *error)
{
	struct build_options options = {
		.search = search,
		.progress = cli_progress_mode(cli),
		.owner = (uid_t)-1,
		.group = (gid_t)-1,
	};
	int ret = cli_prepare(cli, config, search, error);

	if (ret == 0)
		ret = config_check_inputs(config, error);
	if (ret == 0)
		ret = build_check_backend(config, search, error);
	if (ret == 0)
		ret = config_report(config, error);
	if (ret == 0)
		ret = cli_threads(cli, &options.threads, error);
	return ret < 0 ? ret : build_attest(config, &options, cli->argument, error);
}

int cmd_attest(const struct cli *cli, struct error *error)
{
	return cli_with_config(cli, attest, error);
}
