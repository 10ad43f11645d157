/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and bytes: checked.h, round.h, bytes.h, byteorder.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/byteorder.h"
#include "lib/bytes.h"
#include "lib/checked.h"
#include "lib/round.h"

static void sums_and_products_end_at_64_bits(void **state)
{
	uint64_t result = 7;

	(void)state;
	assert_int_equal(checked_add(UINT64_MAX, 1, &result), -EOVERFLOW);
	assert_int_equal(checked_mul(UINT64_C(1) << 32, UINT64_C(1) << 32, &result), -EOVERFLOW);
	assert_int_equal(checked_round_up(UINT64_MAX - 1, 4096, &result), -EOVERFLOW);
	assert_int_equal(result, 7);
	assert_int_equal(checked_add(UINT64_MAX - 1, 1, &result), 0);
	assert_true(result == UINT64_MAX);
	assert_int_equal(checked_mul(UINT64_MAX, 1, &result), 0);
	assert_true(result == UINT64_MAX);
	assert_int_equal(checked_round_up(UINT64_MAX - 4095, 4096, &result), 0);
	assert_true(result == UINT64_MAX - 4095);
	assert_int_equal(checked_round_up(10, 7, &result), 0);
	assert_int_equal(result, 14);
}

static void ranges_end_inside_or_not(void **state)
{
	(void)state;
	assert_true(range_within(0, 0, 0));
	assert_true(range_within(3, 7, 10));
	assert_true(range_within(10, 0, 10));
	assert_false(range_within(3, 8, 10));
	assert_false(range_within(11, 0, 10));
	assert_false(range_within(UINT64_MAX, 2, 10));
	assert_false(range_within(2, UINT64_MAX, 10));
}

static void whole_units_hold_the_rest(void **state)
{
	(void)state;
	assert_int_equal(div_up(0, 7), 0);
	assert_int_equal(div_up(1, 7), 1);
	assert_int_equal(div_up(7, 7), 1);
	assert_int_equal(div_up(8, 7), 2);
	assert_true(div_up(UINT64_MAX, 2) == UINT64_C(1) << 63);
	assert_int_equal(round_up(0, 4096), 0);
	assert_int_equal(round_up(1, 4096), 4096);
	assert_int_equal(round_up(4096, 4096), 4096);
	assert_int_equal(round_up(13, 6), 18);
}

static void one_byte_that_is_not_zero_is_seen_anywhere(void **state)
{
	uint8_t bytes[67] = { 0 };

	(void)state;
	assert_true(bytes_are_zero(NULL, 0));
	for (size_t len = 0; len <= sizeof(bytes); len++)
		assert_true(bytes_are_zero(bytes, len));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = 0x80;
		assert_false(bytes_are_zero(bytes, sizeof(bytes)));
		assert_true(bytes_are_zero(bytes, i));
		bytes[i] = 0;
	}
}

static void numbers_have_their_order_on_disk(void **state)
{
	le32 little = to_le32(0x01020304);
	be64 big = to_be64(UINT64_C(0x0102030405060708));
	be16 small = to_be16(0x0102);

	(void)state;
	assert_memory_equal(little.byte, "\4\3\2\1", 4);
	assert_memory_equal(big.byte, "\1\2\3\4\5\6\7\10", 8);
	assert_memory_equal(small.byte, "\1\2", 2);
	assert_int_equal(from_le32(little), 0x01020304);
	assert_true(from_be64(big) == UINT64_C(0x0102030405060708));
	assert_int_equal(from_be16(small), 0x0102);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_and_products_end_at_64_bits),
		cmocka_unit_test(ranges_end_inside_or_not),
		cmocka_unit_test(whole_units_hold_the_rest),
		cmocka_unit_test(one_byte_that_is_not_zero_is_seen_anywhere),
		cmocka_unit_test(numbers_have_their_order_on_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
