/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/hint.h"

#include <string.h>

const char *value_hint(const char *value)
{
	size_t len = strlen(value);

	if (len > 0 && strchr("\"'", value[len - 1]))
		return " (quotes are part of the value: leave them out)";
	if (strstr(value, " #") || strstr(value, "\t#"))
		return " (a comment at the end of a line starts with ;)";
	if (*value == '~' || strstr(value, "/~") || strchr(value, '$'))
		return " (~ and $ are not expanded)";
	return "";
}
