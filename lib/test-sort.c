/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sort.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct thing {
	uint64_t key;
	char rest[16];
};

static uint64_t compares;

static int compare(const void *a, const void *b)
{
	const struct thing *x = a, *y = b;

	compares++;
	return (x->key > y->key) - (x->key < y->key);
}

static void assert_sorted(struct thing *things, size_t count)
{
	uint64_t sum = 0, sorted_sum = 0, log = 1;

	for (size_t i = 0; i < count; i++) {
		sum += things[i].key;
		memset(things[i].rest, (int)(things[i].key & 0xff), sizeof(things[i].rest));
	}
	for (size_t left = count; left > 1; left /= 2)
		log++;
	compares = 0;
	sort_in_place(things, count, sizeof(*things), compare);
	assert_in_range(compares, 0, 5 * count * log);
	for (size_t i = 0; i < count; i++) {
		sorted_sum += things[i].key;
		assert_true(i == 0 || things[i - 1].key <= things[i].key);
		assert_int_equal((uint8_t)things[i].rest[15], things[i].key & 0xff);
	}
	assert_int_equal(sum, sorted_sum);
}

static void any_order_is_sorted(void **state)
{
	static struct thing things[20000];
	uint64_t random = 1;

	(void)state;
	for (size_t count = 0; count < 20000; count = count * 3 / 2 + 1) {
		for (uint64_t mask = 0; mask < 1 << 20; mask = mask * 4 + 3) {
			for (size_t i = 0; i < count; i++) {
				random = random * UINT64_C(6364136223846793005) + 1;
				things[i].key = random >> 40 & mask;
			}
			assert_sorted(things, count);
			assert_sorted(things, count);
		}
		for (size_t i = 0; i < count; i++)
			things[i].key = count - i;
		assert_sorted(things, count);
		for (size_t i = 0; i < count; i++)
			things[i].key = i < count / 2 ? i : count - i;
		assert_sorted(things, count);
	}
}

/* Decides what is smaller when it is asked, so that each division is as uneven as can be
 * (M. D. McIlroy, "A Killer Adversary for Quicksort"). */
static uint64_t solid, candidate;
static uint64_t values[4096];

static int compare_against(const void *a, const void *b)
{
	uint64_t x = ((const struct thing *)a)->key, y = ((const struct thing *)b)->key;

	compares++;
	if (values[x] == UINT64_MAX && values[y] == UINT64_MAX)
		values[x == candidate ? x : y] = solid++;
	if (values[x] == UINT64_MAX)
		candidate = x;
	else if (values[y] == UINT64_MAX)
		candidate = y;
	return (values[x] > values[y]) - (values[x] < values[y]);
}

static void no_order_takes_long(void **state)
{
	static struct thing things[4096];

	(void)state;
	for (size_t i = 0; i < 4096; i++) {
		things[i].key = i;
		values[i] = UINT64_MAX;
	}
	/* not in order already */
	values[0] = 1;
	values[1] = 0;
	solid = 2;
	compares = 0;
	sort_in_place(things, 4096, sizeof(*things), compare_against);
	assert_in_range(compares, 4096, 5 * 4096 * 13);
	for (size_t i = 1; i < 4096; i++)
		assert_true(values[things[i - 1].key] <= values[things[i].key]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_is_sorted),
		cmocka_unit_test(no_order_takes_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
