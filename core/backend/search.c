/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/search.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "kataimg-"
#define SUFFIX "-backend.so"
#define NAME_MAX_BYTES 32

struct backend_search {
	char **dirs;
	size_t count;
};

static bool search_add(struct backend_search *search, const char *dir, size_t len)
{
	char **dirs = realloc(search->dirs, (search->count + 1) * sizeof(*dirs));

	if (!dirs)
		return false;
	search->dirs = dirs;
	dirs[search->count] = strndup(dir, len);
	if (!dirs[search->count])
		return false;
	search->count++;
	return true;
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
	for (size_t i = 0; i < search->count; i++)
		free(search->dirs[i]);
	free(search->dirs);
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

char *backend_search_find(const struct backend_search *search, const char *name)
{
	for (size_t i = 0; i < search->count; i++) {
		char *path;

		if (asprintf(&path, "%s/" PREFIX "%s" SUFFIX, search->dirs[i], name) < 0)
			return NULL;
		if (access(path, F_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

char *backend_name_of_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *file = slash ? slash + 1 : path;
	size_t len = strlen(file), around = strlen(PREFIX) + strlen(SUFFIX);

	if (len <= around || strncmp(file, PREFIX, strlen(PREFIX)) != 0 ||
	    strcmp(file + len - strlen(SUFFIX), SUFFIX) != 0 ||
	    !backend_name_valid(file + strlen(PREFIX), len - around))
		return NULL;
	return strndup(file + strlen(PREFIX), len - around);
}

struct name_list {
	char **names;
	size_t count;
};

/* Takes the name over. */
static bool list_add(struct name_list *list, char *name)
{
	char **names;

	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->names[i], name) == 0) {
			free(name);
			return true;
		}
	names = realloc(list->names, (list->count + 2) * sizeof(*names));
	if (!names) {
		free(name);
		return false;
	}
	list->names = names;
	names[list->count++] = name;
	names[list->count] = NULL;
	return true;
}

static bool list_add_directory(struct name_list *list, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool ok = true;

	while (ok && dir && (entry = readdir(dir))) {
		char *name = backend_name_of_path(entry->d_name);

		if (name)
			ok = list_add(list, name);
	}
	if (dir)
		closedir(dir);
	return ok;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **backend_search_names(const struct backend_search *search)
{
	struct name_list list = { calloc(1, sizeof(char *)), 0 };

	for (size_t i = 0; list.names && i < search->count; i++)
		if (!list_add_directory(&list, search->dirs[i])) {
			backend_names_free(list.names);
			return NULL;
		}
	if (list.count > 0)
		qsort(list.names, list.count, sizeof(*list.names), compare_names);
	return list.names;
}

void backend_names_free(char **names)
{
	for (size_t i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

char *backend_search_describe(const struct backend_search *search)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	for (size_t i = 0; i < search->count; i++)
		fprintf(stream, "%s%s", i ? ", " : "", search->dirs[i]);
	if (fclose(stream) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
