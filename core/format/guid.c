/* SPDX-License-Identifier: Apache-2.0 */
#include "core/format/guid.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/hex.h"

/* In front of which bytes a dash is. */
static bool has_dash(int byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

const char *guid_format(const uint8_t guid[GUID_BYTES], char text[GUID_TEXT_BYTES])
{
	char *end = text;

	for (int i = 0; i < GUID_BYTES; i++) {
		if (has_dash(i))
			*end++ = '-';
		end = hex_format(&guid[i], 1, end);
	}
	return text;
}

int guid_parse(const char *text, uint8_t guid[GUID_BYTES])
{
	if (strlen(text) != GUID_TEXT_BYTES - 1)
		return -EINVAL;
	for (int i = 0; i < GUID_BYTES; i++, text += 2) {
		int high, low;

		if (has_dash(i) && *text++ != '-')
			return -EINVAL;
		high = hex_digit(text[0]);
		low = hex_digit(text[1]);
		if (high < 0 || low < 0)
			return -EINVAL;
		guid[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

void guid_swap(const uint8_t from[GUID_BYTES], uint8_t to[GUID_BYTES])
{
	static const uint8_t places[GUID_BYTES] = { 3, 2, 1,  0,  5,  4,  7,  6,
						    8, 9, 10, 11, 12, 13, 14, 15 };

	for (int i = 0; i < GUID_BYTES; i++)
		to[i] = from[places[i]];
}
