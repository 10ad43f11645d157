/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/suggest.h"
#include "core/config/hint.h"
#include "core/config/value.h"
#include "lib/calloc64.h"
#include "lib/cleanup.h"

static int parse_string(const struct kataimg_option *option, const char *text, const char **string,
			struct error *error)
{
	if (option->max != 0 && strlen(text) > option->max)
		return error_usage(error, "longer than %" PRIu64 " bytes", option->max);
	*string = text;
	return 0;
}

static int parse_choice(const struct kataimg_option *option, const char *text,
			struct kataimg_value *value, struct error *error)
{
	unsigned int index;
	int ret = value_parse_choice(text, option->choices, &index, error);

	if (ret == 0) {
		value->number = index;
		value->string = option->choices[index];
	}
	return ret;
}

static int parse_bool(const char *text, uint64_t *number, struct error *error)
{
	bool yes = false;
	int ret = value_parse_bool(text, &yes, error);

	*number = yes;
	return ret;
}

static int parse_value(const struct kataimg_option *option, const char *text,
		       struct kataimg_value *value, struct error *error)
{
	switch (option->type) {
	case KATAIMG_OPT_BOOL:
		return parse_bool(text, &value->number, error);
	case KATAIMG_OPT_U64:
		return value_parse_u64(text, option->min, option->max, &value->number, error);
	case KATAIMG_OPT_SIZE:
		return value_parse_size(text, option->min, option->max, &value->number, error);
	case KATAIMG_OPT_ENUM:
		return parse_choice(option, text, value, error);
	case KATAIMG_OPT_STRING:
		return parse_string(option, text, &value->string, error);
	}
	return error_set(error, EINVAL, "the backend declares an option type that is unknown here");
}

static int parse_default(const struct kataimg_backend *table, const struct kataimg_option *option,
			 struct kataimg_value *value, struct error *error)
{
	if (!option->default_value)
		return 0;
	value->is_set = 1;
	if (parse_value(option, option->default_value, value, error) < 0)
		return error_prefix(error, "backend %s: default of %s = %s", table->name,
				    option->name, option->default_value);
	return 0;
}

static int fail_unknown(const struct kataimg_backend *table, const char *name, struct error *error)
{
	struct suggestion suggestion = { .word = name };
	char hint[SUGGEST_HINT_BYTES];

	for (uint64_t i = 0; i < table->option_count; i++)
		suggest_offer(&suggestion, table->options[i].name);
	return error_usage(error, "the backend has no such key%s", suggest_hint(&suggestion, hint));
}

static const struct kataimg_option *find_option(const struct kataimg_backend *table,
						const char *name)
{
	for (uint64_t i = 0; i < table->option_count; i++)
		if (strcmp(table->options[i].name, name) == 0)
			return &table->options[i];
	return NULL;
}

static int parse_pair(const struct kataimg_backend *table, const struct config_pair *pair,
		      struct kataimg_value *values, struct error *error)
{
	const struct kataimg_option *option = find_option(table, pair->name);
	struct kataimg_value *value;

	if (!option)
		return fail_unknown(table, pair->name, error);
	value = &values[option - table->options];
	value->is_set = 1;
	value->is_given = 1;
	return parse_value(option, pair->value, value, error);
}

/* Where a pair comes from and what it says, in front of an error. */
static int prefix_pair(const struct config_pair *pair, struct error *error)
{
	char where[CONFIG_ORIGIN_BYTES];

	config_prefix_assignment(&pair->origin, pair->section, pair->name, pair->value, error);
	return error_prefix(error, "%s", config_origin_text(&pair->origin, where, sizeof(where)));
}

static int parse_placed(const struct kataimg_backend *table, const struct config_pair *pair,
			struct kataimg_value *values, struct error *error)
{
	if (parse_pair(table, pair, values, error) == 0)
		return 0;
	if (error->kind == ERROR_USAGE)
		error_append(error, "%s", value_hint(pair->value));
	return prefix_pair(pair, error);
}

void options_refuse(const struct config *config, const struct kataimg_backend *table,
		    uint64_t index, const char *why, struct error *error)
{
	const struct kataimg_option *option =
		index < table->option_count ? &table->options[index] : NULL;
	const struct config_pair *pair =
		option ? config_find_pair(config, table->name, option->name) : NULL;

	error_usage(error, "%s", why);
	if (pair)
		prefix_pair(pair, error);
	else if (option)
		error_prefix(error, "[%s] %s, by default", table->name, option->name);
	else
		error_prefix(error, "%s", table->name);
}

static int parse_pairs(const struct config *config, const struct kataimg_backend *table,
		       struct kataimg_value *values, struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < config->pair_count; i++)
		if (strcmp(config->pairs[i].section, table->name) == 0)
			ret = parse_placed(table, &config->pairs[i], values, error);
	return ret;
}

static int parse_defaults(const struct kataimg_backend *table, struct kataimg_value **values,
			  struct error *error)
{
	autofree struct kataimg_value *parsed = calloc64(table->option_count + 1, sizeof(*parsed));
	int ret = 0;

	if (!parsed)
		return error_nomem(error);
	for (uint64_t i = 0; ret == 0 && i < table->option_count; i++)
		ret = parse_default(table, &table->options[i], &parsed[i], error);
	if (ret == 0)
		*values = steal_ptr(&parsed);
	return ret;
}

bool options_is_default(const struct kataimg_backend *table, uint64_t index,
			const struct kataimg_value *value)
{
	struct kataimg_value preset = { 0 };
	struct error error = ERROR_INIT;
	int ret = parse_default(table, &table->options[index], &preset, &error);

	error_clear(&error);
	return ret == 0 && preset.is_set == value->is_set && preset.number == value->number &&
	       (!preset.string || strcmp(preset.string, value->string) == 0);
}

int options_parse(const struct config *config, const struct kataimg_backend *table,
		  struct kataimg_value **values, struct error *error)
{
	autofree struct kataimg_value *parsed = NULL;
	int ret = parse_defaults(table, &parsed, error);

	if (ret == 0)
		ret = parse_pairs(config, table, parsed, error);
	if (ret == 0)
		*values = steal_ptr(&parsed);
	return ret;
}

static bool is_choice(const struct kataimg_option *option)
{
	return option->type == KATAIMG_OPT_ENUM || option->type == KATAIMG_OPT_BOOL;
}

/* whole becomes false when a choice is wrong: then the backend cannot be tried with these
 * values. */
static int check_pair(struct config *config, const struct kataimg_backend *table,
		      const struct config_pair *pair, struct kataimg_value *values, bool *whole,
		      struct error *error)
{
	const struct kataimg_option *option = find_option(table, pair->name);
	struct kataimg_value *value = option ? &values[option - table->options] : NULL;
	struct kataimg_value before = option ? *value : (struct kataimg_value){ 0 };
	int ret = parse_placed(table, pair, values, error);

	if (ret < 0 && option) {
		*value = before;
		*whole = *whole && !is_choice(option);
	}
	return mistakes_take(&config->mistakes, ret, pair->origin.line, error);
}

int options_check(struct config *config, const struct kataimg_backend *table,
		  struct kataimg_value **values, struct error *error)
{
	autofree struct kataimg_value *parsed = NULL;
	bool whole = true;
	int ret = parse_defaults(table, &parsed, error);

	*values = NULL;
	for (size_t i = 0; ret == 0 && i < config->pair_count; i++) {
		const struct config_pair *pair = &config->pairs[i];

		if (strcmp(pair->section, table->name) == 0)
			ret = check_pair(config, table, pair, parsed, &whole, error);
	}
	if (ret == 0 && whole)
		*values = steal_ptr(&parsed);
	return ret;
}

const char *option_describe_type(const struct kataimg_option *option, char *buf, size_t size)
{
	static const char *const words[] = {
		[KATAIMG_OPT_BOOL] = "yes|no",
		[KATAIMG_OPT_U64] = "NUMBER",
		[KATAIMG_OPT_SIZE] = "SIZE",
		[KATAIMG_OPT_STRING] = "STRING",
	};

	if (option->type == KATAIMG_OPT_ENUM)
		return value_join_choices(option->choices, buf, size);
	snprintf(buf, size, "%s", words[option->type]);
	return buf;
}
