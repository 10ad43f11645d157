/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/callers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct way {
	void *frames[CALLERS_MAX];
	int count;
};

/* One call that is made at two places, and the call that led to both. */
struct ways {
	struct way here, there, before;
	uint64_t places[2];
};

__attribute__((noinline)) static void list(struct way *way, uint64_t *place)
{
	const void *caller = __builtin_return_address(0);

	way->count = callers_list(way->frames, caller);
	*place = callers_place(caller);
}

__attribute__((noinline)) static void list_twice(struct ways *ways)
{
	list(&ways->here, &ways->places[0]);
	list(&ways->there, &ways->places[1]);
	ways->before.count = callers_list(ways->before.frames, __builtin_return_address(0));
}

static void a_way_begins_with_the_caller(void **state)
{
	struct ways ways;
	size_t rest;

	(void)state;
	list_twice(&ways);
	assert_int_not_equal(ways.before.count, 0);
	assert_int_equal(ways.here.count, ways.before.count + 1);
	assert_int_equal(ways.there.count, ways.here.count);
	assert_ptr_not_equal(ways.here.frames[0], ways.there.frames[0]);
	rest = (size_t)ways.before.count * sizeof(void *);
	assert_memory_equal(ways.here.frames + 1, ways.before.frames, rest);
	assert_memory_equal(ways.there.frames + 1, ways.before.frames, rest);
}

static void each_place_has_a_number(void **state)
{
	struct ways ways;

	(void)state;
	list_twice(&ways);
	assert_int_not_equal(ways.places[0], ways.places[1]);
	assert_int_equal(ways.places[0], callers_sum(ways.here.frames, ways.here.count));
}

static void a_caller_on_no_way_is_all_there_is(void **state)
{
	void *const nowhere = state;
	struct way way;

	way.count = callers_list(way.frames, nowhere);
	assert_int_equal(way.count, 1);
	assert_ptr_equal(way.frames[0], nowhere);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_way_begins_with_the_caller),
		cmocka_unit_test(each_place_has_a_number),
		cmocka_unit_test(a_caller_on_no_way_is_all_there_is),
	};

	callers_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
