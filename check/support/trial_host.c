/* SPDX-License-Identifier: Apache-2.0 */
/* What stands between a backend and the core's host. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/support/must.h"
#include "check/support/trial_private.h"
#include "lib/cleanup.h"
#include "lib/libc.h"

/* Which of the services that can fail it is. */
static enum trial_service counted_as(enum relay_service service)
{
	static const enum trial_service as[RELAY_SERVICES] = {
		[RELAY_WRITE] = TRIAL_WRITE,
		[RELAY_WINDOW_READ] = TRIAL_WINDOW_READ,
		[RELAY_PLACE] = TRIAL_PLACE,
		[RELAY_PLACE_SCRATCH] = TRIAL_PLACE_SCRATCH,
		[RELAY_SOURCE_READ] = TRIAL_SOURCE_READ,
		[RELAY_SOURCE_READ_INLINE] = TRIAL_SOURCE_READ,
		[RELAY_SCRATCH_CREATE] = TRIAL_SCRATCH_CREATE,
		[RELAY_SCRATCH_WRITE] = TRIAL_SCRATCH_WRITE,
		[RELAY_SCRATCH_READ] = TRIAL_SCRATCH_READ,
		[RELAY_DERIVE] = TRIAL_DERIVE,
		[RELAY_UUID] = TRIAL_DERIVE,
		[RELAY_PARALLEL] = TRIAL_PARALLEL,
	};

	return as[service];
}

/* Counts the call, and returns the error that is to stop it, or 0. Called with the lock held. */
static int stop_call(struct meddler *meddler, enum trial_service service)
{
	meddler->calls[service]++;
	if (meddler->all_calls++ >= meddler->cancel_after)
		meddler->cancelled = true;
	if (meddler->cancelled)
		return -ECANCELED;
	return service == meddler->fault_service && meddler->fault_at &&
			       meddler->calls[service] >= meddler->fault_at
		       ? -meddler->fault_code
		       : 0;
}

static int before(struct relay *relay, const struct relay_call *call)
{
	struct meddler *meddler = (struct meddler *)relay;
	enum trial_service service = counted_as(call->service);
	int ret = 0;

	pthread_mutex_lock(&meddler->lock);
	if (service != TRIAL_OTHER)
		ret = stop_call(meddler, service);
	else if (call->service == RELAY_CANCELLED)
		ret = meddler->cancelled;
	pthread_mutex_unlock(&meddler->lock);
	if (ret < 0 && ret != -ECANCELED)
		relay->inner->error(relay->inner->ctx, "injected fault: %s", errno_text(-ret));
	return ret;
}

static int after(struct relay *relay, const struct relay_call *call, int ret)
{
	struct meddler *meddler = (struct meddler *)relay;
	struct trial_place *place;

	if (ret < 0 || (call->service != RELAY_PLACE && call->service != RELAY_PLACE_SCRATCH))
		return ret;
	pthread_mutex_lock(&meddler->lock);
	place = array_add(&meddler->places);
	must(place);
	*place = (struct trial_place){ call->off, call->file_off, call->len, call->node,
				       call->scratch };
	pthread_mutex_unlock(&meddler->lock);
	return ret;
}

/* Without threads and backwards, for a backend that counts on an order; the lowest failure counts.
 */
static int parallel_backwards(struct kataimg_host_ctx *ctx, uint64_t count,
			      int (*fn)(void *arg, uint64_t index), void *arg)
{
	const struct relay_call call = { .service = RELAY_PARALLEL };
	int result = before(relay_of(ctx), &call);

	while (result != -ECANCELED && count-- > 0) {
		int ret = fn(arg, count);

		result = ret ? ret : result;
	}
	return result;
}

static void keep_log(struct kataimg_host_ctx *ctx, int level, const char *fmt, ...)
{
	static const char *const names[] = { "?", "warning", "info", "debug" };
	struct meddler *meddler = (struct meddler *)relay_of(ctx);
	autofree char *line = NULL;
	char *longer;
	va_list args;

	va_start(args, fmt);
	must(vasprintf(&line, fmt, args) >= 0);
	va_end(args);
	pthread_mutex_lock(&meddler->lock);
	must(asprintf(&longer, "%s%s: %s\n", meddler->log ? meddler->log : "",
		      names[level < 0 || level > 3 ? 0 : level], line) >= 0);
	free(meddler->log);
	meddler->log = longer;
	pthread_mutex_unlock(&meddler->lock);
}

void meddler_init(struct meddler *meddler)
{
	meddler->cancel_after = UINT64_MAX;
	pthread_mutex_init(&meddler->lock, NULL);
}

void meddler_release(struct meddler *meddler)
{
	array_free(&meddler->places);
	free(meddler->log);
	pthread_mutex_destroy(&meddler->lock);
}

const struct kataimg_host *meddler_decorate(void *arg, const struct kataimg_host *inner)
{
	struct meddler *meddler = arg;

	relay_init(&meddler->relay, inner);
	meddler->relay.before = before;
	meddler->relay.after = after;
	meddler->relay.services.log = keep_log;
	if (meddler->backwards)
		meddler->relay.services.parallel = parallel_backwards;
	return &meddler->relay.services;
}
