/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/hex.h"

#include <errno.h>
#include <string.h>

static const char digits[] = "0123456789abcdef";

int hex_digit(char digit)
{
	char small = digit >= 'A' && digit <= 'F' ? (char)(digit | 0x20) : digit;
	const char *at = small ? strchr(digits, small) : NULL;

	return at ? (int)(at - digits) : -1;
}

char *hex_format(const void *bytes, size_t len, char *text)
{
	const uint8_t *from = bytes;

	for (size_t i = 0; i < len; i++) {
		*text++ = digits[from[i] >> 4];
		*text++ = digits[from[i] & 15];
	}
	*text = '\0';
	return text;
}

int hex_parse(const char *text, uint8_t *bytes, size_t max_len, size_t *len)
{
	size_t count = strlen(text);

	if (count % 2 != 0 || count / 2 > max_len)
		return -EINVAL;
	for (size_t i = 0; i < count / 2; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	*len = count / 2;
	return 0;
}
