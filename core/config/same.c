/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/same.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_list(const struct config_list *a, const struct config_list *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return a->count == b->count;
}

static bool same_range(const struct tree_id_range *a, const struct tree_id_range *b)
{
	return a->from == b->from && a->to == b->to && a->count == b->count;
}

static bool same_map(const struct tree_id_map *a, const struct tree_id_map *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++)
		if (!same_range(&a->ranges[i], &b->ranges[i]))
			return false;
	return a->count == b->count;
}

static bool same_bytes(const struct config_bytes *a, const struct config_bytes *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

bool config_same_value(const struct config *a, const struct config *b, const struct config_key *key)
{
	const void *x = (const char *)a + key->offset, *y = (const char *)b + key->offset;

	switch (key->type) {
	case CONFIG_BOOL:
		return *(const bool *)x == *(const bool *)y;
	case CONFIG_U64:
	case CONFIG_SIZE:
		return *(const uint64_t *)x == *(const uint64_t *)y;
	case CONFIG_ENUM:
		return *(const unsigned int *)x == *(const unsigned int *)y;
	case CONFIG_STRING:
	case CONFIG_PATH:
	case CONFIG_OUTPUT:
	case CONFIG_SOURCE:
	case CONFIG_BACKEND:
		return same_text(*(char *const *)x, *(char *const *)y);
	case CONFIG_LIST:
	case CONFIG_PATHS:
		return same_list(x, y);
	case CONFIG_ID_MAP:
		return same_map(x, y);
	case CONFIG_HEX:
		return same_bytes(x, y);
	}
	return false;
}
