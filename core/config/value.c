/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/value.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/size.h"
#include "core/base/suggest.h"
#include "lib/checked.h"

int value_parse_bool(const char *text, bool *result, struct error *error)
{
	bool yes = strcmp(text, "yes") == 0;

	if (!yes && strcmp(text, "no") != 0)
		return error_usage(error, "neither yes nor no");
	*result = yes;
	return 0;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* Reads digits up to the first other byte. -EINVAL when there is none, -EOVERFLOW. */
static int parse_digits(const char *text, unsigned int base, uint64_t *number, const char **end)
{
	uint64_t value = 0;
	const char *c = text;

	for (; *c && (unsigned int)digit_value(*c) < base; c++) {
		if (checked_mul(value, base, &value) < 0 ||
		    checked_add(value, (uint64_t)digit_value(*c), &value) < 0)
			return -EOVERFLOW;
	}
	*number = value;
	*end = c;
	return c == text ? -EINVAL : 0;
}

static bool is_between(uint64_t value, uint64_t min, uint64_t max)
{
	return (min == 0 && max == 0) || (value >= min && value <= max);
}

int value_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *result,
		    struct error *error)
{
	bool hexadecimal = strncmp(text, "0x", 2) == 0;
	uint64_t value;
	const char *end;
	int ret;

	ret = parse_digits(hexadecimal ? text + 2 : text, hexadecimal ? 16 : 10, &value, &end);
	if (ret == -EOVERFLOW)
		return error_usage(error, "too large a number");
	if (ret < 0 || *end != '\0')
		return error_usage(error, "not a number");
	if (!is_between(value, min, max))
		return error_usage(error, "not between %" PRIu64 " and %" PRIu64, min, max);
	*result = value;
	return 0;
}

/* The factor of a unit at the end of a size; 0 when it is none. */
static uint64_t unit_factor(const char *unit)
{
	static const char letters[] = "KMGT";
	const char *found;

	if (*unit == '\0')
		return 1;
	unit += strspn(unit, " ");
	found = *unit ? strchr(letters, toupper((unsigned char)*unit)) : NULL;
	if (!found || (unit[1] != '\0' && strcasecmp(unit + 1, "iB") != 0))
		return 0;
	return UINT64_C(1) << (10 * (found - letters + 1));
}

/* "64MB" is 64,000,000 to some and 64 MiB to others: a guess would be wrong for one of them. */
static int fail_size(const char *text, const char *unit, struct error *error)
{
	int digits = (int)(unit - text);

	unit += strspn(unit, " ");
	if (digits > 0 && *unit && strchr("KMGTkmgt", *unit) && strcasecmp(unit + 1, "B") == 0)
		return error_usage(error, "not a size: for %.*s %ciB say %.*s%c", digits, text,
				   toupper((unsigned char)*unit), digits, text,
				   toupper((unsigned char)*unit));
	return error_usage(error, "not a size (a whole number, with K, M, G or T behind it for "
				  "multiples of 1024)");
}

int value_parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *result,
		     struct error *error)
{
	char low[SIZE_TEXT_BYTES], high[SIZE_TEXT_BYTES];
	uint64_t value, factor = 0;
	const char *end = text;
	int ret;

	ret = parse_digits(text, 10, &value, &end);
	if (ret == 0) {
		factor = unit_factor(end);
		ret = factor == 0 ? -EINVAL : checked_mul(value, factor, &value);
	}
	if (ret == -EOVERFLOW)
		return error_usage(error, "too large a size");
	if (ret < 0)
		return fail_size(text, end, error);
	if (!is_between(value, min, max))
		return error_usage(error, "not between %s and %s",
				   size_format(min, low, sizeof(low)),
				   size_format(max, high, sizeof(high)));
	*result = value;
	return 0;
}

int value_parse_choice(const char *text, const char *const *choices, unsigned int *index,
		       struct error *error)
{
	struct suggestion suggestion = { .word = text };
	char hint[SUGGEST_HINT_BYTES];

	for (unsigned int i = 0; choices[i]; i++) {
		if (strcmp(text, choices[i]) == 0) {
			*index = i;
			return 0;
		}
		suggest_offer(&suggestion, choices[i]);
	}
	error_usage(error, "not one of %s", choices[0]);
	for (unsigned int i = 1; choices[i]; i++)
		error_append(error, ", %s", choices[i]);
	error_append(error, "%s", suggest_hint(&suggestion, hint));
	return -EINVAL;
}

const char *value_join_choices(const char *const *choices, char *buf, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; choices[i] && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", i ? "|" : "", choices[i]);
	return buf;
}
