/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/checks.h"

#include <string.h>

#include "core/tree/exclude.h"

int check_pattern(const char *value, struct error *error)
{
	return tree_exclude_check(value, error);
}

int check_name_part(const char *value, struct error *error)
{
	return strchr(value, '/') ? error_usage(error, "a part of a file's name has no /") : 0;
}
