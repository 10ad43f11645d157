/* SPDX-License-Identifier: Apache-2.0 */
/* A sorted list of chunks, each of them a sorted list of ranges: it is small, and adding is
 * cheap when ranges mostly come in ascending order. */
#include "core/copy/ranges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"

#define CHUNK_RANGES 255
#define PLACED_BIT (UINT64_C(1) << 63)

struct range {
	uint64_t start;
	uint64_t end_and_kind; /* the end, with PLACED_BIT */
};

struct chunk {
	uint32_t count; /* never 0 in the list */
	struct range items[CHUNK_RANGES];
};

struct ranges {
	struct chunk **items;
	size_t count, room;
};

/* A range's place; {ranges->count, 0} is behind the last one. */
struct position {
	size_t chunk;
	uint32_t item;
};

struct ranges *ranges_new(void)
{
	return calloc(1, sizeof(struct ranges));
}

void ranges_free(struct ranges *ranges)
{
	if (!ranges)
		return;
	for (size_t i = 0; i < ranges->count; i++)
		free(ranges->items[i]);
	free(ranges->items);
	free(ranges);
}

static uint64_t end_of(const struct range *range)
{
	return range->end_and_kind & ~PLACED_BIT;
}

static enum range_kind kind_of(const struct range *range)
{
	return range->end_and_kind & PLACED_BIT ? RANGE_PLACED : RANGE_WRITTEN;
}

static struct range make_range(uint64_t start, uint64_t end, enum range_kind kind)
{
	return (struct range){ start, end | (kind == RANGE_PLACED ? PLACED_BIT : 0) };
}

static uint64_t last_end(const struct chunk *chunk)
{
	return end_of(&chunk->items[chunk->count - 1]);
}

/* NULL: behind the last one. */
static struct range *range_at(const struct ranges *ranges, struct position at)
{
	return at.chunk < ranges->count ? &ranges->items[at.chunk]->items[at.item] : NULL;
}

static struct position next_position(const struct ranges *ranges, struct position at)
{
	if (++at.item == ranges->items[at.chunk]->count)
		at = (struct position){ at.chunk + 1, 0 };
	return at;
}

/* The first range whose end is `from` or above. */
static struct position find(const struct ranges *ranges, uint64_t from)
{
	size_t low = 0, high = ranges->count;
	uint32_t first = 0, last;

	if (high > 0 && last_end(ranges->items[high - 1]) < from)
		low = high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (last_end(ranges->items[middle]) < from)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == ranges->count)
		return (struct position){ low, 0 };
	last = ranges->items[low]->count - 1;
	while (first < last) {
		uint32_t middle = first + (last - first) / 2;

		if (end_of(&ranges->items[low]->items[middle]) < from)
			first = middle + 1;
		else
			last = middle;
	}
	return (struct position){ low, first };
}

static int insert_chunk(struct ranges *ranges, size_t at, struct chunk **chunk)
{
	if (array_reserve(ranges, 1) < 0)
		return -ENOMEM;
	*chunk = malloc(sizeof(**chunk));
	if (!*chunk)
		return -ENOMEM;
	(*chunk)->count = 0;
	memmove(&ranges->items[at + 1], &ranges->items[at],
		(ranges->count - at) * sizeof(struct chunk *));
	ranges->items[at] = *chunk;
	ranges->count++;
	return 0;
}

/* Makes room in a full chunk: its upper half moves into a new one behind it. */
static int split_chunk(struct ranges *ranges, struct position *at)
{
	struct chunk *lower = ranges->items[at->chunk], *upper;
	uint32_t half = CHUNK_RANGES / 2;
	int ret = insert_chunk(ranges, at->chunk + 1, &upper);

	if (ret < 0)
		return ret;
	upper->count = lower->count - half;
	memcpy(upper->items, &lower->items[half], upper->count * sizeof(upper->items[0]));
	lower->count = half;
	if (at->item > half)
		*at = (struct position){ at->chunk + 1, at->item - half };
	return 0;
}

static int insert(struct ranges *ranges, struct position at, struct range range)
{
	struct chunk *chunk;
	int ret = 0;

	/* Behind the last range: at the end of the last chunk, or in a new one, which keeps chunks
	 * full when ranges ascend. */
	if (at.chunk == ranges->count && at.chunk > 0 &&
	    ranges->items[at.chunk - 1]->count < CHUNK_RANGES) {
		at.chunk--;
		at.item = ranges->items[at.chunk]->count;
	}
	if (at.chunk == ranges->count)
		ret = insert_chunk(ranges, at.chunk, &chunk);
	else if (ranges->items[at.chunk]->count == CHUNK_RANGES)
		ret = split_chunk(ranges, &at);
	if (ret < 0)
		return ret;
	chunk = ranges->items[at.chunk];
	memmove(&chunk->items[at.item + 1], &chunk->items[at.item],
		(chunk->count - at.item) * sizeof(range));
	chunk->items[at.item] = range;
	chunk->count++;
	return 0;
}

static void remove_chunk(struct ranges *ranges, size_t at)
{
	free(ranges->items[at]);
	ranges->count--;
	memmove(&ranges->items[at], &ranges->items[at + 1],
		(ranges->count - at) * sizeof(struct chunk *));
}

static void erase(struct ranges *ranges, struct position at, size_t count)
{
	while (count > 0) {
		struct chunk *chunk = ranges->items[at.chunk];
		uint32_t here = chunk->count - at.item;

		if (here > count)
			here = (uint32_t)count;
		chunk->count -= here;
		memmove(&chunk->items[at.item], &chunk->items[at.item + here],
			(chunk->count - at.item) * sizeof(chunk->items[0]));
		count -= here;
		if (chunk->count == 0)
			remove_chunk(ranges, at.chunk);
		else if (at.item == chunk->count)
			at = (struct position){ at.chunk + 1, 0 };
	}
}

/* The ranges of one kind that touch [off, end) and become one range with it. */
struct merge {
	struct position first;
	size_t count;
	uint64_t start, end; /* of the whole */
};

/* -EEXIST where another range is in the way. */
static int plan_merge(const struct ranges *ranges, struct merge *merge, uint64_t off, uint64_t end,
		      enum range_kind kind)
{
	struct position at = find(ranges, off);
	const struct range *range;

	*merge = (struct merge){ at, 0, off, end };
	for (; (range = range_at(ranges, at)) && range->start <= end;
	     at = next_position(ranges, at)) {
		bool overlap = range->start < end && end_of(range) > off;

		if (overlap && (kind == RANGE_PLACED || kind_of(range) == RANGE_PLACED))
			return -EEXIST;
		if (kind_of(range) != kind) {
			if (merge->count == 0 && end_of(range) <= off)
				merge->first = next_position(ranges, at);
			continue;
		}
		merge->count++;
		if (range->start < merge->start)
			merge->start = range->start;
		if (end_of(range) > merge->end)
			merge->end = end_of(range);
	}
	return 0;
}

int ranges_add(struct ranges *ranges, uint64_t off, uint64_t len, enum range_kind kind)
{
	struct merge merge;
	struct range whole;
	int ret;

	if (len == 0)
		return 0;
	ret = plan_merge(ranges, &merge, off, off + len, kind);
	if (ret < 0)
		return ret;
	whole = make_range(merge.start, merge.end, kind);
	if (merge.count == 0)
		return insert(ranges, merge.first, whole);
	*range_at(ranges, merge.first) = whole;
	if (merge.count > 1)
		erase(ranges, next_position(ranges, merge.first), merge.count - 1);
	return 0;
}

bool ranges_touch_any(const struct ranges *ranges, uint64_t off, uint64_t len)
{
	const struct range *range = range_at(ranges, find(ranges, off + 1));

	return len > 0 && range && range->start < off + len;
}

bool ranges_touch_placed(const struct ranges *ranges, uint64_t off, uint64_t len)
{
	struct position at = find(ranges, off + 1);
	const struct range *range;

	for (; (range = range_at(ranges, at)) && range->start < off + len;
	     at = next_position(ranges, at))
		if (kind_of(range) == RANGE_PLACED)
			return len > 0;
	return false;
}

bool ranges_next(const struct ranges *ranges, uint64_t from, struct ranges_item *item)
{
	const struct range *range = range_at(ranges, find(ranges, from + 1));

	if (!range)
		return false;
	*item = (struct ranges_item){ range->start, end_of(range), kind_of(range) };
	return true;
}
