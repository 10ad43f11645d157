/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cleanup.h"
#include "core/config/suggest.h"
#include "core/config/value.h"

struct kataimg_option option_at(const struct option_table *table, uint64_t i)
{
	struct kataimg_option option = { 0 };
	size_t known = table->stride < sizeof(option) ? table->stride : sizeof(option);

	memcpy(&option, (const char *)table->options + i * table->stride, known);
	return option;
}

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

static int parse_defaults(const struct option_table *table, struct kataimg_value *values,
			  struct error *error)
{
	for (uint64_t i = 0; i < table->count; i++) {
		struct kataimg_option option = option_at(table, i);

		if (!option.default_value)
			continue;
		values[i].is_set = 1;
		if (parse_value(&option, option.default_value, &values[i], error) < 0)
			return error_prefix(error, "backend %s: default of %s = %s", table->section,
					    option.name, option.default_value);
	}
	return 0;
}

static int fail_unknown(const struct option_table *table, const char *name, struct error *error)
{
	struct suggestion suggestion = { .word = name };
	char hint[SUGGEST_HINT_BYTES];

	for (uint64_t i = 0; i < table->count; i++)
		suggest_offer(&suggestion, option_at(table, i).name);
	return error_usage(error, "unknown key%s", suggest_hint(&suggestion, hint));
}

static int find_option(const struct option_table *table, const char *name, uint64_t *index,
		       struct error *error)
{
	for (uint64_t i = 0; i < table->count; i++) {
		if (strcmp(option_at(table, i).name, name) == 0) {
			*index = i;
			return 0;
		}
	}
	return fail_unknown(table, name, error);
}

static int parse_pair(const struct option_table *table, const struct config_pair *pair,
		      struct kataimg_value *values, struct error *error)
{
	struct kataimg_option option;
	uint64_t index = 0;
	int ret = find_option(table, pair->name, &index, error);

	if (ret < 0)
		return ret;
	option = option_at(table, index);
	values[index].is_set = 1;
	values[index].is_given = 1;
	return parse_value(&option, pair->value, &values[index], error);
}

static int parse_pairs(const struct option_table *table, const struct config *config,
		       struct kataimg_value *values, struct error *error)
{
	char where[CONFIG_ORIGIN_BYTES];

	for (size_t i = 0; i < config->pair_count; i++) {
		const struct config_pair *pair = &config->pairs[i];

		if (strcmp(pair->section, table->section) != 0)
			continue;
		if (parse_pair(table, pair, values, error) < 0)
			return error_prefix(error, "%s: [%s] %s = %s",
					    config_origin_text(&pair->origin, where, sizeof(where)),
					    pair->section, pair->name, pair->value);
	}
	return 0;
}

int options_parse(const struct option_table *table, const struct config *config,
		  struct kataimg_value **values, struct error *error)
{
	autofree struct kataimg_value *parsed = calloc(table->count + 1, sizeof(*parsed));
	int ret;

	if (!parsed)
		return error_nomem(error);
	ret = parse_defaults(table, parsed, error);
	if (ret == 0)
		ret = parse_pairs(table, config, parsed, error);
	if (ret == 0)
		*values = steal_ptr(&parsed);
	return ret;
}
