/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

#define ESCAPED_BYTES 4 /* \xNN */

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

static char *escape(const char *text, bool controls)
{
	const unsigned char *from = (const unsigned char *)text;
	char *escaped = malloc(ESCAPED_BYTES * strlen(text) + 1), *to = escaped;

	while (escaped && *from) {
		uint32_t character = 0;
		size_t len = decode(from, &character);

		if (len > 0 && !(controls && is_control(character))) {
			memcpy(to, from, len);
			to += len;
			from += len;
			continue;
		}
		for (len = len ? len : 1; len > 0; len--)
			to += sprintf(to, "\\x%02x", *from++);
	}
	if (escaped)
		*to = '\0';
	return escaped;
}

char *text_utf8(const char *text)
{
	return escape(text, false);
}

char *text_line(const char *text)
{
	return escape(text, true);
}

char *text_vline(const char *fmt, va_list args)
{
	autofree char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0) {
		text = NULL;
		return NULL;
	}
	return text_line(text);
}
