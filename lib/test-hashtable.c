/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/hashtable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* As many numbers under a hash as there shall be, in the order in which they were put. */
static void assert_numbers(const struct hashtable *table, uint32_t hash, uint32_t first,
			   uint32_t distance, uint32_t count)
{
	size_t step = 0;
	uint32_t number;

	for (uint32_t i = 0; i < count; i++) {
		assert_true(hashtable_next(table, hash, &step, &number));
		assert_int_equal(number, first + i * distance);
	}
	assert_false(hashtable_next(table, hash, &step, &number));
}

static void an_empty_table_has_nothing(void **state)
{
	struct hashtable table = { 0 };

	(void)state;
	assert_numbers(&table, 0, 0, 0, 0);
	hashtable_free(&table);
}

/* Hashes whose slots are neighbours at the table's end, so that they run into each other and over
 * the end, however large it is. */
static void numbers_of_a_hash_keep_their_order(void **state)
{
	struct hashtable table = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 3000; i++)
		assert_int_equal(hashtable_put(&table, 0x0000ffff - i % 3, i), 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_numbers(&table, 0x0000ffff - i, i, 3, 1000);
	assert_numbers(&table, 0x0000fffb, 0, 0, 0);
	hashtable_free(&table);
}

static void every_number_is_found_under_its_hash(void **state)
{
	struct hashtable table = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 5000; i++)
		assert_int_equal(hashtable_put(&table, hash_bytes(HASH_START, &i, sizeof(i)), i),
				 0);
	for (uint32_t i = 0; i < 5000; i++)
		assert_numbers(&table, hash_bytes(HASH_START, &i, sizeof(i)), i, 0, 1);
	hashtable_free(&table);
}

/* Of the function's authors (draft-eastlake-fnv). */
static void the_hash_is_fnv_1a(void **state)
{
	(void)state;
	assert_int_equal(hash_bytes(HASH_START, "", 0), 0x811c9dc5);
	assert_int_equal(hash_bytes(HASH_START, "a", 1), 0xe40c292c);
	assert_int_equal(hash_bytes(HASH_START, "foobar", 6), 0xbf9cf968);
	assert_int_equal(hash_bytes(hash_bytes(HASH_START, "foo", 3), "bar", 3), 0xbf9cf968);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_table_has_nothing),
		cmocka_unit_test(numbers_of_a_hash_keep_their_order),
		cmocka_unit_test(every_number_is_found_under_its_hash),
		cmocka_unit_test(the_hash_is_fnv_1a),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
