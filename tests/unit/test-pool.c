/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "core/base/cancel.h"
#include "core/base/pool.h"

#define JOBS 2000

struct record {
	atomic_uint runs[JOBS];
	uint64_t fails_at[2];
};

static void nap(void)
{
	const struct timespec pause = { .tv_nsec = 2000000 };

	nanosleep(&pause, NULL);
}

static int count_run(void *arg, uint64_t index)
{
	struct record *record = arg;

	atomic_fetch_add(&record->runs[index], 1);
	return 0;
}

static void test_each_once(void **state)
{
	static const unsigned int threads[] = { 1, 2, 8, 100 };

	(void)state;
	for (size_t t = 0; t < sizeof(threads) / sizeof(threads[0]); t++) {
		struct record record = { 0 };

		assert_int_equal(pool_run(threads[t], JOBS, count_run, &record), 0);
		for (size_t i = 0; i < JOBS; i++)
			assert_int_equal(atomic_load(&record.runs[i]), 1);
	}
}

static void test_no_jobs(void **state)
{
	(void)state;
	assert_int_equal(pool_run(4, 0, count_run, NULL), 0);
}

/* The later of two failures is the quicker one. */
static int fail_twice(void *arg, uint64_t index)
{
	struct record *record = arg;

	atomic_fetch_add(&record->runs[index], 1);
	if (index == record->fails_at[0]) {
		nap();
		return -EIO;
	}
	return index == record->fails_at[1] ? -ENOSPC : 0;
}

static void test_lowest_failure_wins(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		struct record record = { .fails_at = { 10, 11 } };

		assert_int_equal(pool_run(4, JOBS, fail_twice, &record), -EIO);
		for (size_t i = 0; i < 10; i++)
			assert_int_equal(atomic_load(&record.runs[i]), 1);
		assert_int_equal(atomic_load(&record.runs[JOBS - 1]), 0);
	}
}

static int cancel_at_ten(void *arg, uint64_t index)
{
	struct record *record = arg;

	atomic_fetch_add(&record->runs[index], 1);
	if (index == 10)
		cancel_request();
	return 0;
}

static void test_cancel(void **state)
{
	struct record record = { 0 };

	(void)state;
	assert_int_equal(pool_run(2, JOBS, cancel_at_ten, &record), -ECANCELED);
	cancel_reset();
	assert_int_equal(atomic_load(&record.runs[JOBS - 1]), 0);
}

/* Cancelled in the last job: all the work is done, so that is no failure. */
static void test_cancel_too_late(void **state)
{
	struct record record = { 0 };

	(void)state;
	assert_int_equal(pool_run(1, 11, cancel_at_ten, &record), 0);
	cancel_reset();
}

static void test_default_threads(void **state)
{
	(void)state;
	assert_in_range(pool_default_threads(), 4, 1 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_once),           cmocka_unit_test(test_no_jobs),
		cmocka_unit_test(test_lowest_failure_wins), cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_cancel_too_late),     cmocka_unit_test(test_default_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
