/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/tar_field.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static_assert(sizeof(struct tar_header) == TAR_BLOCK_BYTES, "one block");

/* star has a shorter prefix than POSIX: it ends with a NUL at a known place, and two times in octal
 * follow. */
#define STAR_PREFIX_END 130
#define STAR_ATIME_AT 131
#define STAR_CTIME_AT 143
#define STAR_TIME_BYTES 12

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\0';
}

static int binary_number(const unsigned char *field, size_t len, int64_t *value)
{
	bool negative = field[0] & 0x40;
	/* The first bit is the mark; the second one is the sign, of all bits above. */
	uint64_t sum = negative ? UINT64_MAX << 6 | (field[0] & 0x3f) : field[0] & 0x3f;

	for (size_t i = 1; i < len; i++) {
		uint64_t top = sum >> 55;

		if (top != 0 && top != UINT64_MAX >> 55)
			return -ERANGE;
		sum = sum << 8 | field[i];
	}
	*value = (int64_t)sum;
	return 0;
}

int tar_number(const char *field, size_t len, int64_t *value)
{
	uint64_t sum = 0;
	size_t at = 0;

	if (field[0] & 0x80)
		return binary_number((const unsigned char *)field, len, value);
	while (at < len && is_blank(field[at]))
		at++;
	for (; at < len && is_octal(field[at]); at++)
		sum = sum << 3 | (uint64_t)(field[at] - '0');
	if (at < len && !is_blank(field[at]))
		return -EINVAL;
	*value = (int64_t)sum;
	return 0;
}

bool tar_is_header(const void *block)
{
	const struct tar_header *header = block;
	const unsigned char *bytes = block;
	const size_t sum_at = offsetof(struct tar_header, checksum);
	int64_t plain = 0, with_signs = 0, said;

	for (size_t i = 0; i < TAR_BLOCK_BYTES; i++) {
		bool in_sum = i >= sum_at && i < sum_at + sizeof(header->checksum);
		unsigned char byte = in_sum ? ' ' : bytes[i];

		plain += byte;
		with_signs += (signed char)byte;
	}
	if (header->checksum[0] & 0x80 ||
	    tar_number(header->checksum, sizeof(header->checksum), &said) < 0)
		return false;
	return said == plain || said == with_signs;
}

static bool is_star_time(const char *field)
{
	return is_octal(field[0]) && field[STAR_TIME_BYTES - 1] == ' ';
}

enum tar_dialect tar_dialect_of(const struct tar_header *header)
{
	if (memcmp(header->magic, "ustar  ", sizeof(header->magic)) == 0)
		return TAR_GNU;
	if (memcmp(header->magic, "ustar", 5) != 0)
		return TAR_V7;
	if (header->rest[STAR_PREFIX_END] == '\0' && is_star_time(header->rest + STAR_ATIME_AT) &&
	    is_star_time(header->rest + STAR_CTIME_AT))
		return TAR_STAR;
	return TAR_USTAR;
}
