/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places in the metadata area, in slots of 32 bytes. What fits a block never crosses one, so that
 * data may follow its inode; it goes where the least room is left over (best fit). What is larger
 * takes whole new blocks and leaves its last one's rest. A request costs O(1).
 */
#ifndef EROFS_SLOTS_H
#define EROFS_SLOTS_H

#include <stdint.h>

struct erofs_slots;

/* The first bytes of block 0 are taken already. NULL when memory is out. */
struct erofs_slots *erofs_slots_new(uint32_t taken_bytes);
void erofs_slots_free(struct erofs_slots *slots);

/* The byte where so many (not 0) go. -ENOMEM; -EFBIG beyond 2^32 - 1 blocks. */
int erofs_slots_take(struct erofs_slots *slots, uint64_t bytes, uint64_t *off);

/* How many blocks the area has by now. */
uint64_t erofs_slots_blocks(const struct erofs_slots *slots);

#endif
