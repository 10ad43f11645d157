/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kataimg-backend-check: a backend against the contract of kataimg/backend.h. Each check is one
 * promise, judged in a process of its own, so that a backend that crashes fails one check and not
 * the tool.
 */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "check/support/trial.h"
#include "core/config/config.h"
#include "kataimg/backend.h"

struct subject {
	const char *path;
	const char *check; /* the name of the one that runs */
	const struct kataimg_backend *backend;
	struct kataimg_value *values; /* one for each option */
	struct kataimg_job job;       /* requires no more than the backend knows */
	const char *keep;             /* where whole-tree leaves what it made; NULL: nowhere */
	struct trial_setup sample;    /* a build of check_sample_tree, for CHECK_AFTER_BUILDS */
};

enum check_kind {
	CHECK_ALONE,
	CHECK_BUILD,       /* a build from which the checks after it go on */
	CHECK_AFTER_BUILDS /* would only repeat what a failed build has said */
};

/* A check returns 0, or 1 after check_fail. */
struct check {
	const char *name;
	const char *promise;
	int (*run)(const struct subject *subject);
	enum check_kind kind;
	bool untouched; /* makes its tree itself: the backend has not run in its process before */
};

extern const struct check checks[];
extern const size_t check_count;

/* The program; returns its exit status. */
int check_main(int argc, char **argv);

/* Says in a sentence what is wrong; returns 1. */
int check_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Runs it in a child process, which exits with what it returns; *status is as of waitpid(2). 0, or
 * 1 after a sentence. */
int check_in_child(const char *occasion, int (*run)(const void *arg), const void *arg, int *status);

/* Ends the process of a check, which has failed with a sentence. */
void check_end(void) __attribute__((noreturn));

/* Runs one check in a child process: 0, or 1 after a sentence was printed. */
int check_isolated(const struct check *check, const struct subject *subject);

/* Loads path with all the checks of the core's loader; NULL after a sentence. */
const struct kataimg_backend *check_load(const char *path);

/*
 * The values of the backend's options as kataimg reads them out of "NAME=VALUE" texts, ended by
 * NULL. To be freed; NULL after a sentence. Their strings are config's, for config_free either way.
 */
struct kataimg_value *check_read_options(const struct kataimg_backend *backend,
					 const char *const *texts, struct config *config);

/* What a callback's return value means. */
const char *check_errno(int ret);

/* A Kata image's job with all that the backend knows of jobs. */
struct kataimg_job check_job(const struct kataimg_backend *backend);

/* A setup for the subject and the tree. */
struct trial_setup check_setup(const struct subject *subject, struct memtree *tree);

/* A run that must succeed: NULL after a sentence. For trial_free. */
struct trial *check_run(const struct trial_setup *setup, const char *occasion);
/* The same where nothing of it is looked at: 0, or 1 after a sentence. */
int check_builds(const struct trial_setup *setup, const char *occasion);

/*
 * A run that must be refused by one of the stages ("write", or "verify probe"), with an error and a
 * message: success, a broken promise or an error of another stage is no refusal. 0, or 1 after a
 * sentence; accepted says what success would mean.
 */
int check_refused(const struct trial_setup *setup, const char *occasion, const char *stages,
		  const char *accepted);

/*
 * Something of all that the backend declares and, by its limits and check, can hold, and nothing
 * else. For memtree_free. With an occasion it is said what had to be left out.
 */
struct memtree *check_sample_tree(const struct subject *subject, const char *occasion);
/* No more than a root directory. */
struct memtree *check_empty_root(const struct subject *subject);

/* Takes out of a tree what limits and check refuse, and finishes it. occasion may be NULL. Ends the
 * process of a check, with a sentence, when that fails. */
void check_fit(const struct subject *subject, struct memtree *tree, const char *occasion);

/* Leaves dir/filesystem, and dir/tree with what is in it. 0, or 1 after a sentence. */
int check_keep(const char *dir, const struct trial *trial, struct memtree *tree);

/* Of a directory such as /proc/self/fd. */
int check_count_entries(const char *path);

/* By how many seconds the process's clocks are wrong from here on: time, gettimeofday and
 * clock_gettime, for the backend and all else. */
void check_shift_clock(int64_t seconds);

/* The checks, by file. */
int check_exports(const struct subject *subject);
int check_options(const struct subject *subject);
int check_empty_tree(const struct subject *subject);
int check_whole_tree(const struct subject *subject);
int check_jobs(const struct subject *subject);
int check_dax(const struct subject *subject);
int check_probe_garbage(const struct subject *subject);
int check_verify_notices(const struct subject *subject);
int check_plan_exact(const struct subject *subject);
int check_granularity(const struct subject *subject);
int check_windows(const struct subject *subject);
int check_read_back(const struct subject *subject);
int check_hostile(const struct subject *subject);
int check_free_space(const struct subject *subject);
int check_same_bytes(const struct subject *subject);
int check_again(const struct subject *subject);
int check_two_at_once(const struct subject *subject);
int check_threads(const struct subject *subject);
int check_faults(const struct subject *subject);
int check_cancelled(const struct subject *subject);
int check_effects(const struct subject *subject);
int check_stdout(const struct subject *subject);

#endif
