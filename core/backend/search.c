/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/search.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/backend/builtin.h"
#include "core/backend/shared.h"
#include "core/base/text.h"
#include "lib/array.h"

#define PREFIX "kataimg-"
#define SUFFIX "-backend.so"
#define NAME_MAX_BYTES 32

struct backend_search {
	ARRAY(char *) dirs;
};

/* A program that can load no file looks into no directory. */
static bool search_add(struct backend_search *search, const char *dir, size_t len)
{
	char **added;

	if (!shared_supported)
		return true;
	added = array_add(&search->dirs);
	if (!added)
		return false;
	*added = strndup(dir, len);
	return *added != NULL;
}

/* An empty element of the list names no directory. */
static bool search_add_list(struct backend_search *search, const char *list)
{
	while (list && *list) {
		size_t len = strcspn(list, ":");

		if (len > 0 && !search_add(search, list, len))
			return false;
		list += len + (list[len] == ':');
	}
	return true;
}

struct backend_search *backend_search_new(const char *const *extra_dirs, size_t extra_count)
{
	struct backend_search *search = calloc(1, sizeof(*search));
	bool ok = search != NULL;

	for (size_t i = 0; ok && i < extra_count; i++)
		ok = search_add(search, extra_dirs[i], strlen(extra_dirs[i]));
	ok = ok && search_add_list(search, secure_getenv("KATAIMG_BACKEND_PATH"));
	ok = ok && search_add(search, KATAIMG_BACKEND_DIR, strlen(KATAIMG_BACKEND_DIR));
	if (!ok) {
		backend_search_free(search);
		return NULL;
	}
	return search;
}

void backend_search_free(struct backend_search *search)
{
	if (!search)
		return;
	for (size_t i = 0; i < search->dirs.count; i++)
		free(search->dirs.items[i]);
	array_free(&search->dirs);
	free(search);
}

static bool name_byte_valid(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-';
}

bool backend_name_valid(const char *name, size_t len)
{
	if (len == 0 || len > NAME_MAX_BYTES || name[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!name_byte_valid(name[i]))
			return false;
	return true;
}

/* A file that is not there is passed over. Any other failure is reported by whoever opens the
 * file, who can say what is wrong. */
static bool may_be_there(const char *path)
{
	return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

int backend_search_find(const struct backend_search *search, const char *name, char **path)
{
	*path = NULL;
	if (builtin_find(name)) {
		*path = strdup(BUILTIN_PATH);
		return *path ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < search->dirs.count; i++) {
		char *candidate;

		if (asprintf(&candidate, "%s/" PREFIX "%s" SUFFIX, search->dirs.items[i], name) < 0)
			return -ENOMEM;
		if (may_be_there(candidate)) {
			*path = candidate;
			return 0;
		}
		free(candidate);
	}
	return 0;
}

int backend_name_of_path(const char *path, char **name)
{
	const char *slash = strrchr(path, '/');
	const char *file = slash ? slash + 1 : path;
	size_t len = strlen(file), around = strlen(PREFIX) + strlen(SUFFIX);

	*name = NULL;
	if (len <= around || strncmp(file, PREFIX, strlen(PREFIX)) != 0 ||
	    strcmp(file + len - strlen(SUFFIX), SUFFIX) != 0 ||
	    !backend_name_valid(file + strlen(PREFIX), len - around))
		return 0;
	*name = strndup(file + strlen(PREFIX), len - around);
	return *name ? 0 : -ENOMEM;
}

struct name_list {
	char **names;
	size_t count;
};

static bool list_has(const struct name_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->names[i], name) == 0)
			return true;
	return false;
}

/* Takes name over. */
static int list_add(struct name_list *list, char *name)
{
	autofree char *mine = name;
	char **names;

	if (!mine)
		return -ENOMEM;
	if (list_has(list, mine))
		return 0;
	names = reallocarray(list->names, list->count + 2, sizeof(*names));
	if (!names)
		return -ENOMEM;
	list->names = names;
	names[list->count++] = steal_ptr(&mine);
	names[list->count] = NULL;
	return 0;
}

static int list_add_builtin(struct name_list *list)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && builtin_backends[i]; i++)
		ret = list_add(list, strdup(builtin_backends[i]->name));
	return ret;
}

/* Adds the backend of that file, if it is one. */
static int list_add_file(struct name_list *list, const char *file)
{
	char *name;
	int ret = backend_name_of_path(file, &name);

	return ret < 0 || !name ? ret : list_add(list, name);
}

static int list_add_directory(struct name_list *list, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int ret = 0;

	if (!dir)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -errno;
	while (ret == 0) {
		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			ret = -errno;
			break;
		}
		ret = list_add_file(list, entry->d_name);
	}
	closedir(dir);
	return ret;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int backend_search_names(const struct backend_search *search, char ***names)
{
	struct name_list list = { calloc(1, sizeof(char *)), 0 };
	int ret = list.names ? list_add_builtin(&list) : -ENOMEM;

	for (size_t i = 0; ret == 0 && i < search->dirs.count; i++)
		ret = list_add_directory(&list, search->dirs.items[i]);
	if (ret < 0) {
		backend_names_free(list.names);
		return ret;
	}
	if (list.count > 0)
		qsort(list.names, list.count, sizeof(*list.names), compare_names);
	*names = list.names;
	return 0;
}

void backend_names_free(char **names)
{
	for (size_t i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

char *backend_search_describe(const struct backend_search *search)
{
	return shared_supported ? text_join(search->dirs.items, search->dirs.count)
				: strdup("this static kataimg");
}

int backend_search_confine(const struct backend_search *search, struct confine *confine,
			   struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < search->dirs.count; i++)
		ret = confine_allow(confine, search->dirs.items[i], CONFINE_READ, error);
	return ret;
}
