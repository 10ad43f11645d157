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

static struct meddler *meddler_of(struct kataimg_host_ctx *ctx)
{
	return (struct meddler *)ctx;
}

/* What stops the call, with the lock held. */
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

/* Counts the call; an error when it is to fail. */
static int enter(struct meddler *meddler, enum trial_service service)
{
	const struct kataimg_host *inner = meddler->inner;
	int ret;

	pthread_mutex_lock(&meddler->lock);
	ret = stop_call(meddler, service);
	pthread_mutex_unlock(&meddler->lock);
	if (ret < 0 && ret != -ECANCELED)
		inner->error(inner->ctx, "injected fault: %s", strerrordesc_np(-ret));
	return ret;
}

static int meddle_write(struct kataimg_host_ctx *ctx, uint64_t off, const void *buf, size_t len)
{
	const struct kataimg_host *inner = meddler_of(ctx)->inner;
	int ret = enter(meddler_of(ctx), TRIAL_WRITE);

	return ret ? ret : inner->write(inner->ctx, off, buf, len);
}

static int meddle_window_read(struct kataimg_host_ctx *ctx, uint64_t off, void *buf, size_t len)
{
	const struct kataimg_host *inner = meddler_of(ctx)->inner;
	int ret = enter(meddler_of(ctx), TRIAL_WINDOW_READ);

	return ret ? ret : inner->window_read(inner->ctx, off, buf, len);
}

static void record(struct meddler *meddler, const struct trial_place *place)
{
	struct trial_place *recorded;

	pthread_mutex_lock(&meddler->lock);
	recorded = array_add(&meddler->places);
	must(recorded);
	*recorded = *place;
	pthread_mutex_unlock(&meddler->lock);
}

static int meddle_place(struct kataimg_host_ctx *ctx, uint64_t off, const struct kataimg_node *node,
			uint64_t file_off, uint64_t len)
{
	const struct kataimg_host *inner = meddler_of(ctx)->inner;
	int ret = enter(meddler_of(ctx), TRIAL_PLACE);

	if (ret == 0)
		ret = inner->place(inner->ctx, off, node, file_off, len);
	if (ret == 0)
		record(meddler_of(ctx), &(struct trial_place){ off, file_off, len, node, NULL });
	return ret;
}

static int meddle_place_scratch(struct kataimg_host_ctx *ctx, uint64_t off,
				struct kataimg_scratch *scratch, uint64_t scratch_off, uint64_t len)
{
	const struct kataimg_host *inner = meddler_of(ctx)->inner;
	int ret = enter(meddler_of(ctx), TRIAL_PLACE_SCRATCH);

	if (ret == 0)
		ret = inner->place_scratch(inner->ctx, off, scratch, scratch_off, len);
	if (ret == 0)
		record(meddler_of(ctx),
		       &(struct trial_place){ off, scratch_off, len, NULL, scratch });
	return ret;
}

static int meddle_source_read(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
			      uint64_t file_off, void *buf, size_t len)
{
	const struct kataimg_host *inner = meddler_of(ctx)->inner;
	int ret = enter(meddler_of(ctx), TRIAL_SOURCE_READ);

	return ret ? ret : inner->source_read(inner->ctx, node, file_off, buf, len);
}

static int meddle_source_read_inline(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
				     uint64_t file_off, void *buf, size_t len, uint64_t off)
{
	const struct kataimg_host *inner = meddler_of(ctx)->inner;
	int ret = enter(meddler_of(ctx), TRIAL_SOURCE_READ);

	return ret ? ret : inner->source_read_inline(inner->ctx, node, file_off, buf, len, off);
}

static int meddle_scratch_create(struct kataimg_host_ctx *ctx, struct kataimg_scratch **scratch)
{
	const struct kataimg_host *inner = meddler_of(ctx)->inner;
	int ret = enter(meddler_of(ctx), TRIAL_SCRATCH_CREATE);

	return ret ? ret : inner->scratch_create(inner->ctx, scratch);
}

static int meddle_scratch_write(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
				uint64_t off, const void *buf, size_t len)
{
	const struct kataimg_host *inner = meddler_of(ctx)->inner;
	int ret = enter(meddler_of(ctx), TRIAL_SCRATCH_WRITE);

	return ret ? ret : inner->scratch_write(inner->ctx, scratch, off, buf, len);
}

static int meddle_scratch_read(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
			       uint64_t off, void *buf, size_t len)
{
	const struct kataimg_host *inner = meddler_of(ctx)->inner;
	int ret = enter(meddler_of(ctx), TRIAL_SCRATCH_READ);

	return ret ? ret : inner->scratch_read(inner->ctx, scratch, off, buf, len);
}

static int meddle_derive(struct kataimg_host_ctx *ctx, const char *label, uint8_t out[32])
{
	const struct kataimg_host *inner = meddler_of(ctx)->inner;
	int ret = enter(meddler_of(ctx), TRIAL_DERIVE);

	return ret ? ret : inner->derive(inner->ctx, label, out);
}

static int meddle_uuid(struct kataimg_host_ctx *ctx, const char *label, uint8_t out[16])
{
	const struct kataimg_host *inner = meddler_of(ctx)->inner;
	int ret = enter(meddler_of(ctx), TRIAL_DERIVE);

	return ret ? ret : inner->uuid(inner->ctx, label, out);
}

/* Without threads and backwards, for a backend that counts on an order; the lowest failure counts.
 */
static int run_backwards(uint64_t count, int (*fn)(void *arg, uint64_t index), void *arg)
{
	int result = 0;

	while (count-- > 0) {
		int ret = fn(arg, count);

		result = ret ? ret : result;
	}
	return result;
}

static int meddle_parallel(struct kataimg_host_ctx *ctx, uint64_t count,
			   int (*fn)(void *arg, uint64_t index), void *arg)
{
	const struct kataimg_host *inner = meddler_of(ctx)->inner;
	int ret = enter(meddler_of(ctx), TRIAL_PARALLEL);

	if (ret)
		return ret;
	return meddler_of(ctx)->backwards ? run_backwards(count, fn, arg)
					  : inner->parallel(inner->ctx, count, fn, arg);
}

static int meddle_cancelled(struct kataimg_host_ctx *ctx)
{
	struct meddler *meddler = meddler_of(ctx);
	bool cancelled;

	pthread_mutex_lock(&meddler->lock);
	cancelled = meddler->cancelled;
	pthread_mutex_unlock(&meddler->lock);
	return cancelled || meddler->inner->cancelled(meddler->inner->ctx);
}

/* ---- What is passed on, or kept ---- */

static void meddle_log(struct kataimg_host_ctx *ctx, int level, const char *fmt, ...)
{
	static const char *const names[] = { "?", "warning", "info", "debug" };
	struct meddler *meddler = meddler_of(ctx);
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

static void meddle_error(struct kataimg_host_ctx *ctx, const char *fmt, ...)
{
	const struct kataimg_host *inner = meddler_of(ctx)->inner;
	autofree char *text = NULL;
	va_list args;

	va_start(args, fmt);
	must(vasprintf(&text, fmt, args) >= 0);
	va_end(args);
	inner->error(inner->ctx, "%s", text);
}

static void meddle_option_error(struct kataimg_host_ctx *ctx, uint64_t index, const char *fmt, ...)
{
	const struct kataimg_host *inner = meddler_of(ctx)->inner;
	autofree char *text = NULL;
	va_list args;

	va_start(args, fmt);
	must(vasprintf(&text, fmt, args) >= 0);
	va_end(args);
	inner->option_error(inner->ctx, index, "%s", text);
}

static void meddle_fact(struct kataimg_host_ctx *ctx, const char *key, const char *value)
{
	meddler_of(ctx)->inner->fact(meddler_of(ctx)->inner->ctx, key, value);
}

static void meddle_progress(struct kataimg_host_ctx *ctx, uint64_t done, uint64_t total)
{
	meddler_of(ctx)->inner->progress(meddler_of(ctx)->inner->ctx, done, total);
}

static int meddle_run(struct kataimg_host_ctx *ctx, const char *const *argv,
		      struct kataimg_scratch *input, struct kataimg_scratch *output)
{
	return meddler_of(ctx)->inner->run(meddler_of(ctx)->inner->ctx, argv, input, output);
}

static const char *meddle_path(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
			       char *buf, size_t size)
{
	return meddler_of(ctx)->inner->path(meddler_of(ctx)->inner->ctx, node, buf, size);
}

static int meddle_scratch_size(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
			       uint64_t *bytes)
{
	return meddler_of(ctx)->inner->scratch_size(meddler_of(ctx)->inner->ctx, scratch, bytes);
}

static const struct kataimg_host services = {
	.struct_size = sizeof(struct kataimg_host),
	.log = meddle_log,
	.error = meddle_error,
	.fact = meddle_fact,
	.write = meddle_write,
	.window_read = meddle_window_read,
	.place = meddle_place,
	.place_scratch = meddle_place_scratch,
	.source_read = meddle_source_read,
	.scratch_create = meddle_scratch_create,
	.scratch_write = meddle_scratch_write,
	.scratch_read = meddle_scratch_read,
	.derive = meddle_derive,
	.uuid = meddle_uuid,
	.progress = meddle_progress,
	.parallel = meddle_parallel,
	.cancelled = meddle_cancelled,
	.run = meddle_run,
	.path = meddle_path,
	.scratch_size = meddle_scratch_size,
	.option_error = meddle_option_error,
	.source_read_inline = meddle_source_read_inline,
};

void meddler_init(struct meddler *meddler)
{
	meddler->services = services;
	meddler->services.ctx = (struct kataimg_host_ctx *)meddler;
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

	meddler->inner = inner;
	meddler->services.check_max = inner->check_max;
	return &meddler->services;
}
