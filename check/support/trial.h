/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One build by a backend, from open to close, on the core's own host with its strict checks, over a
 * memtree and into a window in memory that is kept to be judged. Between backend and host services
 * can be made to fail.
 */
#ifndef CHECK_SUPPORT_TRIAL_H
#define CHECK_SUPPORT_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "check/support/memtree.h"
#include "core/backend/session.h"
#include "core/config/config.h"

struct trial;

/*
 * The values of "NAME=VALUE" texts, ended by NULL, as the core reads them; texts may be NULL. To be
 * freed; NULL after an error. Their strings are config's, which is for config_free either way.
 */
struct kataimg_value *trial_read_options(const struct kataimg_backend *backend,
					 const char *const *texts, struct config *config,
					 struct error *error);

/* Loads the built module whose path is in the environment variable KATAIMG_TEST_BACKEND; ends the
 * test when it cannot. Sections of tests/unit/meson.build set it. */
const struct kataimg_backend *trial_load_backend(void);

/* The job of a Kata image with DAX: window at 3 MiB, huge pages of 2 MiB, no free space. */
struct kataimg_job trial_default_job(void);

/* What a run shall do; zeros are the defaults. */
struct trial_setup {
	const struct kataimg_backend *backend;
	struct memtree *tree;               /* finished by the run */
	const struct kataimg_job *job;      /* NULL: trial_default_job(); copied */
	const struct kataimg_value *values; /* as the backend's options; NULL: made of options */
	const char *const *options;         /* "name=value", ended by NULL; NULL: none given */
	uint64_t window_bytes;              /* 0: what plan says */
	uint64_t extra_bytes;               /* on top of window_bytes */
	bool plan_only;                     /* stop after plan and describe, as --dry-run does */
	bool backwards;                     /* parallel without threads runs the last index first */
	bool again;                         /* write once more, and compare, if the backend can */
	const void *corrupt;                /* written over the window between copy and verify */
	size_t corrupt_len;
	uint64_t corrupt_off;
	bool corrupt_all; /* or: all of it becomes zeros */
};

/* The services that can be made to fail. */
enum trial_service {
	TRIAL_OTHER, /* none of them */
	TRIAL_WRITE,
	TRIAL_WINDOW_READ,
	TRIAL_PLACE,
	TRIAL_PLACE_SCRATCH,
	TRIAL_SOURCE_READ,
	TRIAL_SCRATCH_CREATE,
	TRIAL_SCRATCH_WRITE,
	TRIAL_SCRATCH_READ,
	TRIAL_DERIVE, /* and uuid */
	TRIAL_PARALLEL,
	TRIAL_SERVICES
};

/* The setup is copied, what it points to is not. */
struct trial *trial_new(const struct trial_setup *setup);
void trial_free(struct trial *trial);
DEFINE_CLEANUP(struct trial, trial_free)

/* The nth call (from 1) of a service, and every later one, returns -code, its message given. */
void trial_fail(struct trial *trial, enum trial_service service, uint64_t nth, int code);
/* After so many calls of any of the services above the build is cancelled. */
void trial_cancel_after(struct trial *trial, uint64_t calls);

/*
 * All callbacks of a build in their order, the copy, and probe, whose answer must be what describe
 * said. 0, or the error that the core makes of the first failing step: -EPROTO for what is against
 * the contract.
 */
int trial_run(struct trial *trial);

/* The session alone, for a caller that goes on by itself; NULL after an error. For session_close.
 */
struct session *trial_open(struct trial *trial);

/* Results, valid after trial_run. Texts are "" when there is nothing. */
const char *trial_stage(const struct trial *trial); /* the last callback, e.g. "write" */
const char *trial_error(const struct trial *trial); /* the first message */
const char *trial_violation(const struct trial *trial);
const char *trial_log(const struct trial *trial);                   /* lines "level: text" */
const char *trial_fact(const struct trial *trial, const char *key); /* NULL: not said */
const struct kataimg_plan *trial_plan(const struct trial *trial);
const struct kataimg_limits *trial_limits(const struct trial *trial);
const struct kataimg_fs_info *trial_described(const struct trial *trial);
const struct kataimg_fs_info *trial_probed(const struct trial *trial);
uint64_t trial_calls(const struct trial *trial, enum trial_service service);

/* The window, and the backend in the form that the core has it in. */
struct host_range trial_window(const struct trial *trial);
const struct backend *trial_backend(const struct trial *trial);

/* Has the backend written this byte itself? Has it written or placed anything in
 * [off, off + len)? */
bool trial_is_written(const struct trial *trial, uint64_t off);
bool trial_is_used(const struct trial *trial, uint64_t off, uint64_t len);
/* The finished filesystem. */
uint64_t trial_window_bytes(const struct trial *trial);
void trial_read(const struct trial *trial, uint64_t off, void *buf, size_t len);
void trial_overwrite(struct trial *trial, uint64_t off, const void *buf, size_t len);
/* As a sparse file for tools and eyes. */
void trial_save(const struct trial *trial, const char *path);

/* One record of place, in the order of the calls. */
struct trial_place {
	uint64_t off; /* in the window */
	uint64_t file_off, len;
	const struct kataimg_node *node; /* NULL: from scratch */
	struct kataimg_scratch *scratch;
};
uint64_t trial_place_count(const struct trial *trial);
const struct trial_place *trial_place_at(const struct trial *trial, uint64_t index);

/*
 * Runs the setup again and again with one service failing at a later call each time (at most
 * `tries` points spread over the calls of a clean run). Each run must return -code with a message
 * and without violation. Ends the test, saying where, if one does not.
 */
void trial_sweep(const struct trial_setup *setup, enum trial_service service, int code,
		 uint64_t tries);

/* What the backend's probe says to these bytes. */
int trial_probe_bytes(const struct kataimg_backend *backend, const void *bytes, uint64_t len,
		      struct kataimg_fs_info *info);

#endif
