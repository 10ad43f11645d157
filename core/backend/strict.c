/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/strict.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend/relay.h"
#include "core/backend/strict_files.h"
#include "core/base/text.h"

struct strict {
	struct relay relay;   /* first: its before and after get it */
	pthread_mutex_t lock; /* of all that follows */
	const char *callback;
	pthread_t callback_thread;
	bool in_parallel;
	struct strict_files *files;
	char *violation;
};

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

/* The callbacks that may call a service, with a space on each side of each name (NULL: all may),
 * and whether threads of parallel may. */
static const struct {
	const char *name; /* NULL: whoever likes */
	const char *callbacks;
	bool any_thread;
} rules[RELAY_SERVICES] = {
	[RELAY_FACT] = { "fact", NULL, false },
	[RELAY_WRITE] = { "write", " write ", true },
	[RELAY_WINDOW_READ] = { "window_read", " write verify probe ", true },
	[RELAY_PLACE] = { "place", " write ", false },
	[RELAY_PLACE_SCRATCH] = { "place_scratch", " write ", false },
	[RELAY_SOURCE_READ] = { "source_read", " plan write ", true },
	[RELAY_SOURCE_READ_INLINE] = { "source_read_inline", " write ", true },
	[RELAY_DERIVE] = { "derive", NULL, false },
	[RELAY_UUID] = { "uuid", NULL, false },
	[RELAY_PARALLEL] = { "parallel", NULL, false },
	[RELAY_RUN] = { "run", NULL, false },
	[RELAY_OPTION_ERROR] = { "option_error", NULL, false },
};

/* With the lock held. */
static void check_call(struct strict *strict, const struct relay_call *call)
{
	const char *callbacks = rules[call->service].callbacks, *name = rules[call->service].name;
	char wanted[32];

	if (name && !rules[call->service].any_thread &&
	    !pthread_equal(strict->callback_thread, pthread_self()))
		note(strict, "%s was called from a thread of its own", name);
	snprintf(wanted, sizeof(wanted), " %s ", strict->callback);
	if (callbacks && !strstr(callbacks, wanted))
		note(strict, "%s was called during %s", name, strict->callback);
	if (call->service == RELAY_LOG &&
	    (call->level < KATAIMG_LOG_WARNING || call->level > KATAIMG_LOG_DEBUG))
		note(strict, "log was called with the level %d", call->level);
	if (call->service == RELAY_PROGRESS && call->off > call->len)
		note(strict, "progress of %" PRIu64 " out of %" PRIu64, call->off, call->len);
}

static int before(struct relay *relay, const struct relay_call *call)
{
	struct strict *strict = (struct strict *)relay;
	int ret = 0;

	pthread_mutex_lock(&strict->lock);
	if (call->service == RELAY_PARALLEL && strict->in_parallel) {
		note(strict, "parallel inside parallel");
		ret = -EDEADLK;
	} else {
		check_call(strict, call);
		strict->in_parallel |= call->service == RELAY_PARALLEL;
	}
	pthread_mutex_unlock(&strict->lock);
	return ret;
}

/* What was asked of a file's bytes; with the lock held. */
static int use_file(struct strict *strict, const struct relay_call *call, int ret)
{
	const struct kataimg_host *inner = strict->relay.inner;
	const struct kataimg_node *node = call->node;
	bool regular = node->type == KATAIMG_REG;
	char path[256];

	if (!regular || call->file_off > node->size || call->len > node->size - call->file_off)
		note(strict,
		     "%s of %" PRIu64 " bytes from byte %" PRIu64 " of %s, %s of %" PRIu64 " bytes",
		     rules[call->service].name, call->len, call->file_off,
		     inner->path(inner->ctx, node, path, sizeof(path)),
		     regular ? "a file" : "no regular file,", node->size);
	else if (ret == 0 && strict_files_use(strict->files, node, call->file_off, call->len) < 0)
		ret = -ENOMEM;
	return ret;
}

static int after(struct relay *relay, const struct relay_call *call, int ret)
{
	struct strict *strict = (struct strict *)relay;

	pthread_mutex_lock(&strict->lock);
	if (call->service == RELAY_PARALLEL)
		strict->in_parallel = false;
	if (call->node)
		ret = use_file(strict, call, ret);
	pthread_mutex_unlock(&strict->lock);
	return ret;
}

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
	relay_init(&strict->relay, inner);
	strict->relay.before = before;
	strict->relay.after = after;
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
	return &strict->relay.services;
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
	const struct kataimg_host *inner = strict->relay.inner;
	char path[256];

	if (node)
		strict_note(strict, "%s has bytes that were neither placed nor read",
			    inner->path(inner->ctx, node, path, sizeof(path)));
}

const char *strict_violation(const struct strict *strict)
{
	return strict->violation;
}
