/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of byte ranges of two kinds, for the window's promises: no overlap, no read of what is only
 * placed. Neighbours of one kind become one range of 16 bytes; a call costs O(log n), or O(1) where
 * calls ascend.
 */
#ifndef COPY_RANGES_H
#define COPY_RANGES_H

#include <stdbool.h>
#include <stdint.h>

enum range_kind { RANGE_WRITTEN, RANGE_PLACED };

struct ranges;

struct ranges *ranges_new(void); /* NULL when memory is out */
void ranges_free(struct ranges *ranges);

/* Adds [off, off + len), which ends below 2^63. Written over written merges; anything that touches
 * placed, or placed over anything: -EEXIST, and nothing is added. -ENOMEM. */
int ranges_add(struct ranges *ranges, uint64_t off, uint64_t len, enum range_kind kind);

/* Does [off, off + len) share a byte with a placed range, with any range? */
bool ranges_touch_placed(const struct ranges *ranges, uint64_t off, uint64_t len);
bool ranges_touch_any(const struct ranges *ranges, uint64_t off, uint64_t len);

struct ranges_item {
	uint64_t start, end;
	enum range_kind kind;
};

/* The first range that ends behind from; false: there is none. */
bool ranges_next(const struct ranges *ranges, uint64_t from, struct ranges_item *item);

#endif
