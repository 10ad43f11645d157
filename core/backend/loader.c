/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/backend/trust.h"
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

/*
 * What is loaded stays loaded, and its descriptor open. The dynamic linker knows objects by their
 * path, /proc/self/fd/N here: another file under the same N would be taken for the first one.
 */
static struct loaded {
	struct loaded *next;
	dev_t device;
	ino_t inode;
	void *handle;
} * all_loaded;

static struct loaded *find_loaded(const struct stat *st)
{
	struct loaded *at = all_loaded;

	while (at && (at->device != st->st_dev || at->inode != st->st_ino))
		at = at->next;
	return at;
}

/* The linker's message without the path that it was given. code is errno as the linker left it: of
 * memory that ran out its messages have many words. */
static int fail_load(const char *path, const char *given, int code, struct error *error)
{
	const char *why = dlerror();
	size_t len = strlen(given);

	if (code == ENOMEM)
		return error_nomem(error);
	if (why && strncmp(why, given, len) == 0 && strncmp(why + len, ": ", 2) == 0)
		why += len + 2;
	return error_usage(error, "the backend %s cannot be loaded: %s", path,
			   why ? why : "no reason is given");
}

/* Loads by way of the descriptor, so that the file that was judged is the one that is loaded.
 * Without /proc its path is used, of which every directory was judged. Takes fd over. */
static int load(int fd, const char *path, const struct stat *st, struct error *error)
{
	struct loaded *loaded autocall(cleanup_free) = calloc(1, sizeof(*loaded));
	autoclose int mine = fd;
	char self[64];
	const char *name;

	if (!loaded)
		return error_nomem(error);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	name = access(self, F_OK) == 0 ? self : path;
	errno = 0;
	*loaded = (struct loaded){ all_loaded, st->st_dev, st->st_ino,
				   dlopen(name, RTLD_NOW | RTLD_LOCAL) };
	if (!loaded->handle)
		return fail_load(path, name, errno, error);
	all_loaded = steal_ptr(&loaded);
	steal_fd(&mine);
	return 0;
}

static int open_table(const char *given, const struct kataimg_backend **table, struct error *error)
{
	autofree char *path = NULL;
	autoclose int fd = trust_open(given, &path, error);
	struct stat st;
	int ret = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return error_errno(error, errno, "cannot open the backend %s", given);
	if (!find_loaded(&st))
		ret = load(steal_fd(&fd), path, &st, error);
	if (ret < 0)
		return ret;
	*table = dlsym(find_loaded(&st)->handle, KATAIMG_BACKEND_SYMBOL);
	if (!*table)
		return error_usage(error, "%s is not a backend: it exports no %s", given,
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
