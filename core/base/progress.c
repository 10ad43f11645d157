/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/bar.h"
#include "core/base/log.h"

#define STAGES_MAX 32
#define REDRAW_SECONDS 0.1
#define MEBIBYTE (1024.0 * 1024.0)

struct progress {
	enum progress_mode mode;
	const char *image; /* NULL: it has no name */
	bool running;      /* the last stage has not ended */
	struct progress_time times[STAGES_MAX];
	unsigned int count;
	double started, drawn; /* of the last stage */
	enum progress_unit unit;
	uint64_t done, total; /* total 0: nobody knows; else done is never above */
};

static double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

enum progress_mode progress_default_mode(void)
{
	const char *terminal = getenv("TERM");
	bool dumb = !terminal || strcmp(terminal, "dumb") == 0;

	return isatty(STDERR_FILENO) && !dumb ? PROGRESS_BAR : PROGRESS_PLAIN;
}

struct progress *progress_new(enum progress_mode mode)
{
	struct progress *progress = calloc(1, sizeof(*progress));

	if (progress)
		progress->mode = mode;
	return progress;
}

void progress_set_image(struct progress *progress, const char *name)
{
	progress->image = name;
}

void progress_free(struct progress *progress)
{
	if (progress)
		log_status(NULL);
	free(progress);
}

/* What a bar shows, which has little room. */
#define NAME_SHOWN_BYTES 24

static const char *stage_of_image(const struct progress *progress, const char *stage, char *buf,
				  size_t size)
{
	if (!progress->image)
		return stage;
	snprintf(buf, size, "%.*s: %s", NAME_SHOWN_BYTES, progress->image, stage);
	return buf;
}

static void draw_bar(const struct progress *progress, const char *stage, double seconds)
{
	char name[NAME_SHOWN_BYTES + 32];
	const struct bar bar = {
		.stage = stage_of_image(progress, stage, name, sizeof(name)),
		.bytes = progress->unit == PROGRESS_BYTES,
		.entries = progress->unit == PROGRESS_ENTRIES,
		.done = progress->done,
		.total = progress->total,
		.seconds = seconds,
	};
	char line[160];

	bar_format(&bar, bar_columns(STDERR_FILENO), line, sizeof(line));
	log_status(line);
}

static void print_json(const struct progress *progress, const char *stage, double seconds)
{
	const char *image = progress->image;
	char line[320], total[24] = "null";

	if (progress->total)
		snprintf(total, sizeof(total), "%" PRIu64, progress->total);
	snprintf(line, sizeof(line),
		 "{%s%s%s\"stage\":\"%s\",\"done\":%" PRIu64 ",\"total\":%s,\"seconds\":%.3f}",
		 image ? "\"image\":\"" : "", image ? image : "", image ? "\"," : "", stage,
		 progress->done, total, seconds);
	log_plain(line);
}

static void print_plain(const struct progress *progress, const char *stage, double seconds)
{
	if (progress->unit == PROGRESS_BYTES && progress->done)
		log_info("%s: %.1f MiB in %.2f s", stage, (double)progress->done / MEBIBYTE,
			 seconds);
	else
		log_debug("%s: %.2f s", stage, seconds);
}

static void end_stage(struct progress *progress)
{
	struct progress_time *last;

	if (!progress->running)
		return;
	progress->running = false;
	last = &progress->times[progress->count - 1];
	last->seconds = now_seconds() - progress->started;
	log_status(NULL);
	if (progress->mode == PROGRESS_JSON)
		print_json(progress, last->stage, last->seconds);
	else if (progress->mode != PROGRESS_OFF)
		print_plain(progress, last->stage, last->seconds);
}

void progress_stage(struct progress *progress, const char *name)
{
	end_stage(progress);
	if (progress->count < STAGES_MAX)
		progress->count++;
	progress->times[progress->count - 1] = (struct progress_time){ name, 0 };
	progress->running = true;
	progress->started = now_seconds();
	progress->drawn = progress->started;
	progress->done = 0;
	progress->total = 0;
}

void progress_update(struct progress *progress, enum progress_unit unit, uint64_t done,
		     uint64_t total)
{
	double now = now_seconds(), seconds = now - progress->started;
	const char *stage = progress->times[progress->count - 1].stage;

	progress->unit = unit;
	progress->done = total && done > total ? total : done;
	progress->total = total;
	if (now - progress->drawn < REDRAW_SECONDS)
		return;
	progress->drawn = now;
	if (progress->mode == PROGRESS_BAR)
		draw_bar(progress, stage, seconds);
	else if (progress->mode == PROGRESS_JSON)
		print_json(progress, stage, seconds);
}

void progress_bytes(void *arg, uint64_t done, uint64_t total)
{
	progress_update(arg, PROGRESS_BYTES, done, total);
}

void progress_meter(void *arg, enum meter_unit unit, uint64_t done, uint64_t total)
{
	progress_update(arg, unit == METER_BYTES ? PROGRESS_BYTES : PROGRESS_ENTRIES, done, total);
}

void progress_finish(struct progress *progress)
{
	end_stage(progress);
}

const struct progress_time *progress_times(const struct progress *progress, unsigned int *count)
{
	*count = progress->count;
	return progress->times;
}
