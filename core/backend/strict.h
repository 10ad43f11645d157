/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host round another one that passes everything on, and notes what a backend does against the
 * contract: a service from the wrong thread or callback, parallel within parallel, a place beyond a
 * file's end, a file whose bytes go nowhere. For kataimg --strict-backend and
 * kataimg-backend-check.
 */
#ifndef BACKEND_STRICT_H
#define BACKEND_STRICT_H

#include "kataimg/backend.h"
#include "lib/cleanup.h"

struct strict;

/* inner must outlive it. NULL when memory is out. */
struct strict *strict_new(const struct kataimg_host *inner);
void strict_free(struct strict *strict);
DEFINE_CLEANUP(struct strict, strict_free)

/* The same in shape as inner, for the backend. */
const struct kataimg_host *strict_services(struct strict *strict);

/* From here on services belong to this callback ("plan") on this thread. */
void strict_enter(struct strict *strict, const char *callback);

/* After write: every byte of every file must have been placed or read. */
void strict_judge_files(struct strict *strict, const struct kataimg_tree *tree);

/* One more thing against the contract, found elsewhere. The first one counts. Any thread. */
void strict_note(struct strict *strict, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The first one, a sentence; NULL: none. */
const char *strict_violation(const struct strict *strict);

#endif
