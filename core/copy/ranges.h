/* SPDX-License-Identifier: Apache-2.0 */
/* A set of byte ranges of two kinds, for the window's promises: no overlap, no read of what is only
 * placed. */
#ifndef COPY_RANGES_H
#define COPY_RANGES_H

#include <stdbool.h>
#include <stdint.h>

enum range_kind { RANGE_WRITTEN, RANGE_PLACED };

struct ranges;

struct ranges *ranges_new(void);
void ranges_free(struct ranges *ranges);

/* Adds [off, off + len). Written over written merges; anything that touches placed, or placed over
 * anything: -EEXIST. */
int ranges_add(struct ranges *ranges, uint64_t off, uint64_t len, enum range_kind kind);

/* Does [off, off + len) touch a placed range? */
bool ranges_touch_placed(const struct ranges *ranges, uint64_t off, uint64_t len);

#endif
