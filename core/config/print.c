/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/size.h"
#include "core/base/text.h"
#include "core/config/shape.h"
#include "lib/cleanup.h"
#include "lib/hex.h"

static void print_line(FILE *out, const char *name, const char *value,
		       const struct config_origin *origin)
{
	char where[CONFIG_ORIGIN_BYTES];
	autofree char *assignment = NULL;
	autofree char *text = text_line(config_origin_text(origin, where, sizeof(where)));

	if (asprintf(&assignment, "%s = %s", name, value) < 0) {
		assignment = NULL;
		return;
	}
	fprintf(out, "%-40s ; %s\n", assignment, text ? text : "");
}

static void print_list(FILE *out, const struct config_key *key, const struct config_list *list,
		       const struct config_origin *origin)
{
	for (size_t i = 0; i < list->count; i++)
		print_line(out, key->name, list->items[i], origin);
}

static void print_map(FILE *out, const struct config_key *key, const struct tree_id_map *map,
		      const struct config_origin *origin)
{
	char text[64];

	for (size_t i = 0; i < map->count; i++) {
		const struct tree_id_range *range = &map->ranges[i];

		snprintf(text, sizeof(text), "%" PRIu32 ":%" PRIu32 ":%" PRIu32, range->from,
			 range->to, range->count);
		print_line(out, key->name, text, origin);
	}
}

static void print_bytes(FILE *out, const struct config_key *key, const struct config_bytes *bytes,
			const struct config_origin *origin)
{
	char text[2 * CONFIG_BYTES_MAX + 1];

	hex_format(bytes->data, bytes->len, text);
	if (bytes->len > 0)
		print_line(out, key->name, text, origin);
}

static void print_key(const struct config *config, const struct config_key *key, FILE *out)
{
	const struct config_origin *origin = &config->origins[key - config_keys];
	const void *member = (const char *)config + key->offset;
	const char *text = NULL;
	char number[32];

	switch (key->type) {
	case CONFIG_BOOL:
		text = *(const bool *)member ? "yes" : "no";
		break;
	case CONFIG_U64:
		snprintf(number, sizeof(number), "%" PRIu64, *(const uint64_t *)member);
		text = number;
		break;
	case CONFIG_SIZE:
		text = size_format(*(const uint64_t *)member, number, sizeof(number));
		break;
	case CONFIG_ENUM:
		text = key->choices[*(const unsigned int *)member];
		break;
	case CONFIG_STRING:
	case CONFIG_PATH:
	case CONFIG_OUTPUT:
	case CONFIG_SOURCE:
	case CONFIG_BACKEND:
		text = *(char *const *)member;
		break;
	case CONFIG_LIST:
	case CONFIG_PATHS:
		print_list(out, key, member, origin);
		break;
	case CONFIG_ID_MAP:
		print_map(out, key, member, origin);
		break;
	case CONFIG_HEX:
		print_bytes(out, key, member, origin);
		break;
	}
	if (text)
		print_line(out, key->name, text, origin);
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

static void print_default(FILE *out, const struct kataimg_option *option)
{
	static const struct config_origin by_default;
	autofree char *comment = NULL;

	if (asprintf(&comment, "; %s", option->name) < 0) {
		comment = NULL;
		return;
	}
	print_line(out, comment, option->default_value, &by_default);
}

void config_print_backend(const struct config *config, const struct kataimg_backend *table,
			  FILE *out)
{
	fprintf(out, "\n[%s]\n", table->name);
	for (uint64_t i = 0; i < table->option_count; i++) {
		const struct kataimg_option *option = &table->options[i];
		const struct config_pair *pair =
			config_find_pair(config, table->name, option->name);

		if (pair)
			print_line(out, option->name, pair->value, &pair->origin);
		else if (option->default_value)
			print_default(out, option);
	}
}
