/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/common/uuid.h"

#include <stdbool.h>
#include <string.h>

#include "plugins/common/refuse.h"

#include "lib/hex.h"

/* 8-4-4-4-12 hexadecimal digits. */
static bool parse_uuid(const char *text, uint8_t uuid[16])
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	static const uint8_t none[16];
	size_t digits = 0;

	if (strlen(text) != strlen(shape))
		return false;
	memset(uuid, 0, 16);
	for (size_t i = 0; shape[i]; i++) {
		int digit = hex_digit(text[i]);

		if (shape[i] == '-' ? text[i] != '-' : digit < 0)
			return false;
		if (shape[i] == '-')
			continue;
		uuid[digits / 2] |= (uint8_t)(digits % 2 ? digit : digit << 4);
		digits++;
	}
	return memcmp(uuid, none, sizeof(none)) != 0;
}

int uuid_from_option(const struct kataimg_host *host, const struct kataimg_option *options,
		     const struct kataimg_value *values, uint64_t index, const char *label,
		     uint8_t uuid[16])
{
	if (!values[index].is_set)
		return host->uuid(host->ctx, label, uuid);
	if (parse_uuid(values[index].string, uuid))
		return 0;
	return option_refuse(host, options, index,
			     "not a UUID: like 01234567-89ab-cdef-0123-456789abcdef, and not all "
			     "zeros");
}
