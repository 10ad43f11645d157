/* SPDX-License-Identifier: Apache-2.0 */
/* Which values an INI file can hold: there are no quotes and no escapes in it (config/inifile.h).
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/config/print.h"
#include "lib/cleanup.h"

static bool is_white(char c)
{
	return c == ' ' || c == '\t';
}

/* A ; begins a comment when white space stands in front of it. That holds for the first byte of a
 * value, too: a blank stands between it and the =. */
static bool has_comment(const char *value)
{
	for (const char *at = value; (at = strchr(at, ';')); at++)
		if (at == value || is_white(at[-1]))
			return true;
	return false;
}

/* Control characters would also command the terminal that the file is shown on. 1: there are some;
 * 0: none; -ENOMEM. */
static int has_controls(const char *value, struct error *error)
{
	autofree char *copy = strdup(value);

	if (!copy)
		return error_nomem(error);
	for (char *tab = copy; (tab = strchr(tab, '\t'));)
		*tab = ' ';
	return !text_is_plain(copy);
}

static int check_value(const char *section, const char *name, const char *value,
		       const struct config_origin *origin, struct error *error)
{
	char where[CONFIG_ORIGIN_BYTES];
	const char *why = NULL;
	int ret;

	if (!value || *value == '\0')
		return 0;
	ret = has_controls(value, error);
	if (ret < 0)
		return ret;
	if (ret)
		why = "it has control characters, or is no UTF-8";
	else if (is_white(value[0]) || is_white(value[strlen(value) - 1]))
		why = "white space at its ends would be lost";
	else if (has_comment(value))
		why = "the ; would begin a comment";
	if (!why)
		return 0;
	return error_usage(
		error, "%s: [%s] %s = %s: --explain cannot put that into an INI file: %s",
		config_origin_text(origin, where, sizeof(where)), section, name, value, why);
}

static int check_list(const struct config_key *key, const struct config_list *list,
		      const struct config_origin *origin, struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < list->count; i++)
		ret = check_value(key->section, key->name, list->items[i], origin, error);
	return ret;
}

static int check_key(const struct config *config, const struct config_key *key, struct error *error)
{
	const struct config_origin *origin = &config->origins[key - config_keys];
	const void *member = (const char *)config + key->offset;

	switch (key->type) {
	case CONFIG_STRING:
	case CONFIG_PATH:
	case CONFIG_OUTPUT:
	case CONFIG_SOURCE:
	case CONFIG_BACKEND:
		return check_value(key->section, key->name, *(char *const *)member, origin, error);
	case CONFIG_LIST:
	case CONFIG_PATHS:
		return check_list(key, member, origin, error);
	default:
		return 0;
	}
}

int config_check_printable(const struct config *config, const struct kataimg_backend *table,
			   struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < config_key_count; i++)
		ret = check_key(config, &config_keys[i], error);
	for (size_t i = 0; ret == 0 && i < config->pair_count; i++) {
		const struct config_pair *pair = &config->pairs[i];

		if (strcmp(pair->section, table->name) == 0)
			ret = check_value(pair->section, pair->name, pair->value, &pair->origin,
					  error);
	}
	return ret;
}
