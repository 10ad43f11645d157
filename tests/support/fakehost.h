/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host for backends under test: every service of struct kataimg_host over a memtree and a window
 * in memory, strict about the contract. What a backend does against the contract (a service from
 * the wrong thread, a write during plan, an error without a message, a byte past a structure) is
 * recorded as a violation, and fakehost_run then fails with -EPROTO.
 */
#ifndef SUPPORT_FAKEHOST_H
#define SUPPORT_FAKEHOST_H

#include <stdbool.h>
#include <stdint.h>

#include "kataimg/backend.h"
#include "tests/support/memtree.h"

struct fakehost;

/* Loads the built module whose path is in the environment variable KATAIMG_TEST_BACKEND; ends the
 * test when it cannot. Sections of tests/unit/meson.build set it. */
const struct kataimg_backend *fakehost_load_backend(void);

/* The job of a Kata image with DAX: window at 3 MiB, huge pages of 2 MiB, no free space. */
struct kataimg_job fakehost_default_job(void);

/* "No limit" everywhere, as a backend's limits callback finds it. */
void fakehost_preset_limits(struct kataimg_limits *limits);

/* What a run shall do; zeros are the defaults. */
struct fakehost_setup {
	const struct kataimg_backend *backend;
	struct memtree *tree;               /* finished by the run */
	const struct kataimg_job *job;      /* NULL: fakehost_default_job(); copied */
	const struct kataimg_value *values; /* as the backend's options; NULL: made of options */
	const char *const *options;         /* "name=value", ended by NULL; NULL: none given */
	uint64_t window_bytes;              /* 0: what plan says */
	uint64_t extra_bytes;               /* on top of window_bytes */
	bool plan_only;                     /* stop after plan and describe, as --dry-run does */
	bool backwards;                     /* parallel without threads runs the last index first */
	const void *corrupt;                /* written over the window between copy and verify */
	size_t corrupt_len;
	uint64_t corrupt_off;
	bool corrupt_all; /* or: all of it becomes zeros */
};

/* The services that can be made to fail. */
enum fakehost_service {
	FAKEHOST_WRITE,
	FAKEHOST_WINDOW_READ,
	FAKEHOST_PLACE,
	FAKEHOST_PLACE_SCRATCH,
	FAKEHOST_SOURCE_READ,
	FAKEHOST_SCRATCH_CREATE,
	FAKEHOST_SCRATCH_WRITE,
	FAKEHOST_SCRATCH_READ,
	FAKEHOST_DERIVE, /* and uuid */
	FAKEHOST_PARALLEL,
	FAKEHOST_SERVICES
};

/* The setup is copied, what it points to is not. */
struct fakehost *fakehost_new(const struct fakehost_setup *setup);
void fakehost_free(struct fakehost *host);

/* The nth call (from 1) of a service, and every later one, returns -code, its message given. */
void fakehost_fail(struct fakehost *host, enum fakehost_service service, uint64_t nth, int code);
/* After so many calls of any of the services above the build is cancelled. */
void fakehost_cancel_after(struct fakehost *host, uint64_t calls);

/*
 * open, limits, check (every node), plan, describe, write, copy, verify, close, probe, and checks
 * between them: sizes against the granularity, describe against probe. 0, or what the first failing
 * callback returned, or -EPROTO on a violation; -EFBIG when check refused a node.
 */
int fakehost_run(struct fakehost *host);

/* Results, valid after fakehost_run. Texts are "" when there is nothing. */
const char *fakehost_stage(const struct fakehost *host); /* the last callback, e.g. "write" */
const char *fakehost_error(const struct fakehost *host); /* the first message */
const char *fakehost_violation(const struct fakehost *host);
const char *fakehost_log(const struct fakehost *host);                   /* lines "level: text" */
const char *fakehost_fact(const struct fakehost *host, const char *key); /* NULL: not said */
const struct kataimg_plan *fakehost_plan(const struct fakehost *host);
const struct kataimg_limits *fakehost_limits(const struct fakehost *host);
const struct kataimg_fs_info *fakehost_described(const struct fakehost *host);
const struct kataimg_fs_info *fakehost_probed(const struct fakehost *host);
uint64_t fakehost_calls(const struct fakehost *host, enum fakehost_service service);

/* Has the backend written or placed anything in [off, off + len)? */
bool fakehost_is_used(const struct fakehost *host, uint64_t off, uint64_t len);
/* The finished filesystem. */
uint64_t fakehost_window_bytes(const struct fakehost *host);
void fakehost_read(const struct fakehost *host, uint64_t off, void *buf, size_t len);
void fakehost_overwrite(struct fakehost *host, uint64_t off, const void *buf, size_t len);
/* As a sparse file for tools and eyes. */
void fakehost_save(const struct fakehost *host, const char *path);

/* One record of place, in the order of the calls. */
struct fakehost_place {
	uint64_t off; /* in the window */
	uint64_t file_off, len;
	const struct kataimg_node *node; /* NULL: from scratch */
	struct kataimg_scratch *scratch;
};
uint64_t fakehost_place_count(const struct fakehost *host);
const struct fakehost_place *fakehost_place_at(const struct fakehost *host, uint64_t index);

/*
 * Runs the setup again and again with one service failing at a later call each time (at most
 * `tries` points spread over the calls of a clean run). Each run must return -code with a message
 * and without violation. Ends the test, saying where, if one does not.
 */
void fakehost_sweep(const struct fakehost_setup *setup, enum fakehost_service service, int code,
		    uint64_t tries);

/* The table of services, for a test that calls a backend step by step. */
const struct kataimg_host *fakehost_services(struct fakehost *host);

/* What the backend's probe says to these bytes. */
int fakehost_probe_bytes(const struct kataimg_backend *backend, const void *bytes, uint64_t len,
			 struct kataimg_fs_info *info);

#endif
