/* SPDX-License-Identifier: Apache-2.0 */
/* Parallel jobs of a backend, and who is told to stop when one of them fails. */
#include <errno.h>

#include "core/backend/host_private.h"
#include "core/base/cancel.h"
#include "core/base/pool.h"

/* Which job a thread runs decides whether another's failure cancels it: only those above it. */
static _Thread_local uint64_t current_index;

uint64_t host_parallel_index(void)
{
	return current_index;
}

struct parallel_call {
	struct kataimg_host_ctx *ctx;
	int (*fn)(void *arg, uint64_t index);
	void *arg;
};

static void note_failure(struct kataimg_host_ctx *ctx, uint64_t index)
{
	pthread_mutex_lock(&ctx->lock);
	if (index < ctx->failed_index)
		ctx->failed_index = index;
	pthread_mutex_unlock(&ctx->lock);
}

static int run_one(void *arg, uint64_t index)
{
	struct parallel_call *call = arg;
	int ret;

	current_index = index;
	ret = call->fn(call->arg, index);
	current_index = 0;
	if (ret < 0)
		note_failure(call->ctx, index);
	return ret;
}

int host_service_parallel(struct kataimg_host_ctx *ctx, uint64_t count,
			  int (*fn)(void *arg, uint64_t index), void *arg)
{
	struct parallel_call call = { ctx, fn, arg };
	int ret = host_check_cancelled(ctx);

	if (ret < 0)
		return ret;
	ctx->failed_index = UINT64_MAX;
	ret = pool_run(ctx->setup.threads, count, run_one, &call);
	ctx->failed_index = UINT64_MAX;
	return ret;
}

int host_service_cancelled(struct kataimg_host_ctx *ctx)
{
	bool failed;

	if (cancel_requested())
		return 1;
	pthread_mutex_lock(&ctx->lock);
	failed = current_index > ctx->failed_index;
	pthread_mutex_unlock(&ctx->lock);
	return failed;
}

int host_check_cancelled(struct kataimg_host_ctx *ctx)
{
	return host_service_cancelled(ctx) ? -ECANCELED : 0;
}
