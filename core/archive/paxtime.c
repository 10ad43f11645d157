/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/paxtime.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/io.h"
#include "lib/checked.h"

#define BLOCK_BYTES 512
#define HEADERS_BYTES_MAX ((uint64_t)4 << 20)

/* Places in a ustar header. */
#define SIZE_AT 124
#define SIZE_DIGITS 11
#define TYPE_AT 156

/* In the records of one pax header, each "LENGTH KEY=VALUE\n". */
static bool records_are_negative(const char *at, const char *end)
{
	static const char key[] = "mtime=-";

	while (at < end) {
		char *text;
		unsigned long len = strtoul(at, &text, 10);

		if (len == 0 || len > (size_t)(end - at) || *text != ' ')
			return false;
		if (strncmp(text + 1, key, strlen(key)) == 0)
			return true;
		at += len;
	}
	return false;
}

static uint64_t size_of(const char *header)
{
	char digits[SIZE_DIGITS + 1] = "";

	memcpy(digits, header + SIZE_AT, SIZE_DIGITS);
	return strtoull(digits, NULL, 8);
}

static bool headers_are_negative(const char *bytes, uint64_t len)
{
	uint64_t at = 0, size, next;

	while (range_within(at, BLOCK_BYTES, len)) {
		const char *header = bytes + at;

		size = size_of(header);
		at += BLOCK_BYTES;
		if (!range_within(at, size, len))
			return false;
		if (header[TYPE_AT] == 'x' && records_are_negative(bytes + at, bytes + at + size))
			return true;
		if (checked_round_up(at + size, BLOCK_BYTES, &next) < 0)
			return false;
		at = next;
	}
	return false;
}

bool paxtime_is_negative(const struct archive_input *input, uint64_t from, uint64_t to)
{
	autofree char *bytes = NULL;

	if (to <= from || to - from > HEADERS_BYTES_MAX)
		return false;
	/* The NUL at the end stops a number there. */
	bytes = calloc(1, (size_t)(to - from) + 1);
	return bytes && io_pread(input->fd, bytes, (size_t)(to - from), input->off + from) == 0 &&
	       headers_are_negative(bytes, to - from);
}
