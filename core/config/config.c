/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/suggest.h"
#include "core/config/assign.h"
#include "core/config/hint.h"
#include "core/config/pairs.h"
#include "lib/cleanup.h"

/* A value on its way in. */
struct setting {
	const char *section, *name, *value;
	const char *directory; /* of the file; NULL: the working directory */
	struct config_origin origin;
};

static bool is_from_file(const struct config_origin *origin)
{
	return origin->line != 0;
}

/* What stands in an image's own section is meant instead of what all have. */
static bool overrides(const struct config_origin *origin, const struct config_origin *earlier)
{
	return is_from_file(earlier) &&
	       (!is_from_file(origin) || (origin->image && !earlier->image));
}

/* What is said of a key of this origin is about [section] or [section image]. */
static int prefix_key(const struct config_origin *origin, const char *section, const char *name,
		      struct error *error)
{
	return error_prefix(error, "[%s%s%s] %s", section, origin->image ? " " : "",
			    origin->image ? origin->image : "", name);
}

const char *config_origin_text(const struct config_origin *origin, char *buf, size_t size)
{
	if (is_from_file(origin))
		snprintf(buf, size, "%s:%u", origin->name, origin->line);
	else
		snprintf(buf, size, "%s", origin->name ? origin->name : "default");
	return buf;
}

static int fail_unknown_key(const struct setting *setting, struct error *error)
{
	struct suggestion suggestion = { .word = setting->name };
	char hint[SUGGEST_HINT_BYTES];

	for (size_t i = 0; i < config_key_count; i++)
		if (strcmp(config_keys[i].section, setting->section) == 0)
			suggest_offer(&suggestion, config_keys[i].name);
	error_usage(error, "unknown key%s", suggest_hint(&suggestion, hint));
	return prefix_key(&setting->origin, setting->section, setting->name, error);
}

/* A key that the file gives twice is a mistake; given again elsewhere it is meant. */
static int check_repeated(const struct setting *setting, const struct config_origin *earlier,
			  struct error *error)
{
	if (!is_from_file(&setting->origin) || !is_from_file(earlier) ||
	    overrides(&setting->origin, earlier))
		return 0;
	error_usage(error, "already given in line %u", earlier->line);
	return prefix_key(&setting->origin, setting->section, setting->name, error);
}

int config_prefix_assignment(const struct config_origin *origin, const char *section,
			     const char *name, const char *value, struct error *error)
{
	return error_prefix(error, "[%s%s%s] %s = %.*s%s", section, origin->image ? " " : "",
			    origin->image ? origin->image : "", name, VALUE_SHOWN_BYTES, value,
			    strlen(value) > VALUE_SHOWN_BYTES ? "..." : "");
}

static int keep_given(char **given, const char *value, struct error *error)
{
	char *copy = strdup(value);

	if (!copy)
		return error_nomem(error);
	free(*given);
	*given = copy;
	return 0;
}

static int set_key(struct config *config, const struct config_key *key,
		   const struct setting *setting, struct error *error)
{
	size_t number = (size_t)(key - config_keys);
	struct config_origin *origin = &config->origins[number];

	if (!config_is_list(key)) {
		if (check_repeated(setting, origin, error) < 0)
			return -error->code;
	} else if (overrides(&setting->origin, origin)) {
		assign_clear(config, key);
	}
	*origin = setting->origin;
	if (keep_given(&config->given[number], setting->value, error) < 0)
		return -error->code;
	config->refused[number] =
		assign_value(config, key, setting->value, setting->directory, error) < 0;
	if (!config->refused[number])
		return 0;
	if (error->kind == ERROR_USAGE)
		error_append(error, "%s", value_hint(setting->value));
	return config_prefix_assignment(&setting->origin, setting->section, setting->name,
					setting->value, error);
}

static int replace_pair(struct config_pair *pair, const struct setting *setting,
			struct error *error)
{
	char *value;
	int ret = check_repeated(setting, &pair->origin, error);

	if (ret < 0)
		return ret;
	value = strdup(setting->value);
	if (!value)
		return error_nomem(error);
	free(pair->value);
	pair->value = value;
	pair->origin = setting->origin;
	return 0;
}

/* Which backend's section it is cannot be told before the filesystem is known. */
static int apply_pair(struct config *config, const struct setting *setting, struct error *error)
{
	const struct config_pair given = { .section = (char *)setting->section,
					   .name = (char *)setting->name,
					   .value = (char *)setting->value,
					   .origin = setting->origin };
	struct config_pair *pair = pair_find(config, setting->section, setting->name);

	if (pair)
		return replace_pair(pair, setting, error);
	if (section_meet(config, setting->section, &setting->origin, true) < 0 ||
	    pair_add(config, &given) < 0)
		return error_nomem(error);
	return 0;
}

static int apply(struct config *config, const struct setting *setting, struct error *error)
{
	const struct config_key *key = config_find_key(setting->section, setting->name);

	if (key)
		return set_key(config, key, setting, error);
	if (setting->section[0] == '\0')
		return error_usage(error, "%s: a key before the first [section]", setting->name);
	if (config_is_section(setting->section))
		return fail_unknown_key(setting, error);
	if (setting->name[0] == '\0')
		return error_usage(error, "[%s]: a value without a key", setting->section);
	return apply_pair(config, setting, error);
}

int config_init(struct config *config, struct error *error)
{
	*config = (struct config){ 0 };
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		int ret = key->default_value
				  ? assign_value(config, key, key->default_value, NULL, error)
				  : 0;

		if (ret < 0)
			return error_prefix(error, "default of [%s] %s", key->section, key->name);
	}
	return 0;
}

int config_read_environment(struct config *config, struct error *error)
{
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		const char *value = key->environment ? getenv(key->environment) : NULL;
		int ret = 0;

		if (value && *value)
			ret = config_collect(config,
					     config_set(config, key->section, key->name, value,
							key->environment, error),
					     error);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* A [section], or a key in it. */
static int take_record(struct config *config, const struct records *records,
		       const struct record *record, struct error *error)
{
	const char *image = record->image ? config->name : NULL;
	const struct config_origin origin = { config->path, record->line, image };
	const struct setting setting = { record->section, record->name, record->value,
					 records->directory, origin };

	if (record->name)
		return apply(config, &setting, error);
	if (config_is_section(record->section))
		return 0;
	return section_meet(config, record->section, &origin, false) < 0 ? error_nomem(error) : 0;
}

static int take_records(struct config *config, const struct records *records, bool of_image,
			struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < records->all.count; i++) {
		const struct record *record = &records->all.items[i];
		bool is_own =
			record->image && config->name && strcmp(record->image, config->name) == 0;

		if (of_image ? !is_own : record->image != NULL)
			continue;
		ret = take_record(config, records, record, error);
		if (ret < 0 && error->kind == ERROR_USAGE)
			error_prefix(error, "%s:%u", config->path, record->line);
		ret = mistakes_take(&config->mistakes, ret, record->line, error);
	}
	return ret;
}

int config_take_records(struct config *config, const struct records *records, struct error *error)
{
	int ret;

	config->path = strdup(records->path);
	if (!config->path)
		return error_nomem(error);
	ret = take_records(config, records, false, error);
	return ret < 0 ? ret : take_records(config, records, true, error);
}

int config_set(struct config *config, const char *section, const char *name, const char *value,
	       const char *origin, struct error *error)
{
	struct setting setting = { section, name, value, NULL, { .name = origin } };
	int ret = apply(config, &setting, error);

	return ret < 0 ? error_prefix(error, "%s", origin) : 0;
}

int config_set_assignment(struct config *config, const char *assignment, const char *origin,
			  struct error *error)
{
	autofree char *section = strdup(assignment);
	char *name, *value;

	if (!section)
		return error_nomem(error);
	value = strchr(section, '=');
	if (value)
		*value++ = '\0';
	name = strchr(section, '.');
	if (name)
		*name++ = '\0';
	if (!value || !name || *section == '\0' || *name == '\0')
		return error_usage(error, "%s: %s: not SECTION.KEY=VALUE", origin, assignment);
	return config_set(config, section, name, value, origin, error);
}

int config_collect(struct config *config, int ret, struct error *error)
{
	return mistakes_take(&config->mistakes, ret, 0, error);
}

static size_t number_of(const char *section, const char *name)
{
	return (size_t)(config_find_key(section, name) - config_keys);
}

const struct config_origin *config_origin_of(const struct config *config, const char *section,
					     const char *name)
{
	return &config->origins[number_of(section, name)];
}

bool config_is_given(const struct config *config, const char *section, const char *name)
{
	return config_origin_of(config, section, name)->name;
}

bool config_is_changed(const struct config *config, const char *section, const char *name)
{
	size_t number = number_of(section, name);
	const char *given = config->given[number], *value = config_keys[number].default_value;

	return given && !config->refused[number] && strcmp(given, value ? value : "") != 0;
}

/* Does a plain section say it for all images of the file, of which this is one? */
static bool is_inherited(const struct config *config, size_t number)
{
	const struct config_origin *origin = &config->origins[number];

	return config->has_sections && is_from_file(origin) && !origin->image;
}

static int drop_key(struct config *config, size_t number, struct error *error)
{
	const struct config_key *key = &config_keys[number];

	assign_clear(config, key);
	free(steal_ptr(&config->given[number]));
	config->origins[number] = (struct config_origin){ 0 };
	return key->default_value ? assign_value(config, key, key->default_value, NULL, error) : 0;
}

static int fail_key(const struct config *config, size_t number, struct error *error,
		    const char *fmt, va_list args)
{
	const struct config_key *key = &config_keys[number];
	const char *given = config->given[number];
	char where[CONFIG_ORIGIN_BYTES];

	error->kind = ERROR_USAGE;
	error_vset(error, EINVAL, fmt, args);
	config_prefix_assignment(&config->origins[number], key->section, key->name,
				 given ? given : key->default_value, error);
	return error_prefix(error, "%s",
			    config_origin_text(&config->origins[number], where, sizeof(where)));
}

int config_fail_key(const struct config *config, const char *section, const char *name,
		    struct error *error, const char *fmt, ...)
{
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = fail_key(config, number_of(section, name), error, fmt, args);
	va_end(args);
	return ret;
}

static int refuse_key(struct config *config, size_t number, struct error *error, const char *fmt,
		      va_list args)
{
	int ret = fail_key(config, number, error, fmt, args);

	return mistakes_take(&config->mistakes, ret, config->origins[number].line, error);
}

int config_refuse_key(struct config *config, const char *section, const char *name,
		      struct error *error, const char *fmt, ...)
{
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = refuse_key(config, number_of(section, name), error, fmt, args);
	va_end(args);
	return ret;
}

int config_refuse_own_key(struct config *config, const char *section, const char *name,
			  struct error *error, const char *fmt, ...)
{
	size_t number = number_of(section, name);
	va_list args;
	int ret;

	if (is_inherited(config, number))
		return drop_key(config, number, error);
	va_start(args, fmt);
	ret = refuse_key(config, number, error, fmt, args);
	va_end(args);
	return ret;
}

void config_free(struct config *config)
{
	for (size_t i = 0; i < config_key_count; i++)
		assign_clear(config, &config_keys[i]);
	pairs_free(config);
	for (size_t i = 0; i < config_key_count; i++)
		free(config->given[i]);
	mistakes_clear(&config->mistakes);
	free(config->path);
	free(config->name);
	*config = (struct config){ 0 };
}
