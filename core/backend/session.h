/* SPDX-License-Identifier: Apache-2.0 */
/* One open backend: its callbacks, with their results turned into errors that name the backend. */
#ifndef BACKEND_SESSION_H
#define BACKEND_SESSION_H

#include "core/backend/host.h"
#include "core/backend/loader.h"

struct session;

/* backend, host, job and values must outlive the session. */
int session_open(const struct backend *backend, struct host *host, const struct kataimg_job *job,
		 const struct kataimg_value *values, struct session **session, struct error *error);
void session_close(struct session *session);
DEFINE_CLEANUP(struct session, session_close)

const struct kataimg_backend *session_table(const struct session *session);

int session_limits(struct session *session, struct kataimg_limits *limits, struct error *error);
/* An enum kataimg_check value. reason_size: 512 at most. */
int session_check(struct session *session, const struct kataimg_node *node, char *reason,
		  size_t reason_size, struct error *error);
int session_plan(struct session *session, const struct kataimg_tree *tree,
		 struct kataimg_plan *plan, struct error *error);
int session_describe(struct session *session, uint64_t window_bytes, struct kataimg_fs_info *info,
		     struct error *error);
int session_write(struct session *session, const struct kataimg_tree *tree, uint64_t window_bytes,
		  struct error *error);
int session_verify(struct session *session, uint64_t window_bytes, struct error *error);

/* As backend_probe, on a host that is there. */
int host_probe(struct host *host, const struct backend *backend, const struct host_range *window,
	       struct kataimg_fs_info *info, struct error *error);
/* Asks a backend, open or not, what is in a window: 0, -ENODATA (not its kind), or an error of a
 * broken one. */
int backend_probe(const struct backend *backend, const struct host_range *window,
		  struct kataimg_fs_info *info, struct error *error);

#endif
