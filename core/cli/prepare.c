/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "core/backend/loader.h"
#include "core/cli/cli.h"
#include "core/guest/dropin.h"

/* What a section's name may belong to. */
struct selection {
	const struct backend_search *search;
	const struct config *config;
	struct backend *backend; /* NULL: not asked for yet */
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

/* Has the configured backend all of these? 1, 0, otherwise of one that cannot be asked; -ENOMEM. */
static int has(struct selection *selection, uint64_t capabilities, uint64_t job_features,
	       int otherwise)
{
	autoerror struct error ignored = ERROR_INIT;
	int ret = selection->backend
			  ? 0
			  : backend_load(selection->search, selection->config->image.filesystem,
					 &selection->backend, &ignored);
	const struct backend *backend = selection->backend;

	if (ret < 0)
		return ret == -ENOMEM ? ret : otherwise;
	return (backend->table.capabilities & capabilities) == capabilities &&
	       (backend->table.job_features & job_features) == job_features;
}

static int can_dax(void *arg)
{
	return has(arg, KATAIMG_CAP_DAX, KATAIMG_JOB_DAX, 1);
}

static int no_disk(void *arg)
{
	return has(arg, KATAIMG_CAP_NO_DISK, 0, 0);
}

static int prepare_one(const struct cli *cli, struct config_set *set, size_t number,
		       const struct backend_search *search, struct error *error)
{
	struct config *config = &set->items[number];
	struct selection selection = { .search = search, .config = config };
	const struct config_backends backends = { is_backend, can_dax, no_disk, &selection };
	int ret = cli_configure(cli, set, number, error);

	if (ret == 0)
		ret = config_finish(config, &backends, error);
	if (ret == 0 && cli_is_dropin(cli) && config->image.source)
		ret = config_collect(config, dropin_adjust(config, search, cli->script, error),
				     error);
	backend_free(selection.backend);
	return ret;
}

int cli_prepare(const struct cli *cli, struct config_set *set, const struct backend_search *search,
		struct error *error)
{
	int ret = cli_find_images(cli, set, error);

	for (size_t i = 0; ret == 0 && i < set->count; i++)
		ret = prepare_one(cli, set, i, search, error);
	return ret;
}

int cli_single(const struct config_set *set, struct config **config, struct error *error)
{
	autofree char *names = NULL;

	*config = &set->items[0];
	if (set->count == 1)
		return 0;
	names = config_set_names(set);
	if (!names)
		return error_nomem(error);
	return error_usage(error, "which of %s? Say --only NAME", names);
}

int cli_with_configs(const struct cli *cli,
		     int (*run)(const struct cli *cli, struct config_set *set,
				const struct backend_search *search, struct error *error),
		     struct error *error)
{
	struct backend_search *search autocall(cleanup_backend_search_free) =
		backend_search_new(cli->backend_dirs.items, cli->backend_dirs.count);
	struct config_set set = { 0 };
	int ret;

	if (!search)
		return error_nomem(error);
	ret = run(cli, &set, search, error);
	config_set_free(&set);
	return ret;
}
