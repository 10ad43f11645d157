/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/glob.h"

#include <stddef.h>
#include <string.h>

/* One of "[...]", which ends at *end; without an end the bracket is an ordinary byte. */
static bool match_bracket(const char *pattern, unsigned char byte, const char **end)
{
	const char *at = pattern + 1;
	bool negated = *at == '!' || *at == '^', found = false;
	const char *first = at + negated;

	for (at = first; *at && (at == first || *at != ']'); at++) {
		unsigned char low = (unsigned char)*at, high = low;

		if (at[1] == '-' && at[2] && at[2] != ']') {
			high = (unsigned char)at[2];
			at += 2;
		}
		found |= low <= byte && byte <= high;
	}
	if (!*at) {
		*end = pattern + 1;
		return byte == '[';
	}
	*end = at + 1;
	return found != negated;
}

/* "**" that is a whole component, of a pattern whose earlier byte is before. */
static bool is_any_directories(const char *pattern, char before)
{
	return before == '/' && pattern[0] == '*' && pattern[1] == '*' &&
	       (pattern[2] == '/' || pattern[2] == '\0');
}

static bool match(const char *pattern, const char *text, char before);

static bool match_directories(const char *pattern, const char *text)
{
	if (pattern[2] == '\0')
		return *text != '\0';
	while (text) {
		if (match(pattern + 3, text, '/'))
			return true;
		text = strchr(text, '/');
		text = text ? text + 1 : NULL;
	}
	return false;
}

static bool match_star(const char *pattern, const char *text)
{
	for (;; text++) {
		if (match(pattern + 1, text, '*'))
			return true;
		if (*text == '\0' || *text == '/')
			return false;
	}
}

static bool match(const char *pattern, const char *text, char before)
{
	while (*pattern) {
		const char *next = pattern + 1;

		if (is_any_directories(pattern, before))
			return match_directories(pattern, text);
		if (*pattern == '*')
			return match_star(pattern, text);
		if (*text == '\0')
			return false;
		if (*pattern == '?' || *pattern == '[') {
			if (*text == '/')
				return false;
			if (*pattern == '[' && !match_bracket(pattern, (unsigned char)*text, &next))
				return false;
		} else {
			if (*pattern == '\\' && pattern[1])
				next = ++pattern + 1;
			if (*pattern != *text)
				return false;
		}
		before = next[-1];
		pattern = next;
		text++;
	}
	return *text == '\0';
}

bool glob_match(const char *pattern, const char *text)
{
	return match(pattern, text, '/');
}
