/* SPDX-License-Identifier: Apache-2.0 */
/* Worker threads for independent jobs. No result depends on which worker was first. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdint.h>

/*
 * Runs fn(arg, 0) .. fn(arg, count - 1) on up to `threads` threads (the caller's is one of them; 1
 * starts none) and returns when all have ended. Indexes are handed out in ascending order. The
 * result is that of the lowest index that failed; after a failure higher indexes may be skipped,
 * lower ones never are. -ECANCELED when cancelled.
 */
int pool_run(unsigned int threads, uint64_t count, int (*fn)(void *arg, uint64_t index), void *arg);

/* What each thread that works has for itself, so that its jobs need not make it anew. */
struct pool_workers {
	void *(*make)(void *arg); /* before a thread's first job, which fails if it is NULL */
	int (*run)(void *worker, uint64_t index);
	void (*free)(void *worker);
};

/* The same as pool_run, of workers->run. */
int pool_run_workers(unsigned int threads, uint64_t count, const struct pool_workers *workers,
		     void *arg);

/* As many as processors that this process may run on, but a few at least. */
unsigned int pool_default_threads(void);

#endif
