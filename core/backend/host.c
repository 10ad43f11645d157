/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/host.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend/host_private.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "lib/libc.h"

/* Of jobs that run in parallel the one with the lowest number decides: as its result is the
 * result of all, so its message is. */
__attribute__((format(printf, 3, 0))) static void
record_error(struct kataimg_host_ctx *ctx, int code, const char *fmt, va_list args)
{
	uint64_t index = host_parallel_index();

	pthread_mutex_lock(&ctx->lock);
	if (ctx->error.code != 0 && index < ctx->error_index)
		error_clear(&ctx->error);
	if (ctx->error.code == 0) {
		ctx->error_index = index;
		error_vset(&ctx->error, code, fmt, args);
	}
	pthread_mutex_unlock(&ctx->lock);
}

int host_fail(struct kataimg_host_ctx *ctx, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	record_error(ctx, code, fmt, args);
	va_end(args);
	return -code;
}

static void service_error(struct kataimg_host_ctx *ctx, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	record_error(ctx, EIO, fmt, args);
	va_end(args);
}

static void refuse_option(const struct host_setup *setup, uint64_t index, const char *why,
			  struct error *error)
{
	if (setup->refuse_option)
		setup->refuse_option(setup->refuse_arg, index, why, error);
	error_usage(error, "%s", why);
}

/* The first refusal, or error, counts. */
static void service_option_error(struct kataimg_host_ctx *ctx, uint64_t index, const char *fmt, ...)
{
	struct error refused = ERROR_INIT;
	autofree char *why = NULL;
	va_list args;

	va_start(args, fmt);
	why = text_vline(fmt, args);
	va_end(args);
	refuse_option(&ctx->setup, index, why ? why : "out of memory", &refused);
	pthread_mutex_lock(&ctx->lock);
	if (ctx->error.code == 0) {
		ctx->error = refused;
		ctx->error_index = host_parallel_index();
	} else {
		error_clear(&refused);
	}
	pthread_mutex_unlock(&ctx->lock);
}

/* When the backend writes again, to be compared, its messages and facts are those of the first
 * time, and are not repeated. */
static bool is_mute(const struct kataimg_host_ctx *ctx)
{
	return ctx->mode == HOST_COMPARE_WINDOW;
}

static void service_log(struct kataimg_host_ctx *ctx, int level, const char *fmt, ...)
{
	enum log_level as = level <= KATAIMG_LOG_WARNING ? LOG_WARNING
			    : level == KATAIMG_LOG_INFO  ? LOG_INFO
							 : LOG_DEBUG;
	char room[TEXT_LINE_BYTES_MAX];
	autofree char *owned = NULL;
	va_list args;

	if (is_mute(ctx))
		return;
	va_start(args, fmt);
	log_message(as, "%s: %s", ctx->setup.backend, text_vline_in(room, &owned, fmt, args));
	va_end(args);
}

static void service_fact(struct kataimg_host_ctx *ctx, const char *key, const char *value)
{
	struct host_fact fact, *added;

	if (is_mute(ctx))
		return;
	fact = (struct host_fact){ strdup(key), strdup(value) };
	log_debug("%s: %s: %s", ctx->setup.backend, key, value);
	pthread_mutex_lock(&ctx->lock);
	added = fact.key && fact.value ? array_add(&ctx->facts) : NULL;
	if (added) {
		*added = fact;
	} else {
		free(fact.key);
		free(fact.value);
	}
	pthread_mutex_unlock(&ctx->lock);
}

static int service_source_read(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
			       uint64_t off, void *buf, size_t len)
{
	autoerror struct error error = ERROR_INIT;
	int ret = host_check_cancelled(ctx);

	if (ret < 0)
		return ret;
	if (!ctx->setup.tree)
		return host_fail(ctx, EPERM, "there is no source here");
	ret = tree_read(ctx->setup.tree, node, off, buf, len, &error);
	if (ret < 0)
		host_fail(ctx, -ret, "%s", error_sentence(&error));
	return ret;
}

static int service_source_read_inline(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
				      uint64_t file_off, void *buf, size_t len, uint64_t off)
{
	bool skipped = false;
	int ret = ctx->mode == HOST_COMPARE_WINDOW
			  ? host_compare_skip(ctx, ctx->window.offset_bytes + off, len, &skipped)
			  : 0;

	if (ret < 0 || !skipped)
		return ret < 0 ? ret : service_source_read(ctx, node, file_off, buf, len);
	memset(buf, 0, len);
	return 0;
}

static int derive_with(struct kataimg_host_ctx *ctx, const char *label, uint8_t *out,
		       int (*make)(const uint8_t *seed, const char *label, uint8_t *out))
{
	int ret = host_check_cancelled(ctx);

	if (ret < 0)
		return ret;
	ret = ctx->setup.seed ? make(ctx->setup.seed, label, out) : -EPERM;
	if (ret < 0)
		host_fail(ctx, -ret, "cannot derive '%s': %s", label, errno_text(-ret));
	return ret;
}

static int service_derive(struct kataimg_host_ctx *ctx, const char *label, uint8_t out[32])
{
	return derive_with(ctx, label, out, digest_derive);
}

static int service_uuid(struct kataimg_host_ctx *ctx, const char *label, uint8_t out[16])
{
	return derive_with(ctx, label, out, digest_uuid);
}

static void service_progress(struct kataimg_host_ctx *ctx, uint64_t done, uint64_t total)
{
	pthread_mutex_lock(&ctx->lock);
	if (ctx->setup.progress && !is_mute(ctx))
		ctx->setup.progress(ctx->setup.progress_arg, done, total);
	pthread_mutex_unlock(&ctx->lock);
}

static const char *service_path(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
				char *buf, size_t size)
{
	(void)ctx;
	return tree_path(node, buf, size);
}

static const struct kataimg_host services = {
	.struct_size = sizeof(struct kataimg_host),
	.log = service_log,
	.error = service_error,
	.fact = service_fact,
	.write = host_service_write,
	.window_read = host_service_window_read,
	.place = host_service_place,
	.place_scratch = host_service_place_scratch,
	.source_read = service_source_read,
	.scratch_create = host_service_scratch_create,
	.scratch_write = host_service_scratch_write,
	.scratch_read = host_service_scratch_read,
	.derive = service_derive,
	.uuid = service_uuid,
	.progress = service_progress,
	.parallel = host_service_parallel,
	.cancelled = host_service_cancelled,
	.run = host_service_run,
	.path = service_path,
	.scratch_size = host_service_scratch_size,
	.check_max = KATAIMG_CHECK_MODE,
	.option_error = service_option_error,
	.source_read_inline = service_source_read_inline,
};

/* The services as the backend gets them. */
static int wrap_services(struct kataimg_host_ctx *ctx)
{
	ctx->outer = &ctx->services;
	if (ctx->setup.decorate)
		ctx->outer = ctx->setup.decorate(ctx->setup.decorate_arg, ctx->outer);
	if (!ctx->setup.strict)
		return 0;
	ctx->strict = strict_new(ctx->outer);
	if (!ctx->strict)
		return -ENOMEM;
	ctx->outer = strict_services(ctx->strict);
	return 0;
}

struct host *host_new(const struct host_setup *setup)
{
	struct host *host = calloc(1, sizeof(*host));

	if (!host)
		return NULL;
	host->ctx.setup = *setup;
	host->ctx.services = services;
	host->ctx.services.ctx = &host->ctx;
	host->ctx.failed_index = UINT64_MAX;
	pthread_mutex_init(&host->ctx.lock, NULL);
	if (wrap_services(&host->ctx) < 0) {
		host_free(host);
		return NULL;
	}
	return host;
}

void host_free(struct host *host)
{
	if (!host)
		return;
	host_close_scratches(&host->ctx);
	for (size_t i = 0; i < host->ctx.facts.count; i++) {
		free(host->ctx.facts.items[i].key);
		free(host->ctx.facts.items[i].value);
	}
	array_free(&host->ctx.facts);
	error_clear(&host->ctx.error);
	host_compare_free(host->ctx.compare);
	strict_free(host->ctx.strict);
	pthread_mutex_destroy(&host->ctx.lock);
	free(host);
}

const struct kataimg_host *host_services(struct host *host)
{
	return host->ctx.outer;
}

void host_enter(struct host *host, const char *callback)
{
	host->ctx.callback = callback;
	if (host->ctx.strict)
		strict_enter(host->ctx.strict, callback);
}

/* Out of memory and cancelled need no message, nor does a probe that says "not mine". */
static bool lacks_message(const struct host *host, int code)
{
	return code < 0 && host->ctx.error.code == 0 && code != -ENOMEM && code != -ECANCELED &&
	       !(code == -ENODATA && strcmp(host->ctx.callback, "probe") == 0);
}

void host_leave(struct host *host, int code, const struct kataimg_tree *written)
{
	struct strict *strict = host->ctx.strict;

	if (!strict)
		return;
	if (lacks_message(host, code))
		strict_note(strict, "%s returned %d (%s) without a message", host->ctx.callback,
			    code, errno_text(-code) ? errno_text(-code) : "no error number");
	if (code == 0 && written && !host_has_error(host))
		strict_judge_files(strict, written);
}

void host_note(struct host *host, const char *fmt, ...)
{
	autofree char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (host->ctx.strict && vasprintf(&text, fmt, args) >= 0)
		strict_note(host->ctx.strict, "%s", text);
	va_end(args);
}

const char *host_violation(const struct host *host)
{
	return host->ctx.strict ? strict_violation(host->ctx.strict) : NULL;
}

int host_take_error(struct host *host, int code, const char *what, struct error *error)
{
	const char *backend = host->ctx.setup.backend;
	struct error *own = &host->ctx.error;

	if (host_violation(host)) {
		error_clear(own);
		return error_set(error, EPROTO, "%s: against the contract: %s", backend,
				 host_violation(host));
	}
	if (code == 0 && own->code != 0) {
		error_set(error, EPROTO,
			  "%s: %s (and yet %s succeeded: the backend passed over it)", backend,
			  error_sentence(own), what);
		error_clear(own);
		return -EPROTO;
	}
	if (code >= 0)
		return error_set(error, EIO,
				 "the backend %s returned %d from %s, not 0 or an error", backend,
				 code, what);
	if (code == -ECANCELED)
		error_set(error, ECANCELED, "interrupted");
	else if (own->code != 0 && own->message && own->kind == ERROR_USAGE)
		/* The file and line that it comes with already say which backend it is. */
		error_usage(error, "%s", own->message);
	else if (own->code != 0 && own->message)
		error_set(error, -code, "%s: %s", backend, own->message);
	else if (code == -ENOMEM)
		error_set(error, ENOMEM, "%s: out of memory", backend);
	else
		error_errno(error, -code, "the backend %s failed in %s", backend, what);
	error_clear(own);
	return code;
}

bool host_has_error(const struct host *host)
{
	return host->ctx.error.code != 0 || host_violation(host);
}

const struct host_fact *host_facts(const struct host *host, size_t *count)
{
	*count = host->ctx.facts.count;
	return host->ctx.facts.items;
}
