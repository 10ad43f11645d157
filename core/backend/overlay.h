/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that differ from a file's, while it is not known yet whether they stay: what a second
 * writing would put where the image has something else. Later writing may mend it. Mostly empty.
 */
#ifndef BACKEND_OVERLAY_H
#define BACKEND_OVERLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/cleanup.h"

struct overlay;

struct overlay *overlay_new(void); /* NULL when memory is out */
void overlay_free(struct overlay *overlay);
DEFINE_CLEANUP(struct overlay, overlay_free)

/* At off the file has `theirs`, and `ours` takes its place: bytes that are equal are forgotten, all
 * others remembered. -ENOMEM. */
int overlay_put(struct overlay *overlay, uint64_t off, const void *ours, const void *theirs,
		size_t len);

/* Puts what is remembered of [off, off + len) over the file's bytes in buf. */
void overlay_patch(const struct overlay *overlay, uint64_t off, void *buf, size_t len);

struct overlay_difference {
	uint64_t off;
	uint8_t ours;
};

/* The lowest byte that is remembered at or behind from; false: there is none. */
bool overlay_next(const struct overlay *overlay, uint64_t from, struct overlay_difference *next);

#endif
