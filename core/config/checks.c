/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/checks.h"

#include <ctype.h>
#include <string.h>

#include "core/artifact/artifact.h"
#include "core/base/text.h"
#include "core/config/records.h"
#include "core/format/gpt.h"
#include "core/tree/exclude.h"
#include "lib/bytes.h"

int check_pattern(const char *value, struct error *error)
{
	return tree_exclude_check(value, error);
}

int check_extension(const char *value, struct error *error)
{
	return record_name_valid(value)
		       ? 0
		       : error_usage(error,
				     "a name of an extension has letters, digits and ._- only");
}

int check_name_part(const char *value, struct error *error)
{
	return strchr(value, '/') ? error_usage(error, "a part of a file's name has no /") : 0;
}

int check_guid(const char *value, struct error *error)
{
	uint8_t guid[GUID_BYTES];

	if (guid_parse(value, guid) < 0)
		return error_usage(error, "not a GUID, 8-4-4-4-12 hexadecimal digits");
	return bytes_are_zero(guid, sizeof(guid)) ? error_usage(error, "zeros are no GUID") : 0;
}

int check_partition_name(const char *value, struct error *error)
{
	if (!text_is_plain(value))
		return error_usage(error, "not a name: it has control characters, or is no UTF-8");
	if (gpt_name_units(value) == SIZE_MAX)
		return error_usage(error, "not a name: a GPT has no characters beyond U+FFFF");
	return gpt_name_units(value) > GPT_NAME_UNITS
		       ? error_usage(error, "too long for a GPT, whose names have %d characters",
				     GPT_NAME_UNITS)
		       : 0;
}

int check_file_name(const char *value, struct error *error)
{
	if (strlen(value) > ARTIFACT_NAME_BYTES_MAX)
		return error_usage(error, "longer than %d bytes", ARTIFACT_NAME_BYTES_MAX);
	if (strchr(value, '/') || strcmp(value, ".") == 0 || strcmp(value, "..") == 0)
		return error_usage(error, "not the name of a file");
	return 0;
}

static size_t type_part(const char *text)
{
	return isalnum((unsigned char)*text) ? strspn(text, "abcdefghijklmnopqrstuvwxyz"
							    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
							    "0123456789!#$&-^_.+")
					     : 0;
}

int check_media_type(const char *value, struct error *error)
{
	size_t type = type_part(value);
	size_t subtype = type && value[type] == '/' ? type_part(value + type + 1) : 0;

	if (subtype == 0 || value[type + 1 + subtype] != '\0')
		return error_usage(error, "no media type, as application/vnd.example.disk is one");
	return 0;
}
