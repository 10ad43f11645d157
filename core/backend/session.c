/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/session.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend/guard.h"

#define NSEC_PER_SEC UINT64_C(1000000000)

struct session {
	const struct kataimg_backend *table;
	struct host *host;
	void *state;
};

/* A callback's result, for finish. */
#define CALL(session, callback, ...) \
	(guard_enter((session)->table->name, #callback), (session)->table->callback(__VA_ARGS__))

static int finish(struct session *session, int ret, const char *what, struct error *error)
{
	guard_leave();
	return ret == 0 && !host_has_error(session->host)
		       ? 0
		       : host_take_error(session->host, ret, what, error);
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
	int ret = 0;

	memset(limits, 0xff, sizeof(*limits));
	limits->struct_size = sizeof(*limits);
	limits->mtime_min = INT64_MIN;
	limits->mtime_max = INT64_MAX;
	limits->name_bytes = NAME_MAX; /* the contract's own; an archive may have longer ones */
	if (session->table->limits)
		ret = finish(session, CALL(session, limits, session->state, limits), "limits",
			     error);
	return ret < 0 ? ret : finish_granularity(session->table, limits, error);
}

int session_check(struct session *session, const struct kataimg_node *node, char *reason,
		  size_t reason_size, struct error *error)
{
	int ret;

	reason[0] = '\0';
	if (!session->table->check)
		return KATAIMG_CHECK_OK;
	ret = CALL(session, check, session->state, node, reason, reason_size);
	guard_leave();
	if (ret >= KATAIMG_CHECK_OK && ret <= KATAIMG_CHECK_MODE)
		return ret;
	return finish(session, ret, "check", error);
}

int session_plan(struct session *session, const struct kataimg_tree *tree,
		 struct kataimg_plan *plan, struct error *error)
{
	const char *name = session->table->name;
	int ret;

	*plan = (struct kataimg_plan){ .struct_size = sizeof(*plan) };
	ret = finish(session, CALL(session, plan, session->state, tree, plan), "plan", error);
	if (ret < 0)
		return ret;
	if (plan->granularity == 0 || plan->granularity % 4096 != 0 || plan->bytes == 0 ||
	    plan->bytes % plan->granularity != 0)
		return error_set(error, EPROTO,
				 "the backend %s plans %" PRIu64 " bytes, granularity %" PRIu64
				 ": the granularity is a multiple of 4096, the bytes one of the "
				 "granularity, and neither is 0",
				 name, plan->bytes, plan->granularity);
	return 0;
}

/* Whoever prints them relies on the NUL at their end. */
static void end_texts(struct kataimg_fs_info *info)
{
	info->type[sizeof(info->type) - 1] = '\0';
	info->label[sizeof(info->label) - 1] = '\0';
	info->min_kernel[sizeof(info->min_kernel) - 1] = '\0';
	info->features[sizeof(info->features) - 1] = '\0';
}

int session_describe(struct session *session, uint64_t window_bytes, struct kataimg_fs_info *info,
		     struct error *error)
{
	int ret;

	*info = (struct kataimg_fs_info){ .struct_size = sizeof(*info) };
	ret = finish(session, CALL(session, describe, session->state, window_bytes, info),
		     "describe", error);
	end_texts(info);
	return ret;
}

int session_write(struct session *session, const struct kataimg_tree *tree, uint64_t window_bytes,
		  struct error *error)
{
	return finish(session, CALL(session, write, session->state, tree, window_bytes), "write",
		      error);
}

int session_verify(struct session *session, uint64_t window_bytes, struct error *error)
{
	return finish(session, CALL(session, verify, session->state, window_bytes), "verify",
		      error);
}

int backend_probe(const struct backend *backend, const struct host_range *window,
		  struct kataimg_fs_info *info, struct error *error)
{
	const struct host_setup setup = { .backend = backend->table.name, .threads = 1 };
	struct host *host autocall(cleanup_host_free) = host_new(&setup);
	int ret;

	if (!host)
		return error_nomem(error);
	host_set_window(host, HOST_READ_WINDOW, window, NULL);
	*info = (struct kataimg_fs_info){ .struct_size = sizeof(*info) };
	guard_enter(backend->table.name, "probe");
	ret = backend->table.probe(host_services(host), window->len_bytes, info);
	guard_leave();
	end_texts(info);
	if (ret == 0 || ret == -ENODATA)
		return ret;
	return host_take_error(host, ret, "probe", error);
}
