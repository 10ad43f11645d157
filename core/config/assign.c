/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/assign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/artifact/place.h"
#include "core/config/value.h"
#include "core/source/source.h"
#include "lib/hex.h"

static void *member_of(struct config *config, const struct config_key *key)
{
	return (char *)config + key->offset;
}

static int assign_string(char **member, const char *value, struct error *error)
{
	char *copy = strdup(value);

	if (!copy)
		return error_nomem(error);
	free(*member);
	*member = copy;
	return 0;
}

static int assign_path(char **member, const char *value, const char *directory, struct error *error)
{
	char *joined;
	int ret;

	if (*value == '\0')
		return error_usage(error, "an empty path");
	if (!directory || *value == '/')
		return assign_string(member, value, error);
	if (asprintf(&joined, "%s/%s", directory, value) < 0)
		return error_nomem(error);
	ret = assign_string(member, joined, error);
	free(joined);
	return ret;
}

/* The first scheme bytes, "oci:" and the like, stay in front of the path. */
static int assign_behind(char **member, const char *value, size_t scheme, const char *directory,
			 struct error *error)
{
	char *joined;
	int ret;

	if (scheme == 0 || !directory)
		return assign_path(member, value, scheme ? NULL : directory, error);
	if (asprintf(&joined, "%.*s%s/%s", (int)scheme, value, directory, value + scheme) < 0)
		return error_nomem(error);
	ret = assign_string(member, joined, error);
	free(joined);
	return ret;
}

/* What is not here has no path. */
static int assign_source(char **member, const char *value, const char *directory,
			 struct error *error)
{
	size_t scheme;

	if (!source_is_relative(value, &scheme))
		return assign_string(member, value, error);
	return assign_behind(member, value, scheme, directory, error);
}

static int assign_output(char **member, const char *value, const char *directory,
			 struct error *error)
{
	size_t scheme = artifact_prefix(value);

	return assign_behind(member, value, scheme, value[scheme] == '/' ? NULL : directory, error);
}

static int assign_list_item(struct config_list *list, const char *value, const char *directory,
			    struct error *error)
{
	char **items;

	if (*value == '\0')
		return 0;
	items = reallocarray(list->items, list->count + 1, sizeof(*items));
	if (!items)
		return error_nomem(error);
	list->items = items;
	items[list->count++] = NULL;
	return assign_path(&items[list->count - 1], value, directory, error);
}

static int assign_bytes(struct config_bytes *member, const char *value, struct error *error)
{
	struct config_bytes bytes = { 0 };

	if (hex_parse(value, bytes.data, sizeof(bytes.data), &bytes.len) < 0)
		return error_usage(error,
				   "not hexadecimal digits, two a byte, of at most %zu bytes",
				   sizeof(bytes.data));
	*member = bytes;
	return 0;
}

int assign_value(struct config *config, const struct config_key *key, const char *value,
		 const char *directory, struct error *error)
{
	void *member = member_of(config, key);
	int ret = *value && key->check ? key->check(value, error) : 0;

	if (ret == 0 && key->is_output && strcmp(value, "-") == 0)
		ret = error_usage(error, "this is written to a file, not to standard output: name "
					 "it ./- if that is meant");
	if (ret < 0)
		return ret;
	switch (key->type) {
	case CONFIG_BOOL:
		return value_parse_bool(value, member, error);
	case CONFIG_U64:
		return value_parse_u64(value, key->min, key->max, member, error);
	case CONFIG_SIZE:
		return value_parse_size(value, key->min, key->max, member, error);
	case CONFIG_ENUM:
		return value_parse_choice(value, key->choices, member, error);
	case CONFIG_STRING:
		return assign_string(member, value, error);
	case CONFIG_PATH:
		if (*value == '\0')
			return assign_string(member, value, error);
		return assign_path(member, value, directory, error);
	case CONFIG_OUTPUT:
		return assign_output(member, value, directory, error);
	case CONFIG_SOURCE:
		return assign_source(member, value, directory, error);
	case CONFIG_BACKEND:
		return assign_path(member, value, strchr(value, '/') ? directory : NULL, error);
	case CONFIG_LIST:
		return assign_list_item(member, value, NULL, error);
	case CONFIG_PATHS:
		return assign_list_item(member, value, directory, error);
	case CONFIG_ID_MAP:
		return *value ? tree_id_map_add(member, value, error) : 0;
	case CONFIG_HEX:
		return assign_bytes(member, value, error);
	}
	return 0;
}

static void clear_list(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct config_list){ 0 };
}

static void clear_string(char **member)
{
	free(*member);
	*member = NULL;
}

void assign_clear(struct config *config, const struct config_key *key)
{
	switch (key->type) {
	case CONFIG_STRING:
	case CONFIG_PATH:
	case CONFIG_OUTPUT:
	case CONFIG_SOURCE:
	case CONFIG_BACKEND:
		clear_string(member_of(config, key));
		break;
	case CONFIG_LIST:
	case CONFIG_PATHS:
		clear_list(member_of(config, key));
		break;
	case CONFIG_ID_MAP:
		tree_id_map_free(member_of(config, key));
		break;
	default:
		break;
	}
}
