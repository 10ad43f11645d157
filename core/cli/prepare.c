/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/cli/cli.h"
#include "core/guest/dropin.h"

/* What a section's name may belong to. */
struct selection {
	const struct backend_search *search;
	const struct config *config;
};

static bool is_backend(void *arg, const char *name)
{
	const struct selection *selection = arg;
	autofree char *selected = NULL;
	autofree char *found = NULL;

	if (!backend_name_valid(name, strlen(name)))
		return false;
	if (backend_name_of_path(selection->config->image.filesystem, &selected) == 0 && selected &&
	    strcmp(selected, name) == 0)
		return true;
	return backend_search_find(selection->search, name, &found) == 0 && found;
}

int cli_prepare(const struct cli *cli, struct config *config, const struct backend_search *search,
		struct error *error)
{
	struct selection selection = { search, config };
	int ret = cli_configure(cli, config, error);

	if (ret == 0)
		ret = config_finish(config, is_backend, &selection, error);
	if (ret == 0 && cli_is_dropin(cli) && config->image.source)
		ret = config_collect(config, dropin_adjust(config, search, cli->script, error),
				     error);
	return ret;
}
