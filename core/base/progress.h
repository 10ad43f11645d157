/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far the build is, for people and programs, on stderr: a bar on a terminal, a plain line a
 * stage, or JSON lines {"stage":"copy","done":1048576,"total":4194304,"seconds":0.1}; a total that
 * nobody knows is null. That nobody reads them is no error.
 */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdint.h>

#include "core/base/meter.h"
#include "lib/cleanup.h"

enum progress_mode { PROGRESS_OFF, PROGRESS_PLAIN, PROGRESS_BAR, PROGRESS_JSON };

/* A terminal that can redraw a line gets a bar, anything else plain lines. */
enum progress_mode progress_default_mode(void);

struct progress;

struct progress *progress_new(enum progress_mode mode); /* NULL when memory is out */
void progress_free(struct progress *progress);
/* Whose stages they are, of several images: a name of letters, digits and "._-", which must outlive
 * it. */
void progress_set_image(struct progress *progress, const char *name);
DEFINE_CLEANUP(struct progress, progress_free)

/* Begins a stage and ends the one before. name must be static. */
void progress_stage(struct progress *progress, const char *name);

/* Entries are those of a source that is scanned; steps are units of a backend's own. Both are
 * without a rate. */
enum progress_unit { PROGRESS_BYTES, PROGRESS_ENTRIES, PROGRESS_STEPS };

/* total 0: not known. Drawn at most ten times a second. From one thread at a time. */
void progress_update(struct progress *progress, enum progress_unit unit, uint64_t done,
		     uint64_t total);

/* progress_update in bytes, for those who report to a void pointer: arg is the progress. */
void progress_bytes(void *arg, uint64_t done, uint64_t total);

/* For meter_listen: arg is the progress. */
void progress_meter(void *arg, enum meter_unit unit, uint64_t done, uint64_t total);

/* Ends the last stage; another may begin. */
void progress_finish(struct progress *progress);

/* The stages so far, in order, for the report. */
struct progress_time {
	const char *stage;
	double seconds;
};
const struct progress_time *progress_times(const struct progress *progress, unsigned int *count);

#endif
