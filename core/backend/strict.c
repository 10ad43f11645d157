/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/strict.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend/strict_files.h"
#include "core/base/text.h"

struct kataimg_host_ctx;

struct strict {
	struct kataimg_host services; /* whose ctx is this structure */
	const struct kataimg_host *inner;
	pthread_mutex_t lock; /* of all that follows */
	const char *callback;
	pthread_t callback_thread;
	bool in_parallel;
	struct strict_files *files;
	char *violation;
};

static struct strict *strict_of(struct kataimg_host_ctx *ctx)
{
	return (struct strict *)ctx;
}

/* With the lock held. */
__attribute__((format(printf, 2, 3))) static void note(struct strict *strict, const char *fmt, ...)
{
	va_list args;

	if (strict->violation)
		return;
	va_start(args, fmt);
	if (vasprintf(&strict->violation, fmt, args) < 0)
		strict->violation = NULL;
	va_end(args);
}

void strict_note(struct strict *strict, const char *fmt, ...)
{
	autofree char *text = NULL;
	va_list args;

	va_start(args, fmt);
	text = text_vline(fmt, args);
	va_end(args);
	pthread_mutex_lock(&strict->lock);
	note(strict, "%s", text ? text : "out of memory");
	pthread_mutex_unlock(&strict->lock);
}

/* allowed: names of callbacks with spaces round each; NULL: all. */
static void check_call(struct strict *strict, const char *service, bool any_thread,
		       const char *allowed)
{
	char wanted[32];

	pthread_mutex_lock(&strict->lock);
	if (!any_thread && !pthread_equal(strict->callback_thread, pthread_self()))
		note(strict, "%s was called from a thread of its own", service);
	snprintf(wanted, sizeof(wanted), " %s ", strict->callback);
	if (allowed && !strstr(allowed, wanted))
		note(strict, "%s was called during %s", service, strict->callback);
	pthread_mutex_unlock(&strict->lock);
}

static void strict_log(struct kataimg_host_ctx *ctx, int level, const char *fmt, ...)
{
	struct strict *strict = strict_of(ctx);
	autofree char *text = NULL;
	va_list args;

	if (level < KATAIMG_LOG_WARNING || level > KATAIMG_LOG_DEBUG)
		strict_note(strict, "log was called with the level %d", level);
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) >= 0)
		strict->inner->log(strict->inner->ctx, level, "%s", text);
	va_end(args);
}

static void strict_error(struct kataimg_host_ctx *ctx, const char *fmt, ...)
{
	struct strict *strict = strict_of(ctx);
	autofree char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) >= 0)
		strict->inner->error(strict->inner->ctx, "%s", text);
	va_end(args);
}

static void strict_option_error(struct kataimg_host_ctx *ctx, uint64_t index, const char *fmt, ...)
{
	struct strict *strict = strict_of(ctx);
	autofree char *text = NULL;
	va_list args;

	check_call(strict, "option_error", false, NULL);
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) >= 0)
		strict->inner->option_error(strict->inner->ctx, index, "%s", text);
	va_end(args);
}

static void strict_fact(struct kataimg_host_ctx *ctx, const char *key, const char *value)
{
	struct strict *strict = strict_of(ctx);

	check_call(strict, "fact", false, NULL);
	strict->inner->fact(strict->inner->ctx, key, value);
}

static int strict_write(struct kataimg_host_ctx *ctx, uint64_t off, const void *buf, size_t len)
{
	struct strict *strict = strict_of(ctx);

	check_call(strict, "write", true, " write ");
	return strict->inner->write(strict->inner->ctx, off, buf, len);
}

static int strict_window_read(struct kataimg_host_ctx *ctx, uint64_t off, void *buf, size_t len)
{
	struct strict *strict = strict_of(ctx);

	check_call(strict, "window_read", true, " write verify probe ");
	return strict->inner->window_read(strict->inner->ctx, off, buf, len);
}

/* What was asked of a file's bytes; ret is the inner host's answer. */
static int after_file(struct strict *strict, const char *service, const struct kataimg_node *node,
		      uint64_t file_off, uint64_t len, int ret)
{
	bool regular = node->type == KATAIMG_REG;
	char path[256];

	pthread_mutex_lock(&strict->lock);
	if (!regular || file_off > node->size || len > node->size - file_off)
		note(strict,
		     "%s of %" PRIu64 " bytes from byte %" PRIu64 " of %s, %s of %" PRIu64 " bytes",
		     service, len, file_off,
		     strict->inner->path(strict->inner->ctx, node, path, sizeof(path)),
		     regular ? "a file" : "no regular file,", node->size);
	else if (ret == 0 && strict_files_use(strict->files, node, file_off, len) < 0)
		ret = -ENOMEM;
	pthread_mutex_unlock(&strict->lock);
	return ret;
}

static int strict_place(struct kataimg_host_ctx *ctx, uint64_t off, const struct kataimg_node *node,
			uint64_t file_off, uint64_t len)
{
	struct strict *strict = strict_of(ctx);
	int ret;

	check_call(strict, "place", false, " write ");
	ret = strict->inner->place(strict->inner->ctx, off, node, file_off, len);
	return after_file(strict, "place", node, file_off, len, ret);
}

static int strict_place_scratch(struct kataimg_host_ctx *ctx, uint64_t off,
				struct kataimg_scratch *scratch, uint64_t scratch_off, uint64_t len)
{
	struct strict *strict = strict_of(ctx);

	check_call(strict, "place_scratch", false, " write ");
	return strict->inner->place_scratch(strict->inner->ctx, off, scratch, scratch_off, len);
}

static int strict_source_read(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
			      uint64_t file_off, void *buf, size_t len)
{
	struct strict *strict = strict_of(ctx);
	int ret;

	check_call(strict, "source_read", true, " plan write ");
	ret = strict->inner->source_read(strict->inner->ctx, node, file_off, buf, len);
	return after_file(strict, "source_read", node, file_off, len, ret);
}

static int strict_source_read_inline(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
				     uint64_t file_off, void *buf, size_t len, uint64_t off)
{
	struct strict *strict = strict_of(ctx);
	int ret;

	check_call(strict, "source_read_inline", true, " write ");
	ret = strict->inner->source_read_inline(strict->inner->ctx, node, file_off, buf, len, off);
	return after_file(strict, "source_read_inline", node, file_off, len, ret);
}

static int strict_scratch_create(struct kataimg_host_ctx *ctx, struct kataimg_scratch **scratch)
{
	struct strict *strict = strict_of(ctx);

	return strict->inner->scratch_create(strict->inner->ctx, scratch);
}

static int strict_scratch_write(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
				uint64_t off, const void *buf, size_t len)
{
	struct strict *strict = strict_of(ctx);

	return strict->inner->scratch_write(strict->inner->ctx, scratch, off, buf, len);
}

static int strict_scratch_read(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
			       uint64_t off, void *buf, size_t len)
{
	struct strict *strict = strict_of(ctx);

	return strict->inner->scratch_read(strict->inner->ctx, scratch, off, buf, len);
}

static int strict_scratch_size(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
			       uint64_t *bytes)
{
	struct strict *strict = strict_of(ctx);

	return strict->inner->scratch_size(strict->inner->ctx, scratch, bytes);
}

static int strict_derive(struct kataimg_host_ctx *ctx, const char *label, uint8_t out[32])
{
	struct strict *strict = strict_of(ctx);

	check_call(strict, "derive", false, NULL);
	return strict->inner->derive(strict->inner->ctx, label, out);
}

static int strict_uuid(struct kataimg_host_ctx *ctx, const char *label, uint8_t out[16])
{
	struct strict *strict = strict_of(ctx);

	check_call(strict, "uuid", false, NULL);
	return strict->inner->uuid(strict->inner->ctx, label, out);
}

static void strict_progress(struct kataimg_host_ctx *ctx, uint64_t done, uint64_t total)
{
	struct strict *strict = strict_of(ctx);

	if (done > total)
		strict_note(strict, "progress of %" PRIu64 " out of %" PRIu64, done, total);
	strict->inner->progress(strict->inner->ctx, done, total);
}

static int strict_parallel(struct kataimg_host_ctx *ctx, uint64_t count,
			   int (*fn)(void *arg, uint64_t index), void *arg)
{
	struct strict *strict = strict_of(ctx);
	bool nested;
	int ret;

	pthread_mutex_lock(&strict->lock);
	nested = strict->in_parallel;
	if (nested)
		note(strict, "parallel inside parallel");
	strict->in_parallel = true;
	pthread_mutex_unlock(&strict->lock);
	if (nested)
		return -EDEADLK;
	check_call(strict, "parallel", false, NULL);
	ret = strict->inner->parallel(strict->inner->ctx, count, fn, arg);
	pthread_mutex_lock(&strict->lock);
	strict->in_parallel = false;
	pthread_mutex_unlock(&strict->lock);
	return ret;
}

static int strict_cancelled(struct kataimg_host_ctx *ctx)
{
	struct strict *strict = strict_of(ctx);

	return strict->inner->cancelled(strict->inner->ctx);
}

static int strict_run(struct kataimg_host_ctx *ctx, const char *const *argv,
		      struct kataimg_scratch *input, struct kataimg_scratch *output)
{
	struct strict *strict = strict_of(ctx);

	check_call(strict, "run", false, NULL);
	return strict->inner->run(strict->inner->ctx, argv, input, output);
}

static const char *strict_path(struct kataimg_host_ctx *ctx, const struct kataimg_node *node,
			       char *buf, size_t size)
{
	struct strict *strict = strict_of(ctx);

	return strict->inner->path(strict->inner->ctx, node, buf, size);
}

static const struct kataimg_host services = {
	.struct_size = sizeof(struct kataimg_host),
	.log = strict_log,
	.error = strict_error,
	.fact = strict_fact,
	.write = strict_write,
	.window_read = strict_window_read,
	.place = strict_place,
	.place_scratch = strict_place_scratch,
	.source_read = strict_source_read,
	.scratch_create = strict_scratch_create,
	.scratch_write = strict_scratch_write,
	.scratch_read = strict_scratch_read,
	.derive = strict_derive,
	.uuid = strict_uuid,
	.progress = strict_progress,
	.parallel = strict_parallel,
	.cancelled = strict_cancelled,
	.run = strict_run,
	.path = strict_path,
	.scratch_size = strict_scratch_size,
	.option_error = strict_option_error,
	.source_read_inline = strict_source_read_inline,
};
_Static_assert(sizeof(struct kataimg_host) ==
		       offsetof(struct kataimg_host, source_read_inline) + sizeof(void (*)(void)),
	       "a new service is passed on, too");

struct strict *strict_new(const struct kataimg_host *inner)
{
	struct strict *strict = calloc(1, sizeof(*strict));

	if (!strict)
		return NULL;
	strict->files = strict_files_new();
	if (!strict->files) {
		free(strict);
		return NULL;
	}
	strict->services = services;
	strict->services.ctx = (struct kataimg_host_ctx *)strict;
	strict->services.check_max = inner->check_max;
	strict->inner = inner;
	strict->callback = "nothing";
	strict->callback_thread = pthread_self();
	pthread_mutex_init(&strict->lock, NULL);
	return strict;
}

void strict_free(struct strict *strict)
{
	if (!strict)
		return;
	strict_files_free(strict->files);
	pthread_mutex_destroy(&strict->lock);
	free(strict->violation);
	free(strict);
}

const struct kataimg_host *strict_services(struct strict *strict)
{
	return &strict->services;
}

void strict_enter(struct strict *strict, const char *callback)
{
	pthread_mutex_lock(&strict->lock);
	strict->callback = callback;
	strict->callback_thread = pthread_self();
	pthread_mutex_unlock(&strict->lock);
}

void strict_judge_files(struct strict *strict, const struct kataimg_tree *tree)
{
	const struct kataimg_node *node = strict_files_unused(strict->files, tree);
	char path[256];

	if (node)
		strict_note(strict, "%s has bytes that were neither placed nor read",
			    strict->inner->path(strict->inner->ctx, node, path, sizeof(path)));
}

const char *strict_violation(const struct strict *strict)
{
	return strict->violation;
}
