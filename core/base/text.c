/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

#define ESCAPED_BYTES 4 /* \xNN */
#define BETWEEN ", "

/* Of a line that is longer than TEXT_LINE_BYTES_MAX, with TEXT_CUT between them. */
#define TEXT_HEAD_BYTES 600
#define TEXT_TAIL_BYTES 300
#define TEXT_CUT "[...]"

/* The first character, of RFC 3629: how many bytes it has; 0: it is none. */
static size_t decode(const unsigned char *bytes, uint32_t *character)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = bytes[0] < 0x80   ? 1
		     : bytes[0] < 0xc2 ? 0
		     : bytes[0] < 0xe0 ? 2
		     : bytes[0] < 0xf0 ? 3
				       : 4;

	if (len == 0 || bytes[0] > 0xf4)
		return 0;
	*character = len == 1 ? bytes[0] : bytes[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		*character = *character << 6 | (bytes[i] & 0x3f);
	}
	if (*character < smallest[len] || (*character >= 0xd800 && *character < 0xe000) ||
	    *character > 0x10ffff)
		return 0;
	return len;
}

static bool is_control(uint32_t character)
{
	return character < 0x20 || (character >= 0x7f && character < 0xa0);
}

/* The ends of lines and paragraphs of Unicode, and all characters with its property Bidi_Control
 * (PropList.txt): the latter have what follows them shown in another order. */
static bool is_order(uint32_t character)
{
	return character == 0x61c || (character >= 0x200e && character <= 0x200f) ||
	       (character >= 0x2028 && character <= 0x202e) ||
	       (character >= 0x2066 && character <= 0x2069);
}

/* The first character as it is printed, and how many bytes it is made of. */
static size_t escape_first(const unsigned char *from, bool controls, char piece[TEXT_PIECE_BYTES])
{
	uint32_t character = 0;
	size_t len = decode(from, &character);
	char *to = piece;

	if (len > 0 && !(controls && (is_control(character) || is_order(character)))) {
		snprintf(piece, TEXT_PIECE_BYTES, "%.*s", (int)len, (const char *)from);
		return len;
	}
	len = len ? len : 1;
	for (size_t i = 0; i < len; i++)
		to += sprintf(to, "\\x%02x", from[i]);
	return len;
}

char *text_line(const char *text)
{
	const unsigned char *from = (const unsigned char *)text;
	char *escaped = malloc(ESCAPED_BYTES * strlen(text) + 1), *to = escaped;
	char piece[TEXT_PIECE_BYTES];

	if (!escaped)
		return NULL;
	*to = '\0';
	while (*from) {
		from += escape_first(from, true, piece);
		to = stpcpy(to, piece);
	}
	return escaped;
}

size_t text_first(const char *text, char piece[TEXT_PIECE_BYTES])
{
	return escape_first((const unsigned char *)text, false, piece);
}

void text_print_line(FILE *out, const char *text)
{
	const unsigned char *from = (const unsigned char *)text;
	char piece[TEXT_PIECE_BYTES];

	while (*from) {
		from += escape_first(from, true, piece);
		fputs(piece, out);
	}
}

static bool is_utf8(const char *text, bool controls)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		uint32_t character = 0;
		size_t len = decode(at, &character);

		if (len == 0 || (!controls && is_control(character)))
			return false;
		at += len;
	}
	return true;
}

bool text_is_utf8(const char *text)
{
	return is_utf8(text, true);
}

bool text_is_plain(const char *text)
{
	return is_utf8(text, false);
}

static bool is_inside_character(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* What is in the middle of a long text goes: how it begins says what it is about, how it ends says
 * why. */
static void cut(char *text)
{
	size_t len = strlen(text), head = TEXT_HEAD_BYTES, tail = len - TEXT_TAIL_BYTES;

	if (len <= TEXT_LINE_BYTES_MAX)
		return;
	while (is_inside_character(text[head]))
		head--;
	while (is_inside_character(text[tail]))
		tail++;
	memcpy(text + head, TEXT_CUT, strlen(TEXT_CUT));
	memmove(text + head + strlen(TEXT_CUT), text + tail, len - tail + 1);
}

char *text_vline(const char *fmt, va_list args)
{
	autofree char *text = NULL;
	char *line;

	if (vasprintf(&text, fmt, args) < 0) {
		text = NULL;
		return NULL;
	}
	line = text_line(text);
	if (line)
		cut(line);
	return line;
}

void text_vline_short(char room[TEXT_LINE_BYTES_MAX], const char *fmt, va_list args)
{
	if (vsnprintf(room, TEXT_LINE_BYTES_MAX, fmt, args) < 0)
		*room = '\0';
	for (char *at = room; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
}

const char *text_vline_in(char room[TEXT_LINE_BYTES_MAX], char **owned, const char *fmt,
			  va_list args)
{
	va_list again;

	va_copy(again, args);
	*owned = text_vline(fmt, args);
	if (!*owned)
		text_vline_short(room, fmt, again);
	va_end(again);
	return *owned ? *owned : room;
}

char *text_join(char *const *items, size_t count)
{
	size_t bytes = 1;
	char *joined, *to;

	for (size_t i = 0; i < count; i++)
		bytes += strlen(items[i]) + strlen(BETWEEN);
	joined = to = calloc(1, bytes);
	for (size_t i = 0; joined && i < count; i++)
		to = stpcpy(stpcpy(to, i ? BETWEEN : ""), items[i]);
	return joined;
}
