/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/pax.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"

#define SECOND_NS 1000000000
#define SECOND_DIGITS 9

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int pax_put(struct pax *pax, const char *key, size_t key_len, const char *value, size_t len)
{
	struct pax_record record = { arena_text(&pax->arena, key, key_len),
				     arena_text(&pax->arena, value, len), len };

	if (!record.key || !record.value)
		return -ENOMEM;
	if (pax->count == pax->room &&
	    array_grow(&pax->records, &pax->room, pax->count, 1, sizeof(*pax->records)) < 0)
		return -ENOMEM;
	pax->records[pax->count++] = record;
	return 0;
}

/* One record at the start of bytes: *len is how many it has. */
static int take_record(struct pax *pax, const char *bytes, size_t left, size_t *len)
{
	const char *key, *equals;
	size_t at = 0, said = 0;

	for (; at < left && is_digit(bytes[at]) && said <= left; at++)
		said = 10 * said + (size_t)(bytes[at] - '0');
	if (at == 0 || said > left || said <= at || bytes[said - 1] != '\n')
		return -EINVAL;
	if (bytes[at] != ' ' && bytes[at] != '\t')
		return -EINVAL;
	while (bytes[at] == ' ' || bytes[at] == '\t')
		at++;
	key = bytes + at;
	equals = memchr(key, '=', said - 1 - at);
	if (!equals || equals == key || memchr(key, '\0', (size_t)(equals - key)))
		return -EINVAL;
	*len = said;
	return pax_put(pax, key, (size_t)(equals - key), equals + 1,
		       (size_t)(bytes + said - 1 - (equals + 1)));
}

int pax_add(struct pax *pax, const char *bytes, size_t len, size_t *at)
{
	/* Some writers fill the last block into the header's length. */
	for (*at = 0; *at < len && bytes[*at] != '\0';) {
		size_t used = 0;
		int ret = take_record(pax, bytes + *at, len - *at, &used);

		if (ret < 0)
			return ret;
		*at += used;
	}
	return 0;
}

void pax_clear(struct pax *pax)
{
	arena_free(&pax->arena);
	free(pax->records);
	*pax = (struct pax){ 0 };
}

static const struct pax_record *find_last(const struct pax *pax, const char *key)
{
	for (size_t i = pax->count; i > 0; i--)
		if (strcmp(pax->records[i - 1].key, key) == 0)
			return &pax->records[i - 1];
	return NULL;
}

const struct pax_record *pax_find(const struct pax *own, const struct pax *global, const char *key)
{
	const struct pax_record *record = find_last(own, key);

	if (!record)
		record = find_last(global, key);
	return record && record->len > 0 ? record : NULL;
}

/* Digits from *at on, of a number below zero when it is negative; -ERANGE beyond 64 bits. */
static int take_digits(const char **at, bool negative, int64_t *value)
{
	const char *start = *at;

	for (*value = 0; is_digit(**at); (*at)++) {
		const int digit = **at - '0';

		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, negative ? -digit : digit, value))
			return -ERANGE;
	}
	return *at > start ? 0 : -EINVAL;
}

/* The digits behind a point as nanoseconds; *rest: are there more that are not 0? */
static uint32_t take_fraction(const char **at, bool *rest)
{
	uint32_t value = 0;
	int digits = 0;

	for (*rest = false; is_digit(**at); (*at)++) {
		if (digits++ < SECOND_DIGITS)
			value = 10 * value + (uint32_t)(**at - '0');
		else
			*rest |= **at != '0';
	}
	for (; digits < SECOND_DIGITS; digits++)
		value *= 10;
	return value;
}

int pax_time(const struct pax_record *record, int64_t *seconds, uint32_t *nanoseconds)
{
	const char *at = record->value;
	bool negative = *at == '-', rest = false;
	uint32_t fraction = 0;
	int64_t whole;
	int ret;

	at += negative;
	ret = take_digits(&at, negative, &whole);
	if (ret < 0)
		return ret;
	if (*at == '.') {
		at++;
		fraction = take_fraction(&at, &rest);
	}
	if (at != record->value + record->len)
		return -EINVAL;
	fraction += negative && rest;
	if (__builtin_sub_overflow(whole, negative && fraction > 0, seconds))
		return -ERANGE;
	*nanoseconds = negative && fraction > 0 ? SECOND_NS - fraction : fraction;
	return 0;
}

int pax_number(const struct pax_record *record, int64_t *value)
{
	const char *at = record->value;
	int ret = take_digits(&at, false, value);

	return ret == 0 && at != record->value + record->len ? -EINVAL : ret;
}
