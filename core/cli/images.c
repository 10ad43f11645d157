/* SPDX-License-Identifier: Apache-2.0 */
/* Of several images, which the command line means. */
#include <string.h>

#include "core/base/suggest.h"
#include "core/cli/cli.h"

/* An option that would give all images the same: it needs --only, which says that it is meant. */
static int fail_ambiguous(const struct config_set *set, const char *option, const char *value,
			  struct error *error)
{
	autofree char *names = config_set_names(set);

	if (!names)
		return error_nomem(error);
	return error_usage(error, "%s %s: for which of %s? Say --only NAME", option, value, names);
}

static int check_image_of(const struct config_set *set, const struct cli_setting *setting,
			  const char *name, size_t len, struct error *error)
{
	autofree char *copy = strndup(name, len);
	struct suggestion suggestion = { .word = copy };
	char hint[SUGGEST_HINT_BYTES];

	if (!copy)
		return error_nomem(error);
	if (config_set_find(set, copy) < set->count)
		return 0;
	for (size_t i = 0; i < set->count; i++)
		if (set->places.items[i].name)
			suggest_offer(&suggestion, set->places.items[i].name);
	return error_usage(error, "%s %s: there is no image %s%s", setting->option->name,
			   setting->value, copy, suggest_hint(&suggestion, hint));
}

static int check_setting(const struct cli *cli, const struct config_set *set,
			 const struct cli_setting *setting, struct error *error)
{
	const char *name;
	size_t len;

	if (cli_names_image(setting, &name, &len))
		return check_image_of(set, setting, name, len, error);
	if (set->count < 2 || cli->only.count > 0)
		return 0;
	return fail_ambiguous(set, setting->option->name, setting->value, error);
}

static int check_settings(const struct cli *cli, struct config_set *set, struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < cli->settings.count; i++)
		ret = mistakes_take(&set->mistakes,
				    check_setting(cli, set, &cli->settings.items[i], error), 0,
				    error);
	if (ret == 0 && cli->argument && cli->command->bit & CLI_TAKES_SOURCE && set->count > 1 &&
	    cli->only.count == 0)
		ret = mistakes_take(&set->mistakes,
				    fail_ambiguous(set, "SOURCE", cli->argument, error), 0, error);
	return ret;
}

int cli_find_images(const struct cli *cli, struct config_set *set, struct error *error)
{
	int ret = config_set_read(set, cli->config_paths.items, cli->config_paths.count, error);

	if (ret == 0)
		ret = config_set_choose(set, cli->only.items, cli->only.count, error);
	if (ret < 0 && set->count == 0)
		config_set_default(set);
	return ret < 0 ? ret : check_settings(cli, set, error);
}
