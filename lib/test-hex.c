/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/hex.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_byte_comes_back(void **state)
{
	uint8_t bytes[256], back[256];
	char text[2 * 256 + 1];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	assert_ptr_equal(hex_format(bytes, sizeof(bytes), text), text + 512);
	assert_memory_equal(text, "000102", 6);
	assert_string_equal(text + 508, "feff");
	assert_int_equal(hex_parse(text, back, sizeof(back), &len), 0);
	assert_int_equal(len, sizeof(bytes));
	assert_memory_equal(back, bytes, sizeof(bytes));
}

static void text_is_read_exactly(void **state)
{
	uint8_t bytes[4];
	size_t len;

	(void)state;
	assert_int_equal(hex_parse("00ffAb", bytes, sizeof(bytes), &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(bytes, "\x00\xff\xab", 3);
	assert_int_equal(hex_parse("", bytes, sizeof(bytes), &len), 0);
	assert_int_equal(len, 0);
	assert_int_equal(hex_parse("0", bytes, sizeof(bytes), &len), -EINVAL);
	assert_int_equal(hex_parse("0g", bytes, sizeof(bytes), &len), -EINVAL);
	assert_int_equal(hex_parse("0011223344", bytes, sizeof(bytes), &len), -EINVAL);
	assert_int_equal(hex_parse("0x00", bytes, sizeof(bytes), &len), -EINVAL);
}

/* Among them those that differ from a digit in the bit of the case alone. */
static void no_other_character_is_a_digit(void **state)
{
	(void)state;
	for (int c = -128; c < 128; c++) {
		int value = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		assert_int_equal(hex_digit((char)c), value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_comes_back),
		cmocka_unit_test(text_is_read_exactly),
		cmocka_unit_test(no_other_character_is_a_digit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
