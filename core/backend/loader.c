/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/loader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend/builtin.h"
#include "core/backend/shared.h"
#include "core/base/log.h"
#include "core/base/suggest.h"
#include "core/base/text.h"

/* There is no package for a name that does not exist, so the message has only the pattern of
 * packages' names. */
static int fail_not_found(const struct backend_search *search, const char *name,
			  struct error *error)
{
	char **names autocall(cleanup_backend_names_free) = NULL;
	int ret = backend_search_names(search, &names);
	autofree char *where = backend_search_describe(search);
	size_t count = 0;
	autofree char *known = NULL;
	struct suggestion suggestion = { .word = name };
	char hint[SUGGEST_HINT_BYTES];

	if (ret < 0)
		return error_errno(error, -ret, "cannot look for backends");
	for (; names[count]; count++)
		suggest_offer(&suggestion, names[count]);
	known = text_join(names, count);
	if (!where || !known)
		return error_nomem(error);
	error_usage(error, "no such backend%s", suggest_hint(&suggestion, hint));
	if (strstr(name, ".so"))
		return error_append(error, "; a file is told by a slash in its path");
	if (suggestion.nearest)
		return -EINVAL;
	return error_append(error,
			    ": in %s there are %s; packages of backends are called "
			    "kataimg-backend-NAME",
			    where, *known ? known : "none");
}

static int find_path(const struct backend_search *search, const char *value, char **path,
		     char **name, struct error *error)
{
	int ret;

	if (strchr(value, '/')) {
		*path = strdup(value);
		ret = backend_name_of_path(value, name);
		if (ret < 0)
			return error_nomem(error);
		if (!*name)
			return error_usage(error,
					   "%s: a backend's file is named kataimg-NAME-backend.so, "
					   "NAME being [a-z0-9][a-z0-9-]{0,31}",
					   value);
		return *path ? 0 : error_nomem(error);
	}
	if (!backend_name_valid(value, strlen(value)))
		return fail_not_found(search, value, error);
	*name = strdup(value);
	ret = backend_search_find(search, value, path);
	if (!*name || ret < 0)
		return error_nomem(error);
	return *path ? 0 : fail_not_found(search, value, error);
}

int backend_load(const struct backend_search *search, const char *value, struct backend **result,
		 struct error *error)
{
	struct backend *backend autocall(cleanup_backend_free) = calloc(1, sizeof(*backend));
	const struct kataimg_backend *table = NULL;
	autofree char *name = NULL;
	int ret;

	if (!backend)
		return error_nomem(error);
	ret = find_path(search, value, &backend->path, &name, error);
	if (ret == 0 && !strchr(value, '/'))
		table = builtin_find(name);
	if (ret == 0 && !table)
		ret = shared_open(backend->path, &table, error);
	if (ret == 0)
		ret = backend_check_table(table, backend->path, name, &backend->table, error);
	if (ret == 0)
		*result = steal_ptr(&backend);
	return ret;
}

void backend_free(struct backend *backend)
{
	if (!backend)
		return;
	free((void *)backend->table.options);
	free(backend->path);
	free(backend);
}

int backend_for_each(const struct backend_search *search,
		     int (*fn)(void *arg, const struct backend *backend), void *arg)
{
	char **names autocall(cleanup_backend_names_free) = NULL;
	int ret = backend_search_names(search, &names);

	for (size_t i = 0; ret == 0 && names[i]; i++) {
		struct backend *backend autocall(cleanup_backend_free) = NULL;
		autoerror struct error error = ERROR_INIT;

		ret = backend_load(search, names[i], &backend, &error);
		if (ret == 0) {
			ret = fn(arg, backend);
		} else if (ret != -ENOMEM) {
			log_warning("skipped a backend: %s", error.message);
			ret = 0;
		}
	}
	return ret;
}

int backend_confine(const struct backend_search *search, struct confine *confine,
		    struct error *error)
{
	/* backend/trust.c reads them. */
	static const char *const owners[] = { "/proc/sys/kernel/overflowuid",
					      "/proc/self/uid_map" };
	char **names autocall(cleanup_backend_names_free) = NULL;
	int ret = backend_search_names(search, &names);

	if (ret < 0)
		return error_errno(error, -ret, "cannot look for backends");
	for (size_t i = 0; names[i]; i++) {
		struct backend *backend autocall(cleanup_backend_free) = NULL;
		autoerror struct error ignored = ERROR_INIT;

		if (backend_load(search, names[i], &backend, &ignored) == -ENOMEM)
			return error_nomem(error);
	}
	for (size_t i = 0; ret == 0 && i < sizeof(owners) / sizeof(owners[0]); i++)
		ret = confine_allow(confine, owners[i], CONFINE_READ, error);
	return ret < 0 ? ret : backend_search_confine(search, confine, error);
}
