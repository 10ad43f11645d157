/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/absolute.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/artifact/place.h"
#include "core/source/source.h"
#include "lib/cleanup.h"

/* The first scheme_len bytes stay in front. */
static int make_absolute(char **member, size_t scheme_len, const char *directory,
			 struct error *error)
{
	const char *path = *member + scheme_len;
	char *absolute;

	while (strncmp(path, "./", 2) == 0)
		path += strspn(path + 1, "/") + 1;
	if (asprintf(&absolute, "%.*s%s/%s", (int)scheme_len, *member,
		     strcmp(directory, "/") == 0 ? "" : directory, path) < 0)
		return error_nomem(error);
	free(*member);
	*member = absolute;
	return 0;
}

static int convert_path(char **member, const char *directory, struct error *error)
{
	if (!*member || **member == '\0' || **member == '/')
		return 0;
	return make_absolute(member, 0, directory, error);
}

static int convert_source(char **member, const char *directory, struct error *error)
{
	size_t scheme_len;

	if (!*member || !source_is_relative(*member, &scheme_len))
		return 0;
	return make_absolute(member, scheme_len, directory, error);
}

static int convert_output(char **member, const char *directory, struct error *error)
{
	size_t scheme_len = artifact_prefix(*member);

	if (scheme_len == 0)
		return convert_path(member, directory, error);
	return (*member)[scheme_len] == '/' ? 0
					    : make_absolute(member, scheme_len, directory, error);
}

static int convert_list(struct config_list *list, const char *directory, struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < list->count; i++)
		ret = convert_path(&list->items[i], directory, error);
	return ret;
}

static int convert_key(void *member, enum config_type type, const char *directory,
		       struct error *error)
{
	switch (type) {
	case CONFIG_PATH:
		return convert_path(member, directory, error);
	case CONFIG_OUTPUT:
		return convert_output(member, directory, error);
	case CONFIG_SOURCE:
		return convert_source(member, directory, error);
	case CONFIG_BACKEND:
		return strchr(*(char **)member, '/') ? convert_path(member, directory, error) : 0;
	case CONFIG_PATHS:
		return convert_list(member, directory, error);
	default:
		return 0;
	}
}

int config_make_absolute(struct config *config, struct error *error)
{
	autofree char *directory = getcwd(NULL, 0);
	int ret = 0;

	if (!directory)
		return error_errno(error, errno, "the working directory");
	for (size_t i = 0; ret == 0 && i < config_key_count; i++)
		ret = convert_key((char *)config + config_keys[i].offset, config_keys[i].type,
				  directory, error);
	return ret;
}
