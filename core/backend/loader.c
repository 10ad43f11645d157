/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"

static char *join_names(char **names)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	for (size_t i = 0; names && names[i]; i++)
		fprintf(stream, "%s%s", i ? ", " : "", names[i]);
	if (fclose(stream) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int fail_not_found(const struct backend_search *search, const char *name,
			  struct error *error)
{
	char **names autocall(cleanup_backend_names_free) = backend_search_names(search);
	autofree char *where = backend_search_describe(search);
	autofree char *known = join_names(names);

	if (!where || !known)
		return error_nomem(error);
	return error_usage(error,
			   "no backend '%s': there is no kataimg-%s-backend.so in %s; backends "
			   "there: %s; packaged, it is called kataimg-backend-%s",
			   name, name, where, *known ? known : "none", name);
}

static int find_path(const struct backend_search *search, const char *value, char **path,
		     char **name, struct error *error)
{
	if (strchr(value, '/')) {
		*path = strdup(value);
		*name = backend_name_of_path(value);
		if (!*name)
			return error_usage(error,
					   "%s: a backend's file is named kataimg-NAME-backend.so, "
					   "NAME being [a-z0-9][a-z0-9-]{0,31}",
					   value);
		return *path ? 0 : error_nomem(error);
	}
	if (!backend_name_valid(value, strlen(value)))
		return error_usage(error,
				   "'%s' is not the name of a backend: names are "
				   "[a-z0-9][a-z0-9-]{0,31}; a file is told by a slash in its path",
				   value);
	*name = strdup(value);
	*path = backend_search_find(search, value);
	if (!*name)
		return error_nomem(error);
	return *path ? 0 : fail_not_found(search, value, error);
}

/* Code that somebody else can change must not run with the caller's rights. */
static int check_file(const char *path, struct error *error)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return error_usage(error, "cannot open the backend %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_usage(error, "the backend %s is not a regular file", path);
	if (st.st_mode & S_IWOTH)
		return error_usage(
			error, "the backend %s may be written by everybody: chmod o-w it", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return error_usage(error,
				   "the backend %s is owned by user %u, who is neither root nor "
				   "you: chown it",
				   path, st.st_uid);
	return 0;
}

static int open_table(const char *path, const struct kataimg_backend **table, struct error *error)
{
	/* Without a '/', dlopen would look into the library path. */
	autofree char *real = realpath(path, NULL);
	void *handle;

	if (!real)
		return error_errno(error, errno, "cannot open the backend %s", path);
	handle = dlopen(real, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return error_usage(error, "the backend %s cannot be loaded: %s", path, dlerror());
	*table = dlsym(handle, KATAIMG_BACKEND_SYMBOL);
	if (!*table)
		return error_usage(error, "%s is not a backend: it exports no %s", path,
				   KATAIMG_BACKEND_SYMBOL);
	return 0;
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
	if (ret == 0)
		ret = check_file(backend->path, error);
	if (ret == 0)
		ret = open_table(backend->path, &table, error);
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
	char **names autocall(cleanup_backend_names_free) = backend_search_names(search);
	int ret = names ? 0 : -ENOMEM;

	for (size_t i = 0; ret == 0 && names[i]; i++) {
		struct backend *backend autocall(cleanup_backend_free) = NULL;
		autoerror struct error error = ERROR_INIT;

		if (backend_load(search, names[i], &backend, &error) < 0)
			log_warning("skipped a backend: %s", error.message);
		else
			ret = fn(arg, backend);
	}
	return ret;
}
