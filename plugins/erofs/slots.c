/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/slots.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/array.h"
#include "lib/round.h"
#include "plugins/erofs/format.h"

#define BLOCK_SLOTS (EROFS_BLOCK_BYTES / EROFS_SLOT_BYTES)
#define NO_BLOCK UINT32_MAX

struct erofs_slots {
	uint32_t first[BLOCK_SLOTS + 1]; /* a block with so many free slots at its end */
	ARRAY(uint32_t) next;            /* of each block: another with as many */
};

static void put_block(struct erofs_slots *slots, uint32_t block, uint32_t free_slots)
{
	if (!free_slots)
		return;
	slots->next.items[block] = slots->first[free_slots];
	slots->first[free_slots] = block;
}

static int add_blocks(struct erofs_slots *slots, uint64_t count)
{
	if (slots->next.count + count >= NO_BLOCK)
		return -EFBIG;
	if (array_reserve(&slots->next, (size_t)count) < 0)
		return -ENOMEM;
	slots->next.count += (size_t)count;
	return 0;
}

struct erofs_slots *erofs_slots_new(uint32_t taken_bytes)
{
	struct erofs_slots *slots = calloc(1, sizeof(*slots));
	uint32_t taken = (uint32_t)div_up(taken_bytes, EROFS_SLOT_BYTES);

	if (!slots)
		return NULL;
	for (uint32_t i = 0; i <= BLOCK_SLOTS; i++)
		slots->first[i] = NO_BLOCK;
	if (add_blocks(slots, 1) < 0) {
		erofs_slots_free(slots);
		return NULL;
	}
	put_block(slots, 0, BLOCK_SLOTS - taken);
	return slots;
}

void erofs_slots_free(struct erofs_slots *slots)
{
	if (!slots)
		return;
	array_free(&slots->next);
	free(slots);
}

/* The smallest rest that holds so many slots, or that of a new block; taken off its list. */
static int take_rest(struct erofs_slots *slots, uint32_t need, uint32_t *block, uint32_t *rest)
{
	int ret;

	for (uint32_t i = need; i <= BLOCK_SLOTS; i++) {
		if (slots->first[i] == NO_BLOCK)
			continue;
		*block = slots->first[i];
		*rest = i;
		slots->first[i] = slots->next.items[*block];
		return 0;
	}
	ret = add_blocks(slots, 1);
	if (ret < 0)
		return ret;
	*block = (uint32_t)(slots->next.count - 1);
	*rest = BLOCK_SLOTS;
	return 0;
}

static int take_run(struct erofs_slots *slots, uint64_t need, uint64_t *off)
{
	uint64_t blocks = div_up(need, BLOCK_SLOTS);
	int ret = add_blocks(slots, blocks);

	if (ret < 0)
		return ret;
	*off = (slots->next.count - blocks) * EROFS_BLOCK_BYTES;
	put_block(slots, (uint32_t)(slots->next.count - 1),
		  (uint32_t)(blocks * BLOCK_SLOTS - need));
	return 0;
}

int erofs_slots_take(struct erofs_slots *slots, uint64_t bytes, uint64_t *off)
{
	uint64_t need = div_up(bytes, EROFS_SLOT_BYTES);
	uint32_t block, rest;
	int ret;

	if (need > BLOCK_SLOTS)
		return take_run(slots, need, off);
	ret = take_rest(slots, (uint32_t)need, &block, &rest);
	if (ret < 0)
		return ret;
	*off = (uint64_t)(block + 1ull) * EROFS_BLOCK_BYTES - (uint64_t)rest * EROFS_SLOT_BYTES;
	put_block(slots, block, rest - (uint32_t)need);
	return 0;
}

uint64_t erofs_slots_blocks(const struct erofs_slots *slots)
{
	return slots->next.count;
}
