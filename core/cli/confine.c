/* SPDX-License-Identifier: Apache-2.0 */
#include "core/confine/confine.h"

#include "core/backend/loader.h"
#include "core/cli/cli.h"
#include "core/inspect/hashfile.h"
#include "core/source/source.h"

static int allow_sources(const struct cli_places *places, const struct backend_search *search,
			 struct confine *confine, struct error *error)
{
	int ret = backend_confine(search, confine, error);

	for (size_t i = 0; ret == 0 && i < places->count; i++)
		ret = source_confine(places->sources[i], search, confine, error);
	return ret < 0 ? ret : confine_allow_scratch(confine, error);
}

/* A target that was made for nothing goes again. */
static int allow_targets(const struct cli_places *places, struct confine *confine,
			 struct error *error)
{
	int ret = 0;

	if (places->made) {
		confine->attributes = true;
		confine->devices = true;
		ret = confine_allow(confine, places->made, CONFINE_TREE, error);
		if (ret == 0)
			ret = confine_allow_parent(confine, places->made, CONFINE_REMOVE, error);
	}
	if (ret == 0 && places->file)
		ret = confine_allow_parent(confine, places->file, CONFINE_MAKE, error);
	return ret;
}

static int allow_hash_files(const struct cli *cli, const struct cli_places *places,
			    struct confine *confine, struct error *error)
{
	int ret = hash_files_confine(places->sources[0], confine, error);

	if (ret == 0 && cli->root_hash)
		ret = confine_allow(confine, cli->root_hash, CONFINE_READ, error);
	return ret;
}

int cli_confine(const struct cli *cli, const struct cli_places *places, struct error *error)
{
	struct backend_search *search autocall(cleanup_backend_search_free) =
		backend_search_new(cli->backend_dirs.items, cli->backend_dirs.count);
	autoconfine struct confine confine = CONFINE_NONE;
	int ret;

	if (!search)
		return error_nomem(error);
	confine_begin(&confine, places->made != NULL);
	ret = allow_sources(places, search, &confine, error);
	if (ret == 0)
		ret = allow_targets(places, &confine, error);
	if (ret == 0 && places->beside)
		ret = allow_hash_files(cli, places, &confine, error);
	if (ret == 0)
		confine_enter(&confine);
	return ret;
}
