/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Free space of a filesystem under construction, handed out first-fit: large files go to a
 * huge-page boundary first, everything small then fills the gaps. Units are blocks throughout.
 *
 * Answers depend on the calls alone, so two builds place alike. A request costs O(log runs).
 */
#ifndef COMMON_SPACE_H
#define COMMON_SPACE_H

#include <stdint.h>

struct space;

/* NULL when memory is out. */
struct space *space_new(void);
void space_free(struct space *space);

/* Gives the run [start, start + blocks) to hand out; runs come in ascending order and do not touch.
 * -ENOMEM. */
int space_add(struct space *space, uint64_t start, uint64_t blocks);

/* The lowest whole stretch of so many blocks (not 0) whose start % modulus == phase. -ENOSPC,
 * -ENOMEM. Quick when the runs that are long enough but do not fit are few: so it is when no
 * request is shorter than modulus. */
int space_take_at_phase(struct space *space, uint64_t blocks, uint64_t modulus, uint64_t phase,
			uint64_t *start);

/* Takes nothing: how long is the stretch, to the end of its run, that begins where
 * space_take_at_phase would take so many blocks? -ENOSPC. */
int space_find_at_phase(const struct space *space, uint64_t blocks, uint64_t modulus,
			uint64_t phase, uint64_t *length);

/* The lowest whole stretch of so many blocks (not 0). -ENOSPC. */
int space_take_whole(struct space *space, uint64_t blocks, uint64_t *start);

/* The lowest free blocks, as many as lie together, at most max_blocks (not 0). -ENOSPC when nothing
 * is left. */
int space_take_some(struct space *space, uint64_t max_blocks, uint64_t *start, uint64_t *got);

uint64_t space_free_blocks(const struct space *space);

/* Walks what is still free, ascending: begin with *cursor = 0; 0 when a run was returned, -ENOENT
 * at the end. */
int space_next_run(const struct space *space, uint64_t *cursor, uint64_t *start, uint64_t *blocks);

#endif
