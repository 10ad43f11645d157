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
	return config_refuse_key(config, "image", "filesystem", error, "%s%s", why.message,
				 value_hint(value));
}

/* A section of another backend says nothing to this build; its mistakes are told all the same. */
static int check_other(struct config *config, const char *name, const struct backend_search *search,
		       struct error *error)
{
	struct backend *backend autocall(cleanup_backend_free) = NULL;
	autofree struct kataimg_value *values = NULL;
	autoerror struct error why = ERROR_INIT;
	autofree char *path = NULL;

	if (!backend_name_valid(name, strlen(name)))
		return 0;
	if (backend_search_find(search, name, &path) < 0)
		return error_nomem(error);
	if (!path)
		return 0;
	if (backend_load(search, name, &backend, &why) == 0)
		return options_check(config, &backend->table, &values, error);
	log_warning("[%s] is not looked at: %s", name, error_sentence(&why));
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

struct trial {
	struct config *config;
	const struct kataimg_backend *table;
	int ret; /* of gathering */
};

static void collect_refusal(void *arg, uint64_t index, const char *why, struct error *error)
{
	struct trial *trial = arg;
	const struct kataimg_backend *table = trial->table;
	const struct config_pair *pair = NULL;
	int ret;

	if (index < table->option_count)
		pair = config_find_pair(trial->config, table->name, table->options[index].name);
	options_refuse(trial->config, table, index, why, error);
	ret = mistakes_take(&trial->config->mistakes, -error->code, pair ? pair->origin.line : 0,
			    error);
	if (ret < 0)
		trial->ret = ret;
}

/* Opened and closed again, for what it says of its options. Any other error is left to the build,
 * where the seed and the time are the real ones. */
static int try_options(struct config *config, const struct backend *backend,
		       const struct kataimg_job *job, const struct kataimg_value *values,
		       struct error *error)
{
	struct trial trial = { config, &backend->table, 0 };
	const struct host_setup setup = {
		.programs = backend->table.programs,
		.seed = job->seed,
		.threads = job->threads,
		.refuse_option = collect_refusal,
		.refuse_arg = &trial,
	};
	struct host *host autocall(cleanup_host_free) = host_new(&setup);
	struct session *session autocall(cleanup_session_close) = NULL;
	autoerror struct error other = ERROR_INIT;

	if (!host)
		return error_nomem(error);
	if (session_open(backend, host, job, values, &session, &other) < 0 && trial.ret < 0)
		return error_nomem(error);
	return 0;
}

/* Which key asks for what a job requires. */
static const struct {
	uint64_t bit;
	const char *key;
} required_by[] = {
	{ KATAIMG_JOB_DAX, "dax" },
	{ KATAIMG_JOB_FREE_SPACE, "free-space" },
};

/* What the backend cannot do is told for each key, and the job then goes on without it. */
static int check_job(struct config *config, const struct backend *backend, struct kataimg_job *job,
		     struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < sizeof(required_by) / sizeof(required_by[0]); i++) {
		const char *key = required_by[i].key;
		const struct kataimg_job one = { .struct_size = sizeof(one),
						 .required = job->required & required_by[i].bit };
		autoerror struct error why = ERROR_INIT;

		if (negotiate_job(backend, &one, &why) == 0)
			continue;
		if (!why.message)
			return error_nomem(error);
		job->required &= ~required_by[i].bit;
		ret = config_refuse_key(config, "image", key, error, "%s", why.message);
	}
	return ret;
}

static int check_selected(struct config *config, const struct backend *backend, struct error *error)
{
	static const uint8_t no_seed[DIGEST_BYTES];
	struct kataimg_job job = build_job(config, 1, 1, no_seed);
	autofree struct kataimg_value *values = NULL;
	int ret = options_check(config, &backend->table, &values, error);

	if (ret == 0)
		ret = check_job(config, backend, &job, error);
	return ret < 0 || !values ? ret : try_options(config, backend, &job, values, error);
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
