/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a fake host, shared by its services (fakehost.c) and its pipeline (fakerun.c). */
#ifndef SUPPORT_FAKESTATE_H
#define SUPPORT_FAKESTATE_H

#include <pthread.h>
#include <stdarg.h>

#include "core/backend/strict.h"
#include "core/config/config.h"
#include "core/copy/ranges.h"
#include "tests/support/fakehost.h"

enum fakestage {
	FAKESTAGE_NONE,
	FAKESTAGE_OPEN,
	FAKESTAGE_LIMITS,
	FAKESTAGE_CHECK,
	FAKESTAGE_PLAN,
	FAKESTAGE_DESCRIBE,
	FAKESTAGE_WRITE,
	FAKESTAGE_VERIFY,
	FAKESTAGE_CLOSE,
	FAKESTAGE_PROBE
};

struct kataimg_scratch {
	struct kataimg_scratch *next;
	int fd;
};

struct fakefact {
	struct fakefact *next;
	char *key, *value;
};

#define FAKE_CANARY_BYTES 64

/* What backends fill in, each with bytes behind it that must not change. */
struct fakeresults {
	struct kataimg_limits limits;
	uint8_t after_limits[FAKE_CANARY_BYTES];
	struct kataimg_plan plan;
	uint8_t after_plan[FAKE_CANARY_BYTES];
	struct kataimg_fs_info described;
	uint8_t after_described[FAKE_CANARY_BYTES];
	struct kataimg_fs_info probed;
	uint8_t after_probed[FAKE_CANARY_BYTES];
};

struct fakehost {
	struct fakehost_setup setup;
	struct kataimg_host services;
	struct strict *strict; /* round them, for the backend */
	struct kataimg_job job;
	struct config config; /* of values, where the setup has none */
	struct kataimg_value *values;
	struct fakeresults results;
	void *backend_state;

	pthread_mutex_t lock; /* of all below */
	enum fakestage stage;

	int window_fd;
	uint64_t window_bytes;
	struct ranges *ranges;
	struct fakehost_place *places;
	uint64_t place_count;
	struct kataimg_scratch *scratches;

	uint64_t calls[FAKEHOST_SERVICES];
	uint64_t all_calls;
	enum fakehost_service fault_service;
	uint64_t fault_at; /* 0: none */
	int fault_code;
	uint64_t cancel_after; /* UINT64_MAX: never */
	bool cancelled;

	char *error, *log;
	struct fakefact *facts;
};

/* A message; the first one counts. */
void fakehost_say_error(struct fakehost *host, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* From here on services belong to this callback, on this thread. */
void fakehost_enter_stage(struct fakehost *host, enum fakestage stage);
const char *fakestage_name(enum fakestage stage);

/* A new window of zeros. */
void fakehost_set_window(struct fakehost *host, uint64_t bytes);
/* Does what place and place_scratch recorded. */
void fakehost_copy(struct fakehost *host);
void fakehost_free_scratches(struct fakehost *host);

extern const struct kataimg_host fakehost_service_table;

#endif
