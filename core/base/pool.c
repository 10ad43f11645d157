/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/pool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#include "core/base/cancel.h"

#define THREADS_MAX 64

/* More threads than processors: while some wait for a disk, others work. */
#define DEFAULT_THREADS_MIN 4

struct pool {
	const struct pool_workers *workers;
	void *arg;
	uint64_t count;

	pthread_mutex_t lock;
	uint64_t next; /* ascending: all below it were handed out */
	uint64_t failed_index;
	int failure; /* of failed_index */
};

/* After a failure no higher index is begun; lower ones were all handed out before. */
static bool take(struct pool *pool, uint64_t *index)
{
	bool more;

	pthread_mutex_lock(&pool->lock);
	more = pool->next < pool->count && !pool->failure && !cancel_requested();
	if (more)
		*index = pool->next++;
	pthread_mutex_unlock(&pool->lock);
	return more;
}

static void fail(struct pool *pool, uint64_t index, int code)
{
	pthread_mutex_lock(&pool->lock);
	if (!pool->failure || index < pool->failed_index) {
		pool->failure = code;
		pool->failed_index = index;
	}
	pthread_mutex_unlock(&pool->lock);
}

static void *work(void *arg)
{
	struct pool *pool = arg;
	const struct pool_workers *workers = pool->workers;
	void *worker = NULL;
	uint64_t index;

	while (take(pool, &index)) {
		int ret;

		if (!worker)
			worker = workers->make(pool->arg);
		ret = worker ? workers->run(worker, index) : -ENOMEM;
		if (ret < 0)
			fail(pool, index, ret);
	}
	if (worker)
		workers->free(worker);
	return NULL;
}

int pool_run_workers(unsigned int threads, uint64_t count, const struct pool_workers *workers,
		     void *arg)
{
	struct pool pool = { .workers = workers, .arg = arg, .count = count };
	pthread_t helpers[THREADS_MAX];
	unsigned int started = 0;

	pthread_mutex_init(&pool.lock, NULL);
	/* A thread that cannot be had is one less: the caller's works anyway. */
	while (started + 1 < threads && started < THREADS_MAX && started + 1 < count)
		if (pthread_create(&helpers[started], NULL, work, &pool) != 0)
			break;
		else
			started++;
	work(&pool);
	while (started > 0)
		pthread_join(helpers[--started], NULL);
	pthread_mutex_destroy(&pool.lock);
	if (pool.failure)
		return pool.failure;
	return pool.next < pool.count ? -ECANCELED : 0;
}

/* For pool_run, whose threads need nothing of their own: all of them get the call itself. */
struct call {
	int (*fn)(void *arg, uint64_t index);
	void *arg;
};

static void *share_call(void *arg)
{
	return arg;
}

static int run_call(void *worker, uint64_t index)
{
	const struct call *call = worker;

	return call->fn(call->arg, index);
}

static void leave_call(void *worker)
{
	(void)worker;
}

int pool_run(unsigned int threads, uint64_t count, int (*fn)(void *arg, uint64_t index), void *arg)
{
	static const struct pool_workers workers = { share_call, run_call, leave_call };
	struct call call = { fn, arg };

	return pool_run_workers(threads, count, &workers, &call);
}

unsigned int pool_default_threads(void)
{
	unsigned int processors = 1;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		processors = (unsigned int)CPU_COUNT(&set);
	return processors < DEFAULT_THREADS_MIN ? DEFAULT_THREADS_MIN : processors;
}
