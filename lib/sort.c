/* SPDX-License-Identifier: Apache-2.0 */
/* Quicksort; what divides badly, as chosen items can, is left to heapsort. */
#include "lib/sort.h"

#include <stdbool.h>
#include <string.h>

/* Fewer are inserted one by one. */
#define FEW 12u

struct sort {
	char *items;
	size_t bytes; /* of one */
	int (*compare)(const void *a, const void *b);
};

static bool less(const struct sort *sort, size_t a, size_t b)
{
	return sort->compare(sort->items + a * sort->bytes, sort->items + b * sort->bytes) < 0;
}

static void swap(const struct sort *sort, size_t a, size_t b)
{
	char kept[SORT_ITEM_BYTES_MAX];
	char *x = sort->items + a * sort->bytes, *y = sort->items + b * sort->bytes;

	memcpy(kept, x, sort->bytes);
	memmove(x, y, sort->bytes);
	memcpy(y, kept, sort->bytes);
}

/* All below sort [first, end). */

static void sort_few(const struct sort *sort, size_t first, size_t end)
{
	for (size_t i = first + 1; i < end; i++)
		for (size_t at = i; at > first && less(sort, at, at - 1); at--)
			swap(sort, at, at - 1);
}

/* The item at top sinks to its place in a heap of count, the largest first. */
static void sink(const struct sort *sort, size_t first, size_t count, size_t top)
{
	for (size_t child; (child = 2 * top + 1) < count; top = child) {
		if (child + 1 < count && less(sort, first + child, first + child + 1))
			child++;
		if (!less(sort, first + top, first + child))
			return;
		swap(sort, first + top, first + child);
	}
}

static void sort_heap(const struct sort *sort, size_t first, size_t end)
{
	size_t count = end - first;

	for (size_t top = count / 2; top-- > 0;)
		sink(sort, first, count, top);
	while (count-- > 1) {
		swap(sort, first, first + count);
		sink(sort, first, count, 0);
	}
}

/* The middle one of three comes first. */
static void choose_pivot(const struct sort *sort, size_t first, size_t end)
{
	size_t middle = first + (end - first) / 2, last = end - 1;

	if (less(sort, middle, first))
		swap(sort, middle, first);
	if (less(sort, last, middle))
		swap(sort, last, middle);
	if (less(sort, middle, first))
		swap(sort, middle, first);
	swap(sort, first, middle);
}

/* Returns the pivot's place: what is before it is not larger, what is behind it not smaller. */
static size_t divide(const struct sort *sort, size_t first, size_t end)
{
	size_t low = first, high = end;

	choose_pivot(sort, first, end);
	for (;;) {
		do
			low++;
		while (low < end && less(sort, low, first));
		do
			high--;
		while (less(sort, first, high));
		if (low >= high)
			break;
		swap(sort, low, high);
	}
	swap(sort, first, high);
	return high;
}

/* Calls itself for the smaller part alone, so that it does not go deep. */
static void sort_part(const struct sort *sort, size_t first, size_t end, unsigned int divisions)
{
	while (end - first > FEW && divisions-- > 0) {
		size_t pivot = divide(sort, first, end);

		if (pivot - first < end - pivot) {
			sort_part(sort, first, pivot, divisions);
			first = pivot + 1;
		} else {
			sort_part(sort, pivot + 1, end, divisions);
			end = pivot;
		}
	}
	if (end - first > FEW)
		sort_heap(sort, first, end);
	else
		sort_few(sort, first, end);
}

void sort_in_place(void *items, size_t count, size_t item_bytes,
		   int (*compare)(const void *a, const void *b))
{
	const struct sort sort = { items, item_bytes, compare };
	unsigned int divisions = 0;
	size_t ordered = 1;

	while (ordered < count && !less(&sort, ordered, ordered - 1))
		ordered++;
	if (ordered >= count)
		return;
	for (size_t left = count; left > 1; left /= 2)
		divisions += 2;
	sort_part(&sort, 0, count, divisions);
}
