/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/overlay.h"

#include <errno.h>
#include <string.h>

#include "lib/array.h"

#define BLOCK_BYTES 4096u

struct block {
	uint64_t number;
	uint32_t differing; /* bytes that are remembered */
	bool differs[BLOCK_BYTES];
	uint8_t ours[BLOCK_BYTES];
};

/* Blocks in ascending order, as writing mostly is. */
struct overlay {
	struct block **blocks;
	size_t count, room;
};

struct overlay *overlay_new(void)
{
	return calloc(1, sizeof(struct overlay));
}

void overlay_free(struct overlay *overlay)
{
	if (!overlay)
		return;
	for (size_t i = 0; i < overlay->count; i++)
		free(overlay->blocks[i]);
	free(overlay->blocks);
	free(overlay);
}

/* Where the block is, or would be. */
static size_t find(const struct overlay *overlay, uint64_t number)
{
	size_t low = 0, high = overlay->count;

	if (high > 0 && overlay->blocks[high - 1]->number < number)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (overlay->blocks[middle]->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has(const struct overlay *overlay, size_t at, uint64_t number)
{
	return at < overlay->count && overlay->blocks[at]->number == number;
}

static struct block *insert(struct overlay *overlay, size_t at, uint64_t number)
{
	struct block *block;

	if (overlay->count == overlay->room &&
	    array_grow(&overlay->blocks, &overlay->room, overlay->count, 1,
		       sizeof(*overlay->blocks)) < 0)
		return NULL;
	block = calloc(1, sizeof(*block));
	if (!block)
		return NULL;
	block->number = number;
	memmove(&overlay->blocks[at + 1], &overlay->blocks[at],
		(overlay->count - at) * sizeof(struct block *));
	overlay->blocks[at] = block;
	overlay->count++;
	return block;
}

static void remove_block(struct overlay *overlay, size_t at)
{
	free(overlay->blocks[at]);
	overlay->count--;
	memmove(&overlay->blocks[at], &overlay->blocks[at + 1],
		(overlay->count - at) * sizeof(struct block *));
}

static void set(struct block *block, size_t from, const uint8_t *ours, const uint8_t *theirs,
		size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool differs = ours[i] != theirs[i];

		block->differing += differs;
		block->differing -= block->differs[from + i];
		block->differs[from + i] = differs;
		block->ours[from + i] = ours[i];
	}
}

/* As overlay_put, of bytes that lie within one block. */
static int put(struct overlay *overlay, uint64_t off, const uint8_t *ours, const uint8_t *theirs,
	       size_t len)
{
	uint64_t number = off / BLOCK_BYTES;
	size_t at = find(overlay, number);

	if (!has(overlay, at, number)) {
		if (memcmp(ours, theirs, len) == 0)
			return 0;
		if (!insert(overlay, at, number))
			return -ENOMEM;
	}
	set(overlay->blocks[at], off % BLOCK_BYTES, ours, theirs, len);
	if (overlay->blocks[at]->differing == 0)
		remove_block(overlay, at);
	return 0;
}

/* How much of [off, off + len) is in the block of off. */
static size_t within_block(uint64_t off, size_t len)
{
	size_t left = BLOCK_BYTES - off % BLOCK_BYTES;

	return len < left ? len : left;
}

int overlay_put(struct overlay *overlay, uint64_t off, const void *ours, const void *theirs,
		size_t len)
{
	const uint8_t *our = ours, *their = theirs;
	size_t part;

	if (overlay->count == 0 && memcmp(ours, theirs, len) == 0)
		return 0;
	for (; len > 0; off += part, our += part, their += part, len -= part) {
		part = within_block(off, len);
		if (put(overlay, off, our, their, part) < 0)
			return -ENOMEM;
	}
	return 0;
}

void overlay_patch(const struct overlay *overlay, uint64_t off, void *buf, size_t len)
{
	uint8_t *bytes = buf;
	uint64_t end = off + len;

	for (size_t at = find(overlay, off / BLOCK_BYTES); at < overlay->count; at++) {
		const struct block *block = overlay->blocks[at];
		uint64_t start = block->number * BLOCK_BYTES;

		if (start >= end)
			return;
		for (size_t i = 0; i < BLOCK_BYTES; i++)
			if (block->differs[i] && start + i >= off && start + i < end)
				bytes[start + i - off] = block->ours[i];
	}
}

bool overlay_next(const struct overlay *overlay, uint64_t from, struct overlay_difference *next)
{
	for (size_t at = find(overlay, from / BLOCK_BYTES); at < overlay->count; at++) {
		const struct block *block = overlay->blocks[at];
		uint64_t start = block->number * BLOCK_BYTES;

		for (size_t i = from > start ? (size_t)(from - start) : 0; i < BLOCK_BYTES; i++)
			if (block->differs[i]) {
				*next = (struct overlay_difference){ start + i, block->ours[i] };
				return true;
			}
	}
	return false;
}
