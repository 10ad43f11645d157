/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/backend/loader.h"
#include "core/cli/cli.h"
#include "core/guest/dropin.h"

/* What a section's name may belong to. */
struct selection {
	const struct backend_search *search;
	const struct config *config;
};

static int is_backend(void *arg, const char *name)
{
	const struct selection *selection = arg;
	autofree char *selected = NULL;
	autofree char *found = NULL;
	int ret;

	if (!backend_name_valid(name, strlen(name)))
		return 0;
	ret = backend_name_of_path(selection->config->image.filesystem, &selected);
	if (ret == 0 && selected && strcmp(selected, name) == 0)
		return 1;
	if (ret == 0)
		ret = backend_search_find(selection->search, name, &found);
	return ret < 0 ? ret : found != NULL;
}

static bool can_dax(void *arg)
{
	const struct selection *selection = arg;
	struct backend *backend autocall(cleanup_backend_free) = NULL;
	autoerror struct error ignored = ERROR_INIT;

	if (backend_load(selection->search, selection->config->image.filesystem, &backend,
			 &ignored) < 0)
		return true;
	return backend->table.capabilities & KATAIMG_CAP_DAX &&
	       backend->table.job_features & KATAIMG_JOB_DAX;
}

static bool no_disk(void *arg)
{
	const struct selection *selection = arg;
	struct backend *backend autocall(cleanup_backend_free) = NULL;
	autoerror struct error ignored = ERROR_INIT;

	return backend_load(selection->search, selection->config->image.filesystem, &backend,
			    &ignored) == 0 &&
	       backend->table.capabilities & KATAIMG_CAP_NO_DISK;
}

int cli_prepare(const struct cli *cli, struct config *config, const struct backend_search *search,
		struct error *error)
{
	struct selection selection = { search, config };
	const struct config_backends backends = { is_backend, can_dax, no_disk, &selection };
	int ret = cli_configure(cli, config, error);

	if (ret == 0)
		ret = config_finish(config, &backends, error);
	if (ret == 0 && cli_is_dropin(cli) && config->image.source)
		ret = config_collect(config, dropin_adjust(config, search, cli->script, error),
				     error);
	return ret;
}

int cli_with_config(const struct cli *cli,
		    int (*run)(const struct cli *cli, struct config *config,
			       const struct backend_search *search, struct error *error),
		    struct error *error)
{
	struct backend_search *search autocall(cleanup_backend_search_free) =
		backend_search_new(cli->backend_dirs.items, cli->backend_dirs.count);
	struct config config;
	int ret;

	if (!search)
		return error_nomem(error);
	ret = run(cli, &config, search, error);
	config_free(&config);
	return ret;
}
