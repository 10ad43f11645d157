/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/array.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct thing {
	uint32_t number;
	char rest[5];
};

static void items_stay_as_the_array_grows(void **state)
{
	ARRAY(struct thing) things = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		struct thing *thing = array_add(&things);

		assert_non_null(thing);
		assert_int_equal(thing->number, 0);
		memset(thing, 0xff, sizeof(*thing));
		thing->number = i;
	}
	assert_int_equal(things.count, 1000);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(things.items[i].number, i);
	array_free(&things);
	assert_null(things.items);
	assert_int_equal(things.count, 0);
}

static void room_is_made_at_once(void **state)
{
	ARRAY(uint64_t) numbers = { 0 };

	(void)state;
	assert_int_equal(array_reserve(&numbers, 100), 0);
	assert_true(numbers.room >= 100);
	numbers.count = 90;
	assert_int_equal(array_reserve(&numbers, numbers.room - 90), 0);
	assert_int_equal(array_reserve(&numbers, 5000), 0);
	assert_true(numbers.room >= 5090);
	array_free(&numbers);
}

static void what_cannot_be_had_changes_nothing(void **state)
{
	ARRAY(struct thing) things = { 0 };
	struct thing *items;
	size_t room;

	(void)state;
	assert_non_null(array_add(&things));
	things.items[0].number = 7;
	items = things.items;
	room = things.room;
	assert_int_equal(array_reserve(&things, SIZE_MAX / sizeof(struct thing)), -ENOMEM);
	assert_int_equal(array_reserve(&things, SIZE_MAX), -ENOMEM);
	assert_ptr_equal(things.items, items);
	assert_int_equal(things.room, room);
	assert_int_equal(things.items[0].number, 7);
	array_free(&things);
}

static void room_that_is_not_needed_is_given_back(void **state)
{
	ARRAY(uint64_t) numbers = { 0 };

	(void)state;
	array_trim(&numbers);
	assert_null(numbers.items);
	assert_int_equal(array_reserve(&numbers, 1000), 0);
	for (uint64_t i = 0; i < 3; i++)
		numbers.items[numbers.count++] = i;
	array_trim(&numbers);
	assert_int_equal(numbers.room, 3);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(numbers.items[i], i);
	array_free(&numbers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_stay_as_the_array_grows),
		cmocka_unit_test(room_is_made_at_once),
		cmocka_unit_test(what_cannot_be_had_changes_nothing),
		cmocka_unit_test(room_that_is_not_needed_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
