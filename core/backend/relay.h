/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host round another one, to which it passes every call on. Who looks on or interferes is asked
 * before a call and told after it, or puts a service of its own into services.
 */
#ifndef BACKEND_RELAY_H
#define BACKEND_RELAY_H

#include "kataimg/backend.h"

enum relay_service {
	RELAY_LOG,
	RELAY_ERROR,
	RELAY_FACT,
	RELAY_WRITE,
	RELAY_WINDOW_READ,
	RELAY_PLACE,
	RELAY_PLACE_SCRATCH,
	RELAY_SOURCE_READ,
	RELAY_SOURCE_READ_INLINE,
	RELAY_SCRATCH_CREATE,
	RELAY_SCRATCH_WRITE,
	RELAY_SCRATCH_READ,
	RELAY_SCRATCH_SIZE,
	RELAY_DERIVE,
	RELAY_UUID,
	RELAY_PROGRESS,
	RELAY_PARALLEL,
	RELAY_CANCELLED,
	RELAY_RUN,
	RELAY_OPTION_ERROR,
	RELAY_SERVICES
};

/* A call with those of its arguments that somebody may want to look at; a member is set for the
 * services that it names. */
struct relay_call {
	enum relay_service service;
	int level;                       /* log */
	uint64_t off, len;               /* in the window; progress: done, total */
	const struct kataimg_node *node; /* place, source_read */
	struct kataimg_scratch *scratch; /* place_scratch */
	uint64_t file_off;               /* in node or scratch */
};

struct relay {
	struct kataimg_host services; /* whose ctx is this structure */
	const struct kataimg_host *inner;
	/* Asked before each call: 0 passes it on; any other value is what the service returns
	 * instead. */
	int (*before)(struct relay *relay, const struct relay_call *call);
	/* Told after each call that was passed on and returned ret; its value is what the service
	 * returns. */
	int (*after)(struct relay *relay, const struct relay_call *call, int ret);
};

/* inner must outlive it. Sets services and inner; before and after are the caller's. */
void relay_init(struct relay *relay, const struct kataimg_host *inner);

static inline struct relay *relay_of(struct kataimg_host_ctx *ctx)
{
	return (struct relay *)ctx;
}

#endif
