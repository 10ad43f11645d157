/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/relay.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/text.h"
#include "lib/cleanup.h"

/* Defines a service that asks before, calls the service of the inner host, and tells after. */
#define PASS_ON(ctx, call, service, ...)                                                        \
	({                                                                                      \
		struct relay *relay = relay_of(ctx);                                            \
		const struct kataimg_host *inner = relay->inner;                                \
		int ret = relay->before(relay, call);                                           \
                                                                                                \
		ret ? ret : relay->after(relay, call, inner->service(inner->ctx, __VA_ARGS__)); \
	})

static void relay_log(struct kataimg_host_ctx *ctx, int level, const char *fmt, ...)
{
	const struct relay_call call = { .service = RELAY_LOG, .level = level };
	const struct kataimg_host *inner = relay_of(ctx)->inner;
	char room[TEXT_LINE_BYTES_MAX];
	autofree char *owned = NULL;
	va_list args;

	va_start(args, fmt);
	if (relay_of(ctx)->before(relay_of(ctx), &call) == 0)
		inner->log(inner->ctx, level, "%s", text_vline_in(room, &owned, fmt, args));
	va_end(args);
}

static void relay_error(struct kataimg_host_ctx *ctx, const char *fmt, ...)
{
	const struct relay_call call = { .service = RELAY_ERROR };
	const struct kataimg_host *inner = relay_of(ctx)->inner;
	char room[TEXT_LINE_BYTES_MAX];
	autofree char *owned = NULL;
	va_list args;

	va_start(args, fmt);
	if (relay_of(ctx)->before(relay_of(ctx), &call) == 0)
		inner->error(inner->ctx, "%s", text_vline_in(room, &owned, fmt, args));
	va_end(args);
}

static void relay_option_error(struct kataimg_host_ctx *ctx, uint64_t index, const char *fmt, ...)
{
	const struct relay_call call = { .service = RELAY_OPTION_ERROR };
	const struct kataimg_host *inner = relay_of(ctx)->inner;
	char room[TEXT_LINE_BYTES_MAX];
	autofree char *owned = NULL;
	va_list args;

	va_start(args, fmt);
	if (relay_of(ctx)->before(relay_of(ctx), &call) == 0)
		inner->option_error(inner->ctx, index, "%s",
				    text_vline_in(room, &owned, fmt, args));
	va_end(args);
}

static void relay_fact(struct kataimg_host_ctx *ctx, const char *key, const char *value)
{
	const struct relay_call call = { .service = RELAY_FACT };
	const struct kataimg_host *inner = relay_of(ctx)->inner;

	if (relay_of(ctx)->before(relay_of(ctx), &call) == 0)
		inner->fact(inner->ctx, key, value);
}

static void relay_progress(struct kataimg_host_ctx *ctx, uint64_t done, uint64_t total)
{
	const struct relay_call call = { .service = RELAY_PROGRESS, .off = done, .len = total };
	const struct kataimg_host *inner = relay_of(ctx)->inner;

	if (relay_of(ctx)->before(relay_of(ctx), &call) == 0)
		inner->progress(inner->ctx, done, total);
}

static int relay_write(struct kataimg_host_ctx *ctx, uint64_t off, const void *buf, size_t len)
{
	const struct relay_call call = { .service = RELAY_WRITE, .off = off, .len = len };

	return PASS_ON(ctx, &call, write, off, buf, len);
}

static int relay_window_read(struct kataimg_host_ctx *ctx, uint64_t off, void *buf, size_t len)
{
	const struct relay_call call = { .service = RELAY_WINDOW_READ, .off = off, .len = len };

	return PASS_ON(ctx, &call, window_read, off, buf, len);
}

static int relay_place(struct kataimg_host_ctx *ctx, uint64_t off, const struct kataimg_node *node,
		       uint64_t file_off, uint64_t len)
{
	const struct relay_call call = {
		.service = RELAY_PLACE, .off = off, .len = len, .node = node, .file_off = file_off
	};

	return PASS_ON(ctx, &call, place, off, node, file_off, len);
}

static int relay_place_scratch(struct kataimg_host_ctx *ctx, uint64_t off,
			       struct kataimg_scratch *scratch, uint64_t scratch_off, uint64_t len)
{
	const struct relay_call call = { .service = RELAY_PLACE_SCRATCH,
					 .off = off,
					 .len = len,
					 .scratch = scratch,
					 .file_off = scratch_off };

	return PASS_ON(ctx, &call, place_scratch, off, scratch, scratch_off, len);
}

static int relay_source_read(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
			     uint64_t file_off, void *buf, size_t len)
{
	const struct relay_call call = {
		.service = RELAY_SOURCE_READ, .len = len, .node = node, .file_off = file_off
	};

	return PASS_ON(ctx, &call, source_read, node, file_off, buf, len);
}

static int relay_source_read_inline(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
				    uint64_t file_off, void *buf, size_t len, uint64_t off)
{
	const struct relay_call call = { .service = RELAY_SOURCE_READ_INLINE,
					 .off = off,
					 .len = len,
					 .node = node,
					 .file_off = file_off };

	return PASS_ON(ctx, &call, source_read_inline, node, file_off, buf, len, off);
}

static int relay_scratch_create(struct kataimg_host_ctx *ctx, struct kataimg_scratch **scratch)
{
	return PASS_ON(ctx, &(struct relay_call){ .service = RELAY_SCRATCH_CREATE }, scratch_create,
		       scratch);
}

static int relay_scratch_write(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
			       uint64_t off, const void *buf, size_t len)
{
	return PASS_ON(ctx, &(struct relay_call){ .service = RELAY_SCRATCH_WRITE }, scratch_write,
		       scratch, off, buf, len);
}

static int relay_scratch_read(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
			      uint64_t off, void *buf, size_t len)
{
	return PASS_ON(ctx, &(struct relay_call){ .service = RELAY_SCRATCH_READ }, scratch_read,
		       scratch, off, buf, len);
}

static int relay_scratch_size(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
			      uint64_t *bytes)
{
	return PASS_ON(ctx, &(struct relay_call){ .service = RELAY_SCRATCH_SIZE }, scratch_size,
		       scratch, bytes);
}

static int relay_derive(struct kataimg_host_ctx *ctx, const char *label, uint8_t out[32])
{
	return PASS_ON(ctx, &(struct relay_call){ .service = RELAY_DERIVE }, derive, label, out);
}

static int relay_uuid(struct kataimg_host_ctx *ctx, const char *label, uint8_t out[16])
{
	return PASS_ON(ctx, &(struct relay_call){ .service = RELAY_UUID }, uuid, label, out);
}

static int relay_parallel(struct kataimg_host_ctx *ctx, uint64_t count,
			  int (*fn)(void *arg, uint64_t index), void *arg)
{
	return PASS_ON(ctx, &(struct relay_call){ .service = RELAY_PARALLEL }, parallel, count, fn,
		       arg);
}

static int relay_cancelled(struct kataimg_host_ctx *ctx)
{
	const struct relay_call call = { .service = RELAY_CANCELLED };
	int ret = relay_of(ctx)->before(relay_of(ctx), &call);

	return ret ? ret : relay_of(ctx)->inner->cancelled(relay_of(ctx)->inner->ctx);
}

static int relay_run(struct kataimg_host_ctx *ctx, const char *const *argv,
		     struct kataimg_scratch *input, struct kataimg_scratch *output)
{
	return PASS_ON(ctx, &(struct relay_call){ .service = RELAY_RUN }, run, argv, input, output);
}

static const char *relay_path(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
			      char *buf, size_t size)
{
	return relay_of(ctx)->inner->path(relay_of(ctx)->inner->ctx, node, buf, size);
}

static const struct kataimg_host services = {
	.struct_size = sizeof(struct kataimg_host),
	.log = relay_log,
	.error = relay_error,
	.fact = relay_fact,
	.write = relay_write,
	.window_read = relay_window_read,
	.place = relay_place,
	.place_scratch = relay_place_scratch,
	.source_read = relay_source_read,
	.scratch_create = relay_scratch_create,
	.scratch_write = relay_scratch_write,
	.scratch_read = relay_scratch_read,
	.derive = relay_derive,
	.uuid = relay_uuid,
	.progress = relay_progress,
	.parallel = relay_parallel,
	.cancelled = relay_cancelled,
	.run = relay_run,
	.path = relay_path,
	.scratch_size = relay_scratch_size,
	.option_error = relay_option_error,
	.source_read_inline = relay_source_read_inline,
};
_Static_assert(sizeof(struct kataimg_host) ==
		       offsetof(struct kataimg_host, source_read_inline) + sizeof(void (*)(void)),
	       "a new service is passed on, too");

void relay_init(struct relay *relay, const struct kataimg_host *inner)
{
	relay->services = services;
	relay->services.ctx = (struct kataimg_host_ctx *)relay;
	relay->services.check_max = inner->check_max;
	relay->inner = inner;
}
