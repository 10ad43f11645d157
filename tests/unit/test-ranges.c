/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/copy/ranges.h"

#define SPACE_BYTES 4096

/* What a set of ranges says, byte by byte. */
enum state { FREE, WRITTEN, PLACED };

struct model {
	uint8_t state[SPACE_BYTES];
};

static int setup(void **state)
{
	*state = ranges_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	ranges_free(*state);
	return 0;
}

static void test_empty(void **state)
{
	assert_false(ranges_touch_any(*state, 0, UINT64_MAX >> 1));
	assert_false(ranges_touch_placed(*state, 0, UINT64_MAX >> 1));
}

static void test_written_over_written(void **state)
{
	assert_int_equal(ranges_add(*state, 100, 50, RANGE_WRITTEN), 0);
	assert_int_equal(ranges_add(*state, 100, 50, RANGE_WRITTEN), 0);
	assert_int_equal(ranges_add(*state, 90, 100, RANGE_WRITTEN), 0);
	assert_false(ranges_touch_placed(*state, 0, 1000));
	assert_true(ranges_touch_any(*state, 189, 1));
	assert_false(ranges_touch_any(*state, 190, 1000));
	assert_false(ranges_touch_any(*state, 0, 90));
}

static void test_placed_stands_alone(void **state)
{
	assert_int_equal(ranges_add(*state, 100, 50, RANGE_PLACED), 0);
	assert_int_equal(ranges_add(*state, 100, 50, RANGE_PLACED), -EEXIST);
	assert_int_equal(ranges_add(*state, 149, 1, RANGE_WRITTEN), -EEXIST);
	assert_int_equal(ranges_add(*state, 0, 101, RANGE_WRITTEN), -EEXIST);
	assert_int_equal(ranges_add(*state, 0, 1000, RANGE_WRITTEN), -EEXIST);
	assert_int_equal(ranges_add(*state, 0, 100, RANGE_WRITTEN), 0);
	assert_int_equal(ranges_add(*state, 150, 1, RANGE_PLACED), 0);
	assert_int_equal(ranges_add(*state, 99, 1, RANGE_PLACED), -EEXIST);
	assert_true(ranges_touch_placed(*state, 150, 1));
	assert_false(ranges_touch_placed(*state, 151, 1000));
	assert_false(ranges_touch_placed(*state, 0, 100));
}

static void test_nothing_is_no_range(void **state)
{
	assert_int_equal(ranges_add(*state, 100, 0, RANGE_PLACED), 0);
	assert_false(ranges_touch_any(*state, 0, 1000));
	assert_int_equal(ranges_add(*state, 0, 1000, RANGE_WRITTEN), 0);
	assert_false(ranges_touch_any(*state, 500, 0));
}

static int model_add(struct model *model, uint64_t off, uint64_t len, enum range_kind kind)
{
	for (uint64_t i = off; i < off + len; i++)
		if (model->state[i] == PLACED ||
		    (kind == RANGE_PLACED && model->state[i] == WRITTEN))
			return -EEXIST;
	memset(model->state + off, kind == RANGE_PLACED ? PLACED : WRITTEN, len);
	return 0;
}

static void compare(const struct ranges *ranges, const struct model *model)
{
	for (uint64_t i = 0; i < SPACE_BYTES; i++) {
		assert_int_equal(ranges_touch_any(ranges, i, 1), model->state[i] != FREE);
		assert_int_equal(ranges_touch_placed(ranges, i, 1), model->state[i] == PLACED);
	}
}

/* Short ranges leave many apart, so that chunks split; long ones swallow many at once. */
static void run_random(struct ranges *ranges, unsigned int seed, uint64_t len_max)
{
	struct model model = { { 0 } };

	srandom(seed);
	for (int i = 0; i < 6000; i++) {
		uint64_t off = (uint64_t)random() % SPACE_BYTES;
		uint64_t len = 1 + (uint64_t)random() % len_max;
		enum range_kind kind = random() % 4 ? RANGE_WRITTEN : RANGE_PLACED;

		if (len > SPACE_BYTES - off)
			len = SPACE_BYTES - off;
		assert_int_equal(ranges_add(ranges, off, len, kind),
				 model_add(&model, off, len, kind));
		if (i % 500 == 0)
			compare(ranges, &model);
	}
	compare(ranges, &model);
}

static void test_random_bytes(void **state)
{
	run_random(*state, 1, 1);
}

static void test_random_short(void **state)
{
	run_random(*state, 2, 3);
}

static void test_random_long(void **state)
{
	run_random(*state, 3, 40);
}

static void test_swallow(void **state)
{
	for (uint64_t i = 0; i < 10000; i++)
		assert_int_equal(ranges_add(*state, 2 * i, 1, RANGE_WRITTEN), 0);
	assert_false(ranges_touch_any(*state, 9999, 1));
	assert_int_equal(ranges_add(*state, 1, 19998, RANGE_WRITTEN), 0);
	assert_true(ranges_touch_any(*state, 9999, 1));
	assert_false(ranges_touch_any(*state, 19999, 1));
	assert_int_equal(ranges_add(*state, 20000, 10, RANGE_PLACED), 0);
}

/* As a large tree is laid out: data here, inodes there, each ascending. A quadratic set would not
 * return. */
static void test_two_fronts(void **state)
{
	for (uint64_t i = 0; i < 300000; i++) {
		assert_int_equal(ranges_add(*state, UINT64_C(8192) * i, 4000, RANGE_PLACED), 0);
		assert_int_equal(
			ranges_add(*state, (UINT64_C(1) << 40) - 1024 * i, 256, RANGE_WRITTEN), 0);
	}
	assert_true(ranges_touch_placed(*state, UINT64_C(8192) * 299999, 1));
	assert_false(ranges_touch_any(*state, UINT64_C(8192) * 299999 + 4000, 4000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_written_over_written, setup, teardown),
		cmocka_unit_test_setup_teardown(test_placed_stands_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_is_no_range, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random_short, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_swallow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_fronts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
