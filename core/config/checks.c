/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/checks.h"

#include <string.h>

#include "core/format/verity.h"
#include "core/tree/exclude.h"
#include "core/tree/owner.h"
#include "lib/hex.h"

int check_id_range(const char *value, struct error *error)
{
	struct tree_id_range range;

	return tree_id_range_parse(value, &range, error);
}

int check_pattern(const char *value, struct error *error)
{
	return tree_exclude_check(value, error);
}

int check_salt(const char *value, struct error *error)
{
	uint8_t salt[VERITY_SALT_MAX_BYTES];
	size_t len;

	if (hex_parse(value, salt, sizeof(salt), &len) < 0)
		return error_usage(error, "not hexadecimal digits, two a byte, of at most %d bytes",
				   VERITY_SALT_MAX_BYTES);
	return 0;
}

int check_name_part(const char *value, struct error *error)
{
	return strchr(value, '/') ? error_usage(error, "a part of a file's name has no /") : 0;
}
