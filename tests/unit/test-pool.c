/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
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

struct crew {
	atomic_uint made, freed, done;
	unsigned int spoiled; /* so many cannot be made */
};

static void *hire(void *arg)
{
	struct crew *crew = arg;
	struct crew **worker;

	if (atomic_fetch_add(&crew->made, 1) < crew->spoiled)
		return NULL;
	worker = malloc(sizeof(*worker));
	assert_non_null(worker);
	*worker = crew;
	return worker;
}

static int employ(void *worker, uint64_t index)
{
	struct crew **crew = worker;

	if (index % 100 == 0)
		nap();
	atomic_fetch_add(&(*crew)->done, 1);
	return 0;
}

static void dismiss(void *worker)
{
	struct crew **crew = worker;

	atomic_fetch_add(&(*crew)->freed, 1);
	free(worker);
}

/* One a thread that has a job, not one a job; none where there is no job. */
static void test_workers(void **state)
{
	static const struct pool_workers workers = { hire, employ, dismiss };

	(void)state;
	for (unsigned int threads = 0; threads < 9; threads++) {
		struct crew crew = { 0 }, idle = { 0 };

		assert_int_equal(pool_run_workers(threads, JOBS, &workers, &crew), 0);
		assert_int_equal(crew.done, JOBS);
		assert_int_equal(crew.freed, crew.made);
		assert_in_range(crew.made, 1, threads ? threads : 1);
		assert_int_equal(pool_run_workers(threads, 0, &workers, &idle), 0);
		assert_int_equal(idle.made, 0);
	}
}

static void test_no_worker(void **state)
{
	static const struct pool_workers workers = { hire, employ, dismiss };

	(void)state;
	for (unsigned int threads = 1; threads < 5; threads++) {
		struct crew crew = { .spoiled = 1 };

		assert_int_equal(pool_run_workers(threads, JOBS, &workers, &crew), -ENOMEM);
		assert_int_equal(crew.freed + 1, crew.made);
	}
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
		cmocka_unit_test(test_cancel_too_late),     cmocka_unit_test(test_workers),
		cmocka_unit_test(test_no_worker),           cmocka_unit_test(test_default_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
