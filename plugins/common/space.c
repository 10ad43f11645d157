/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A treap of runs, ordered by start, where each node knows the longest run below it: the leftmost
 * run that is long enough is found by descending. Priorities come from a counter, so the shape,
 * too, depends on the calls alone.
 */
#include "plugins/common/space.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/array.h"

/* Runs live in one array; number 0 is "no run", of length 0. */
struct run {
	uint64_t start;
	uint64_t blocks;
	uint64_t longest; /* in the subtree */
	uint32_t left, right;
	uint32_t priority;
};

struct space {
	ARRAY(struct run) runs;
	uint32_t root;
	uint32_t spare; /* list of unused runs, linked by left */
	uint64_t free_blocks;
};

struct request {
	uint64_t blocks, modulus, phase;
};

struct space *space_new(void)
{
	struct space *space = calloc(1, sizeof(*space));

	if (space && array_add(&space->runs)) /* number 0 */
		return space;
	free(space);
	return NULL;
}

void space_free(struct space *space)
{
	if (space)
		array_free(&space->runs);
	free(space);
}

static int reserve_run(struct space *space)
{
	if (space->spare)
		return 0;
	return space->runs.count < UINT32_MAX ? array_reserve(&space->runs, 1) : -ENOMEM;
}

static uint32_t mix(uint32_t number)
{
	number = (number ^ number >> 16) * 0x45d9f3bu;
	number = (number ^ number >> 16) * 0x45d9f3bu;
	return number ^ number >> 16;
}

/* Returns 0, "no run", for an empty one; otherwise after reserve_run. */
static uint32_t new_run(struct space *space, uint64_t start, uint64_t blocks)
{
	uint32_t number = space->spare;

	if (blocks == 0)
		return 0;
	if (number)
		space->spare = space->runs.items[number].left;
	else
		number = (uint32_t)space->runs.count++;
	space->runs.items[number] = (struct run){
		.start = start,
		.blocks = blocks,
		.longest = blocks,
		.priority = mix(number),
	};
	return number;
}

static void release_run(struct space *space, uint32_t number)
{
	space->runs.items[number].left = space->spare;
	space->spare = number;
}

static uint64_t longer(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void update_longest(struct space *space, uint32_t number)
{
	struct run *run = &space->runs.items[number];

	run->longest = longer(run->blocks, longer(space->runs.items[run->left].longest,
						  space->runs.items[run->right].longest));
}

/* Everything in left lies before everything in right. */
static uint32_t merge(struct space *space, uint32_t left, uint32_t right)
{
	struct run *runs = space->runs.items;

	if (!left || !right)
		return left ? left : right;
	if (runs[left].priority > runs[right].priority) {
		runs[left].right = merge(space, runs[left].right, right);
		update_longest(space, left);
		return left;
	}
	runs[right].left = merge(space, left, runs[right].left);
	update_longest(space, right);
	return right;
}

/* left: what starts before at; right: the rest. */
static void split(struct space *space, uint32_t number, uint64_t at, uint32_t *left,
		  uint32_t *right)
{
	struct run *run = &space->runs.items[number];

	if (!number) {
		*left = *right = 0;
		return;
	}
	if (run->start < at) {
		split(space, run->right, at, &run->right, right);
		*left = number;
	} else {
		split(space, run->left, at, left, &run->left);
		*right = number;
	}
	update_longest(space, number);
}

int space_add(struct space *space, uint64_t start, uint64_t blocks)
{
	int ret = reserve_run(space);

	if (ret < 0)
		return ret;
	space->root = merge(space, space->root, new_run(space, start, blocks));
	space->free_blocks += blocks;
	return 0;
}

/* Where the request begins in the run; false when it does not fit. */
static bool run_place(const struct run *run, const struct request *request, uint64_t *start)
{
	uint64_t skip = (request->phase + request->modulus - run->start % request->modulus) %
			request->modulus;

	*start = run->start + skip;
	return skip <= run->blocks && run->blocks - skip >= request->blocks;
}

/* The number of the lowest run that fits, 0 when none does. */
static uint32_t find_run(const struct space *space, uint32_t number, const struct request *request,
			 uint64_t *start)
{
	const struct run *run = &space->runs.items[number];
	uint32_t hit;

	if (run->longest < request->blocks)
		return 0;
	hit = find_run(space, run->left, request, start);
	if (hit)
		return hit;
	if (run_place(run, request, start))
		return number;
	return find_run(space, run->right, request, start);
}

/* Cuts [start, start + blocks) out of a run that holds it. */
static int cut_run(struct space *space, uint32_t number, uint64_t start, uint64_t blocks)
{
	uint64_t run_start = space->runs.items[number].start;
	uint64_t run_end = run_start + space->runs.items[number].blocks;
	uint32_t before, cut, after;
	int ret = reserve_run(space);

	if (ret < 0)
		return ret;
	split(space, space->root, run_start, &before, &after);
	split(space, after, run_start + 1, &cut, &after);
	release_run(space, cut);
	before = merge(space, before, new_run(space, run_start, start - run_start));
	after = merge(space, new_run(space, start + blocks, run_end - start - blocks), after);
	space->root = merge(space, before, after);
	space->free_blocks -= blocks;
	return 0;
}

int space_take_at_phase(struct space *space, uint64_t blocks, uint64_t modulus, uint64_t phase,
			uint64_t *start)
{
	struct request request = { blocks, modulus, phase };
	uint32_t number = find_run(space, space->root, &request, start);

	return number ? cut_run(space, number, *start, blocks) : -ENOSPC;
}

int space_find_at_phase(const struct space *space, uint64_t blocks, uint64_t modulus,
			uint64_t phase, uint64_t *length)
{
	struct request request = { blocks, modulus, phase };
	uint64_t start;
	uint32_t number = find_run(space, space->root, &request, &start);

	if (!number)
		return -ENOSPC;
	*length = space->runs.items[number].start + space->runs.items[number].blocks - start;
	return 0;
}

int space_take_whole(struct space *space, uint64_t blocks, uint64_t *start)
{
	return space_take_at_phase(space, blocks, 1, 0, start);
}

int space_take_some(struct space *space, uint64_t max_blocks, uint64_t *start, uint64_t *got)
{
	struct request any = { 1, 1, 0 };
	uint32_t number = find_run(space, space->root, &any, start);

	if (!number)
		return -ENOSPC;
	*got = space->runs.items[number].blocks;
	if (*got > max_blocks)
		*got = max_blocks;
	return cut_run(space, number, *start, *got);
}

uint64_t space_free_blocks(const struct space *space)
{
	return space->free_blocks;
}

int space_next_run(const struct space *space, uint64_t *cursor, uint64_t *start, uint64_t *blocks)
{
	uint32_t number = space->root;
	uint32_t next = 0;

	while (number) {
		const struct run *run = &space->runs.items[number];

		if (run->start >= *cursor)
			next = number;
		number = run->start >= *cursor ? run->left : run->right;
	}
	if (!next)
		return -ENOENT;
	*start = space->runs.items[next].start;
	*blocks = space->runs.items[next].blocks;
	*cursor = *start + *blocks;
	return 0;
}
