/* SPDX-License-Identifier: Apache-2.0 */
#include "core/mtree/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool is_plain(unsigned char byte)
{
	return byte > ' ' && byte < 0x7f && !strchr("\\#=*?[", byte);
}

void mtree_put_escaped(FILE *out, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (is_plain((unsigned char)bytes[i]))
			putc(bytes[i], out);
		else
			fprintf(out, "\\%03o", (unsigned char)bytes[i]);
}

static bool is_octal(char digit)
{
	return digit >= '0' && digit <= '7';
}

/* The byte of a letter behind a backslash; -1: none. */
static int letter_byte(char letter)
{
	static const char letters[] = "abfnrstv\\#\"=", bytes[] = "\a\b\f\n\r \t\v\\#\"=";
	const char *found = letter ? strchr(letters, letter) : NULL;

	return found ? bytes[found - letters] : -1;
}

int mtree_unescape(char *text)
{
	char *to = text;

	while (*text) {
		int byte;

		if (*text != '\\') {
			*to++ = *text++;
			continue;
		}
		text++;
		if (is_octal(text[0]) && is_octal(text[1]) && is_octal(text[2])) {
			byte = (text[0] - '0') << 6 | (text[1] - '0') << 3 | (text[2] - '0');
			text += 3;
		} else {
			byte = letter_byte(*text++);
		}
		if (byte <= 0 || byte > 0xff)
			return -EINVAL;
		*to++ = (char)byte;
	}
	*to = '\0';
	return 0;
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void mtree_put_base64(FILE *out, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;

	for (; len > 0; len -= len < 3 ? len : 3, from += 3) {
		uint32_t group = (uint32_t)from[0] << 16 | (len > 1 ? from[1] : 0u) << 8 |
				 (len > 2 ? from[2] : 0u);

		putc(digits[group >> 18], out);
		putc(digits[group >> 12 & 63], out);
		putc(len > 1 ? digits[group >> 6 & 63] : '=', out);
		putc(len > 2 ? digits[group & 63] : '=', out);
	}
}

int mtree_decode_base64(char *text, size_t *len)
{
	size_t count = strcspn(text, "="), padding = strlen(text + count);
	uint32_t bits = 0;
	unsigned int have = 0;

	*len = 0;
	if (padding > 2 || (padding > 0 && (count + padding) % 4 != 0) || count % 4 == 1 ||
	    strspn(text + count, "=") != padding)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		const char *digit = strchr(digits, text[i]);

		if (!digit)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)(digit - digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			text[(*len)++] = (char)(bits >> have & 0xff);
		}
	}
	return 0;
}
