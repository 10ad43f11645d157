/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/print.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/size.h"
#include "core/base/text.h"
#include "core/config/shape.h"
#include "lib/hex.h"

#define ASSIGNMENT_WIDTH 40 /* origins stand below each other */

/* Needs no memory, of which a line would be half there without. */
static void print_line(FILE *out, const char *before, const char *name, const char *value,
		       const struct config_origin *origin)
{
	char where[CONFIG_ORIGIN_BYTES];
	int width = fprintf(out, "%s%s = %s", before, name, value);

	fprintf(out, "%*s ; ", width < ASSIGNMENT_WIDTH ? ASSIGNMENT_WIDTH - width : 0, "");
	text_print_line(out, config_origin_text(origin, where, sizeof(where)));
	fputc('\n', out);
}

static void take_size(uint64_t bytes, config_value_fn *take, void *arg)
{
	char text[32];

	take(arg, size_format(bytes, text, sizeof(text)));
}

static void take_number(uint64_t number, config_value_fn *take, void *arg)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	take(arg, text);
}

static void take_list(const struct config_list *list, config_value_fn *take, void *arg)
{
	for (size_t i = 0; i < list->count; i++)
		take(arg, list->items[i]);
}

static void take_map(const struct tree_id_map *map, config_value_fn *take, void *arg)
{
	char text[64];

	for (size_t i = 0; i < map->count; i++) {
		const struct tree_id_range *range = &map->ranges[i];

		snprintf(text, sizeof(text), "%" PRIu32 ":%" PRIu32 ":%" PRIu32, range->from,
			 range->to, range->count);
		take(arg, text);
	}
}

static void take_bytes(const struct config_bytes *bytes, config_value_fn *take, void *arg)
{
	char text[2 * CONFIG_BYTES_MAX + 1];

	hex_format(bytes->data, bytes->len, text);
	if (bytes->len > 0)
		take(arg, text);
}

static void take_text(const char *text, config_value_fn *take, void *arg)
{
	if (text)
		take(arg, text);
}

void config_each_value(const struct config *config, const struct config_key *key,
		       config_value_fn *take, void *arg)
{
	const void *member = (const char *)config + key->offset;

	switch (key->type) {
	case CONFIG_BOOL:
		return take(arg, *(const bool *)member ? "yes" : "no");
	case CONFIG_U64:
		return take_number(*(const uint64_t *)member, take, arg);
	case CONFIG_SIZE:
		return take_size(*(const uint64_t *)member, take, arg);
	case CONFIG_ENUM:
		return take(arg, key->choices[*(const unsigned int *)member]);
	case CONFIG_STRING:
	case CONFIG_PATH:
	case CONFIG_OUTPUT:
	case CONFIG_SOURCE:
	case CONFIG_BACKEND:
		return take_text(*(char *const *)member, take, arg);
	case CONFIG_LIST:
	case CONFIG_PATHS:
		return take_list(member, take, arg);
	case CONFIG_ID_MAP:
		return take_map(member, take, arg);
	case CONFIG_HEX:
		return take_bytes(member, take, arg);
	}
}

/* The lines of one key. */
struct lines {
	FILE *out;
	const char *name;
	const struct config_origin *origin;
};

static void print_value(void *arg, const char *text)
{
	const struct lines *lines = arg;

	print_line(lines->out, "", lines->name, text, lines->origin);
}

static void print_key(const struct config *config, const struct config_key *key, FILE *out)
{
	struct lines lines = { out, key->name, &config->origins[key - config_keys] };

	config_each_value(config, key, print_value, &lines);
}

void config_print(const struct config *config, FILE *out)
{
	const char *section = NULL;

	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];

		if (!section || strcmp(section, key->section) != 0)
			fprintf(out, "%s[%s]\n", section ? "\n" : "", key->section);
		section = key->section;
		if (config_key_applies(config, key))
			print_key(config, key, out);
	}
}

void config_print_backend(const struct config *config, const struct kataimg_backend *table,
			  FILE *out)
{
	static const struct config_origin by_default;

	fprintf(out, "\n[%s]\n", table->name);
	for (uint64_t i = 0; i < table->option_count; i++) {
		const struct kataimg_option *option = &table->options[i];
		const struct config_pair *pair =
			config_find_pair(config, table->name, option->name);

		if (pair)
			print_line(out, "", option->name, pair->value, &pair->origin);
		else if (option->default_value)
			print_line(out, "; ", option->name, option->default_value, &by_default);
	}
}
