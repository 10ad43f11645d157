/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/session.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend/guard.h"

#define REASON_MAX_BYTES 512 /* the largest of what a backend fills in */
#define DISK_GRANULE_BYTES 4096
#define NSEC_PER_SEC UINT64_C(1000000000)

struct session {
	const struct kataimg_backend *table;
	struct host *host;
	uint64_t granule_bytes; /* of which a window's granularity is a multiple */
	void *state;
};

/* A callback's result, for finish. */
#define CALL(session, callback, ...)                                                             \
	(guard_enter((session)->table->name, #callback), host_enter((session)->host, #callback), \
	 (session)->table->callback(__VA_ARGS__))

static int finish_write(struct session *session, int ret, const char *what,
			const struct kataimg_tree *written, struct error *error)
{
	guard_leave();
	host_leave(session->host, ret, written);
	return ret == 0 && !host_has_error(session->host)
		       ? 0
		       : host_take_error(session->host, ret, what, error);
}

static int finish(struct session *session, int ret, const char *what, struct error *error)
{
	return finish_write(session, ret, what, NULL, error);
}

#define CANARY_BYTES 64
#define CANARY 0xa5

/* A structure or text that a backend fills in, and bytes behind it that it must leave alone. */
struct result {
	size_t size;
	_Alignas(max_align_t) uint8_t bytes[REASON_MAX_BYTES + CANARY_BYTES];
};

static void *result_begin(struct result *result, const void *preset, size_t size)
{
	assert(size <= REASON_MAX_BYTES);
	result->size = size;
	memcpy(result->bytes, preset, size);
	memset(result->bytes + size, CANARY, CANARY_BYTES);
	return result->bytes;
}

static void result_end(const struct result *result, struct host *host, const char *callback,
		       void *out)
{
	for (size_t i = 0; i < CANARY_BYTES; i++)
		if (result->bytes[result->size + i] != CANARY)
			host_note(host, "%s wrote behind what it was given", callback);
	memcpy(out, result->bytes, result->size);
}

void session_close(struct session *session)
{
	if (!session)
		return;
	CALL(session, close, session->state);
	guard_leave();
	free(session);
}

int session_open(const struct backend *backend, struct host *host, const struct kataimg_job *job,
		 const struct kataimg_value *values, struct session **result, struct error *error)
{
	struct session *session = calloc(1, sizeof(*session));
	bool opened;
	int ret;

	if (!session)
		return error_nomem(error);
	session->table = &backend->table;
	session->host = host;
	session->granule_bytes = job->required & KATAIMG_JOB_NO_DISK ? 1 : DISK_GRANULE_BYTES;
	ret = CALL(session, open, host_services(host), job, values, &session->state);
	opened = ret == 0;
	ret = finish(session, ret, "open", error);
	if (ret == 0)
		*result = session;
	else if (opened)
		session_close(session);
	else
		free(session);
	return ret;
}

const struct kataimg_backend *session_table(const struct session *session)
{
	return session->table;
}

static int finish_granularity(const struct kataimg_backend *table, struct kataimg_limits *limits,
			      struct error *error)
{
	uint64_t *granularity = &limits->mtime_granularity_nsec;

	if (*granularity == UINT64_MAX)
		*granularity = 1;
	if (*granularity == 0 || *granularity > INT64_MAX ||
	    (NSEC_PER_SEC % *granularity != 0 && *granularity % NSEC_PER_SEC != 0))
		return error_set(error, EPROTO,
				 "the backend %s has times of %" PRIu64
				 " nanoseconds: a divisor of 10^9 or a multiple of it is needed",
				 table->name, *granularity);
	if (!(table->capabilities & KATAIMG_CAP_NANOSECONDS) && *granularity < NSEC_PER_SEC)
		*granularity = NSEC_PER_SEC;
	return 0;
}

int session_limits(struct session *session, struct kataimg_limits *limits, struct error *error)
{
	struct result result;
	int ret = 0;

	memset(limits, 0xff, sizeof(*limits));
	limits->struct_size = sizeof(*limits);
	limits->mtime_min = INT64_MIN;
	limits->mtime_max = INT64_MAX;
	limits->name_bytes = NAME_MAX; /* the contract's own; an archive may have longer ones */
	if (session->table->limits) {
		struct kataimg_limits *given = result_begin(&result, limits, sizeof(*limits));

		ret = CALL(session, limits, session->state, given);
		result_end(&result, session->host, "limits", limits);
		ret = finish(session, ret, "limits", error);
	}
	return ret < 0 ? ret : finish_granularity(session->table, limits, error);
}

int session_check(struct session *session, const struct kataimg_node *node, char *reason,
		  size_t reason_size, struct error *error)
{
	struct result result;
	char *given;
	int ret;

	reason[0] = '\0';
	if (!session->table->check)
		return KATAIMG_CHECK_OK;
	given = result_begin(&result, reason, reason_size);
	ret = CALL(session, check, session->state, node, given, reason_size);
	result_end(&result, session->host, "check", reason);
	if (ret > KATAIMG_CHECK_OK && ret <= KATAIMG_CHECK_MODE && !*reason)
		host_note(session->host, "check returned %d without a reason", ret);
	if (ret >= KATAIMG_CHECK_OK && ret <= KATAIMG_CHECK_MODE &&
	    !host_has_error(session->host)) {
		guard_leave();
		return ret;
	}
	return finish(session, ret, "check", error);
}

int session_plan(struct session *session, const struct kataimg_tree *tree,
		 struct kataimg_plan *plan, struct error *error)
{
	const struct kataimg_plan preset = { .struct_size = sizeof(preset) };
	const char *name = session->table->name;
	struct result result;
	int ret;

	ret = CALL(session, plan, session->state, tree,
		   result_begin(&result, &preset, sizeof(preset)));
	result_end(&result, session->host, "plan", plan);
	ret = finish(session, ret, "plan", error);
	if (ret < 0)
		return ret;
	if (plan->granularity == 0 || plan->granularity % session->granule_bytes != 0 ||
	    plan->bytes == 0 || plan->bytes % plan->granularity != 0)
		return error_set(error, EPROTO,
				 "the backend %s plans %" PRIu64 " bytes, granularity %" PRIu64
				 ": the granularity is a multiple of %" PRIu64 ", the bytes one "
				 "of the granularity, and neither is 0",
				 name, plan->bytes, plan->granularity, session->granule_bytes);
	return 0;
}

/* These texts are printed as strings: each must have its NUL. */
static void end_text(struct host *host, const char *callback, char *text, size_t size)
{
	if (!memchr(text, '\0', size))
		host_note(host, "%s left a text without a NUL at its end", callback);
	text[size - 1] = '\0';
}

static void end_texts(struct host *host, const char *callback, struct kataimg_fs_info *info)
{
	end_text(host, callback, info->type, sizeof(info->type));
	end_text(host, callback, info->label, sizeof(info->label));
	end_text(host, callback, info->min_kernel, sizeof(info->min_kernel));
	end_text(host, callback, info->features, sizeof(info->features));
}

static void mark_no_disk(const struct kataimg_backend *table, struct kataimg_fs_info *info)
{
	if (table->capabilities & KATAIMG_CAP_NO_DISK)
		info->flags |= KATAIMG_FS_NO_DISK;
}

static const struct kataimg_fs_info preset_info = { .struct_size = sizeof(preset_info) };

int session_describe(struct session *session, uint64_t window_bytes, struct kataimg_fs_info *info,
		     struct error *error)
{
	struct result result;
	int ret;

	ret = CALL(session, describe, session->state, window_bytes,
		   result_begin(&result, &preset_info, sizeof(preset_info)));
	result_end(&result, session->host, "describe", info);
	end_texts(session->host, "describe", info);
	mark_no_disk(session->table, info);
	return finish(session, ret, "describe", error);
}

int session_write(struct session *session, const struct kataimg_tree *tree, uint64_t window_bytes,
		  struct error *error)
{
	return finish_write(session, CALL(session, write, session->state, tree, window_bytes),
			    "write", tree, error);
}

int session_verify(struct session *session, uint64_t window_bytes, struct error *error)
{
	return finish(session, CALL(session, verify, session->state, window_bytes), "verify",
		      error);
}

int host_probe(struct host *host, const struct backend *backend, const struct host_range *window,
	       struct kataimg_fs_info *info, struct error *error)
{
	struct result result;
	int ret;

	host_set_window(host, HOST_READ_WINDOW, window, NULL);
	guard_enter(backend->table.name, "probe");
	host_enter(host, "probe");
	ret = backend->table.probe(host_services(host), window->len_bytes,
				   result_begin(&result, &preset_info, sizeof(preset_info)));
	guard_leave();
	result_end(&result, host, "probe", info);
	end_texts(host, "probe", info);
	mark_no_disk(&backend->table, info);
	host_leave(host, ret, NULL);
	if (ret == -ENODATA && !host_violation(host))
		return ret;
	return ret == 0 && !host_has_error(host) ? 0 : host_take_error(host, ret, "probe", error);
}

int backend_probe(const struct backend *backend, const struct host_range *window,
		  struct kataimg_fs_info *info, struct error *error)
{
	const struct host_setup setup = { .backend = backend->table.name,
					  .programs = backend->table.programs,
					  .threads = 1 };
	struct host *host autocall(cleanup_host_free) = host_new(&setup);

	return host ? host_probe(host, backend, window, info, error) : error_nomem(error);
}
