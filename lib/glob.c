/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/glob.h"

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

/* Does the pattern begin with what matches the byte? Then *pattern is moved behind it. */
static bool match_byte(const char **pattern, char byte)
{
	const char *at = *pattern, *end = at + 1;

	if (*at == '?' || *at == '[') {
		if (byte == '/' || (*at == '[' && !match_bracket(at, (unsigned char)byte, &end)))
			return false;
	} else {
		if (*at == '\\' && at[1])
			end = ++at + 1;
		if (*at != byte)
			return false;
	}
	*pattern = end;
	return true;
}

/* "**" that is a whole component, at the start of one. */
static bool is_any_directories(const char *pattern)
{
	return pattern[0] == '*' && pattern[1] == '*' && (pattern[2] == '/' || pattern[2] == '\0');
}

/* Where to go on after a mismatch. */
struct retry {
	const char *pattern; /* behind what matches more of the text; NULL: nowhere */
	const char *text;
};

/* One byte more for the last *, as long as its component has some. */
static bool extend_star(struct retry *star)
{
	if (!star->pattern || *star->text == '\0' || *star->text == '/')
		return false;
	star->text++;
	return true;
}

/* One directory more for the last **. */
static bool extend_directories(struct retry *directories)
{
	const char *slash = directories->pattern ? strchr(directories->text, '/') : NULL;

	if (slash)
		directories->text = slash + 1;
	return slash;
}

/*
 * The shortest match of an earlier * or ** serves as well as any other, for what comes behind the
 * last one can come as late as it likes: so only the last of each is ever tried again.
 */
bool glob_match(const char *pattern, const char *text)
{
	struct retry star = { NULL, NULL }, directories = { NULL, NULL };
	bool starts = true; /* a component of the pattern */

	for (;;) {
		if (starts && is_any_directories(pattern)) {
			if (pattern[2] == '\0' && *text)
				return true;
			if (pattern[2] == '/') {
				pattern += 3;
				directories = (struct retry){ pattern, text };
				continue;
			}
		} else if (*pattern == '*') {
			star = (struct retry){ ++pattern, text };
			starts = false;
			continue;
		} else if (*pattern == '\0' && *text == '\0') {
			return true;
		} else if (*pattern && *text && match_byte(&pattern, *text)) {
			starts = *text++ == '/';
			if (starts)
				star.pattern = NULL;
			continue;
		}
		starts = false;
		if (extend_star(&star)) {
			pattern = star.pattern;
			text = star.text;
		} else if (extend_directories(&directories)) {
			pattern = directories.pattern;
			text = directories.text;
			star.pattern = NULL;
			starts = true;
		} else {
			return false;
		}
	}
}
