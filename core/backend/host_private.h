/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a host, for the files that make up its services. */
#ifndef BACKEND_HOST_PRIVATE_H
#define BACKEND_HOST_PRIVATE_H

#include <pthread.h>

#include "core/backend/host.h"
#include "core/backend/overlay.h"
#include "core/backend/strict.h"
#include "core/copy/ranges.h"
#include "lib/array.h"

struct kataimg_scratch {
	struct kataimg_scratch *next;
	int fd;
};

struct kataimg_host_ctx {
	struct host_setup setup;
	struct kataimg_host services;
	const struct kataimg_host *outer; /* as the backend sees them */
	struct strict *strict;            /* NULL */
	const char *callback;             /* that is running, or ran last */

	enum host_window mode;
	struct host_range window;
	struct copy *copy;
	struct host_compare *compare; /* of HOST_COMPARE_WINDOW */

	pthread_mutex_t lock; /* guards all that follows */
	struct error error;
	uint64_t error_index;  /* of the parallel job that recorded it; 0 outside */
	uint64_t failed_index; /* lowest parallel job that failed; UINT64_MAX: none */
	struct kataimg_scratch *scratches;
	ARRAY(struct host_fact) facts;
};

struct host {
	struct kataimg_host_ctx ctx;
};

struct host_compare;
void host_compare_free(struct host_compare *compare);
DEFINE_CLEANUP(struct host_compare, host_compare_free)

/* A write, which the window has room for and nobody else claims, of a run that compares. */
int host_compare_write(struct kataimg_host_ctx *ctx, uint64_t image_off, const void *buf,
		       size_t len);
/* What this run has written; -errno without a message. */
int host_compare_read(struct kataimg_host_ctx *ctx, uint64_t image_off, void *buf, size_t len);
/* Content is going to be written: *skipped says that it does not count. */
int host_compare_skip(struct kataimg_host_ctx *ctx, uint64_t image_off, size_t len, bool *skipped);

/* Records a service's own failure, as the backend would by error. Returns -code. */
int host_fail(struct kataimg_host_ctx *ctx, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* -ECANCELED once the build is to stop: the first line of every service that does work. */
int host_check_cancelled(struct kataimg_host_ctx *ctx);

/* The services, by file: host_window.c, host_scratch.c, host_parallel.c, host_run.c. */
int host_service_write(struct kataimg_host_ctx *ctx, uint64_t off, const void *buf, size_t len);
int host_service_window_read(struct kataimg_host_ctx *ctx, uint64_t off, void *buf, size_t len);
int host_service_place(struct kataimg_host_ctx *ctx, uint64_t off, const struct kataimg_node *node,
		       uint64_t file_off, uint64_t len);
int host_service_place_scratch(struct kataimg_host_ctx *ctx, uint64_t off,
			       struct kataimg_scratch *scratch, uint64_t scratch_off, uint64_t len);
int host_service_scratch_create(struct kataimg_host_ctx *ctx, struct kataimg_scratch **scratch);
int host_service_scratch_write(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
			       uint64_t off, const void *buf, size_t len);
int host_service_scratch_read(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
			      uint64_t off, void *buf, size_t len);
int host_service_scratch_size(struct kataimg_host_ctx *ctx, struct kataimg_scratch *scratch,
			      uint64_t *bytes);
void host_close_scratches(struct kataimg_host_ctx *ctx);
int host_service_parallel(struct kataimg_host_ctx *ctx, uint64_t count,
			  int (*fn)(void *arg, uint64_t index), void *arg);
int host_service_cancelled(struct kataimg_host_ctx *ctx);
uint64_t host_parallel_index(void); /* of the job that this thread runs; 0 outside */
int host_service_run(struct kataimg_host_ctx *ctx, const char *const *argv,
		     struct kataimg_scratch *input, struct kataimg_scratch *output);

#endif
