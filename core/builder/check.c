/* SPDX-License-Identifier: Apache-2.0 */
/* The backends' part of the configuration, before anything is read. */
#include <string.h>

#include "core/backend/negotiate.h"
#include "core/base/log.h"
#include "core/builder/private.h"
#include "core/config/hint.h"

static int load_selected(struct config *config, const struct backend_search *search,
			 struct backend **backend, struct error *error)
{
	autoerror struct error why = ERROR_INIT;
	const char *value = config->image.filesystem;
	int ret = backend_load(search, value, backend, &why);

	if (ret == 0 || why.kind != ERROR_USAGE || !why.message)
		return ret == 0 ? 0 : error_set(error, -ret, "%s", why.message ? why.message : "");
	ret = config_fail_key(config, "image", "filesystem", error, "%s%s", why.message,
			      value_hint(value));
	return mistakes_take(&config->mistakes, ret,
			     config_origin_of(config, "image", "filesystem")->line, error);
}

/* A section of another backend says nothing to this build; its mistakes are told all the same. */
static int check_other(struct config *config, const char *name, const struct backend_search *search,
		       struct error *error)
{
	struct backend *backend autocall(cleanup_backend_free) = NULL;
	autoerror struct error why = ERROR_INIT;
	autofree char *path = NULL;

	if (!backend_name_valid(name, strlen(name)))
		return 0;
	if (backend_search_find(search, name, &path) < 0)
		return error_nomem(error);
	if (!path)
		return 0;
	if (backend_load(search, name, &backend, &why) == 0)
		return options_check(config, &backend->table, error);
	log_warning("[%s] is not looked at: %s", name, why.message ? why.message : "out of memory");
	return 0;
}

static int check_others(struct config *config, const char *selected,
			const struct backend_search *search, struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < config->section_count; i++)
		if (strcmp(config->sections[i].name, selected) != 0)
			ret = check_other(config, config->sections[i].name, search, error);
	return ret;
}

static int check_selected(struct config *config, const struct backend *backend, struct error *error)
{
	static const uint8_t no_seed[DIGEST_BYTES];
	const struct kataimg_job job = build_job(config, 1, 1, no_seed);
	int ret = options_check(config, &backend->table, error);

	if (ret == 0)
		ret = config_collect(config, negotiate_job(backend, &job, error), error);
	return ret;
}

int build_check_backend(struct config *config, const struct backend_search *search,
			struct error *error)
{
	struct backend *backend autocall(cleanup_backend_free) = NULL;
	int ret = load_selected(config, search, &backend, error);

	if (ret == 0 && backend)
		ret = check_selected(config, backend, error);
	if (ret < 0)
		return ret;
	return check_others(config, backend ? backend->table.name : "", search, error);
}
