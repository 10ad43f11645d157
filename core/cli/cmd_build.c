/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
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
		.manifest = cli->manifest,
		.toml = cli->toml,
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

static int check_config(const struct cli *cli, struct config *config,
			const struct backend_search *search, struct error *error)
{
	int ret = 0;

	if (!cli->explain)
		ret = config_check_inputs(config, error);
	if (ret == 0 && !cli->explain)
		ret = config_check_outputs(config, error);
	return ret < 0 ? ret : build_check_backend(config, search, error);
}

static int prepare(const struct cli *cli, struct config_set *set, struct build_options *options,
		   struct error *error)
{
	int ret = cli_prepare(cli, set, options->search, error);

	if (ret == 0)
		ret = check_word(cli, error);
	if (ret == 0 && cli->dry_run && (cli->manifest || cli->toml))
		ret = error_usage(error, "--manifest and --toml list images that are there: not "
					 "with --dry-run");
	for (size_t i = 0; ret == 0 && i < set->count; i++)
		ret = check_config(cli, &set->items[i], options->search, error);
	if (ret == 0)
		ret = config_set_check(set, error);
	if (ret == 0)
		ret = config_set_report(set, error);
	if (ret == 0)
		ret = cli_threads(cli, &options->threads, error);
	if (ret == 0 && cli_is_dropin(cli) && cli->script != DROPIN_INITRD)
		ret = dropin_find_owner(&options->owner, &options->group, error);
	return ret;
}

static int explain_one(struct config *config, const struct backend_search *search,
		       struct error *error)
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
	if (config->name)
		printf("; image %s\n", config->name);
	config_print(config, stdout);
	config_print_backend(config, &backend->table, stdout);
	return 0;
}

static int explain(struct config_set *set, const struct backend_search *search, struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < set->count; i++) {
		if (i > 0)
			putchar('\n');
		ret = explain_one(&set->items[i], search, error);
		if (ret < 0 && set->items[i].name)
			error_prefix(error, "image %s", set->items[i].name);
	}
	return ret;
}

static int run(const struct cli *cli, struct config_set *set, const struct backend_search *search,
	       struct error *error)
{
	struct build_options options = options_of(cli, search);
	int ret = prepare(cli, set, &options, error);

	if (ret < 0)
		build_fail(set, &options, error);
	if (ret < 0)
		return ret;
	return cli->explain ? explain(set, search, error) : build_run(set, &options, error);
}

int cmd_build(const struct cli *cli, struct error *error)
{
	return cli_with_configs(cli, run, error);
}
