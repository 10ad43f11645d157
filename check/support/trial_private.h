/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a trial, shared by its build (trial.c) and what stands between backend and host
 * (trial_host.c). */
#ifndef CHECK_SUPPORT_TRIAL_PRIVATE_H
#define CHECK_SUPPORT_TRIAL_PRIVATE_H

#include <pthread.h>

#include "check/support/trial.h"
#include "core/backend/relay.h"
#include "lib/array.h"

/* A host round another one: it records, and fails where it is told to. */
struct meddler {
	struct relay relay; /* first: its before and after get it */
	bool backwards;

	pthread_mutex_t lock; /* of all that follows */
	uint64_t calls[TRIAL_SERVICES], all_calls;
	enum trial_service fault_service;
	uint64_t fault_at; /* 0: none */
	int fault_code;
	uint64_t cancel_after; /* UINT64_MAX: never */
	bool cancelled;
	ARRAY(struct trial_place) places;
	char *log;
};

void meddler_init(struct meddler *meddler);
void meddler_release(struct meddler *meddler);
/* For struct host_setup; arg is the meddler. */
const struct kataimg_host *meddler_decorate(void *arg, const struct kataimg_host *services);

struct trial {
	struct trial_setup setup;
	struct kataimg_job job;
	struct backend backend;
	struct config config; /* of values, where the setup has none */
	struct kataimg_value *values;
	struct meddler meddler;
	struct host *host; /* from the run on */
	struct copy *copy;
	int window_fd;
	uint64_t window_bytes;

	const char *stage;
	struct error error;
	struct kataimg_limits limits;
	struct kataimg_plan plan;
	struct kataimg_fs_info described, probed;
};

#endif
