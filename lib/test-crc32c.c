/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "kataimg/ondisk.h"

static void check_value(void **state)
{
	(void)state;
	assert_int_equal(crc32c(~0u, "123456789", 9) ^ ~0u, 0xE3069283u);
	assert_int_equal(crc32c_portable(~0u, "123456789", 9) ^ ~0u, 0xE3069283u);
	assert_int_equal(kataimg_crc32c(~0u, "123456789", 9) ^ ~0u, 0xE3069283u);
	assert_int_equal(kataimg_crc32c_portable(~0u, "123456789", 9) ^ ~0u, 0xE3069283u);
}

static void accelerated_equals_portable_at_every_length_and_alignment(void **state)
{
	uint8_t bytes[300];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 11);
	for (size_t start = 0; start < 9; start++)
		for (size_t len = 0; start + len <= sizeof(bytes); len++) {
			uint32_t crc = kataimg_crc32c_portable(7, bytes + start, len);

			assert_int_equal(crc32c(7, bytes + start, len), crc);
			assert_int_equal(crc32c_portable(7, bytes + start, len), crc);
			assert_int_equal(kataimg_crc32c(7, bytes + start, len), crc);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_value),
		cmocka_unit_test(accelerated_equals_portable_at_every_length_and_alignment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
