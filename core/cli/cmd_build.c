/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/backend/loader.h"
#include "core/builder/build.h"
#include "core/cli/cli.h"
#include "core/config/absolute.h"
#include "core/config/options.h"
#include "core/config/print.h"
#include "core/guest/dropin.h"

static struct build_options options_of(const struct cli *cli, const struct backend_search *search)
{
	return (struct build_options){
		.search = search,
		.dry_run = cli->dry_run,
		.sync = !cli->no_sync,
		.reflink = !cli->no_reflink,
		.strict_backend = cli->strict_backend,
		.report = cli->explain ? NULL : cli->report,
		.progress = cli_progress_mode(cli),
		.owner = (uid_t)-1,
		.group = (gid_t)-1,
	};
}

/* "kataimg inspct": a source that is not there, and nearly a command. */
static int check_word(const struct cli *cli, struct error *error)
{
	const char *word = cli->argument, *guess;

	if (cli->script || !word || strchr(word, '/') || access(word, F_OK) == 0)
		return 0;
	if (cli_find_command(word))
		return cli_fail_late_command(word, error);
	guess = cli_guess_command(word);
	return guess ? error_usage(error, "%s is neither a source nor a command; did you mean %s?",
				   word, guess)
		     : 0;
}

static int prepare(const struct cli *cli, struct config *config, struct build_options *options,
		   struct error *error)
{
	int ret = cli_prepare(cli, config, options->search, error);

	if (ret == 0)
		ret = check_word(cli, error);
	if (ret == 0 && !cli->explain)
		ret = config_check_inputs(config, error);
	if (ret == 0 && !cli->explain)
		ret = config_check_outputs(config, error);
	if (ret == 0)
		ret = build_check_backend(config, options->search, error);
	if (ret == 0)
		ret = config_report(config, error);
	if (ret == 0)
		ret = cli_threads(cli, &options->threads, error);
	if (ret == 0 && cli_is_dropin(cli) && cli->script != DROPIN_INITRD)
		ret = dropin_find_owner(&options->owner, &options->group, error);
	return ret;
}

static int explain(struct config *config, const struct backend_search *search, struct error *error)
{
	struct backend *backend autocall(cleanup_backend_free) = NULL;
	autofree struct kataimg_value *values = NULL;
	int ret = backend_load(search, config->image.filesystem, &backend, error);

	if (ret == 0)
		ret = options_parse(config, &backend->table, &values, error);
	if (ret == 0)
		ret = config_make_absolute(config, error);
	if (ret == 0)
		ret = config_check_printable(config, &backend->table, error);
	if (ret < 0)
		return ret;
	config_print(config, stdout);
	config_print_backend(config, &backend->table, stdout);
	return 0;
}

static int run(const struct cli *cli, struct config *config, const struct backend_search *search,
	       struct error *error)
{
	struct build_options options = options_of(cli, search);
	const struct config_set set = { config, 1 };
	int ret = prepare(cli, config, &options, error);

	if (ret < 0)
		build_fail(&set, &options, error);
	if (ret < 0)
		return ret;
	return cli->explain ? explain(config, search, error) : build_run(&set, &options, error);
}

int cmd_build(const struct cli *cli, struct error *error)
{
	return cli_with_config(cli, run, error);
}
