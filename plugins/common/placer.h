/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives the blocks of files their place in free space: together where there is room, else in the
 * lowest pieces; large ones so that the guest can map them by huge pages of the image.
 */
#ifndef COMMON_PLACER_H
#define COMMON_PLACER_H

#include <stdbool.h>
#include <stdint.h>

#include "plugins/common/space.h"

struct placer {
	struct space *space;
	uint64_t huge_blocks;   /* of a huge page, where one is asked for */
	uint64_t window_blocks; /* where the window starts in the image */
	/* Told of each piece: 0, or an error that ends what was asked for. */
	int (*map)(void *arg, uint64_t file_block, uint64_t start, uint64_t blocks);
	void *arg;
	uint64_t missing; /* blocks that found no room */
};

/* Blocks that are to lie together if there is a run for all, else in the lowest pieces. */
struct placer_run {
	uint64_t wanted;     /* still to be placed */
	uint64_t start, got; /* taken already */
	bool rejoins; /* after each piece, what is left lies together if there is a run for it */
	bool in_pieces;
};

/* In one piece. -ENOSPC, -ENOMEM, or map's error. */
int placer_place_whole(struct placer *placer, uint64_t file_block, uint64_t blocks);

/* The next of the run's blocks. What finds no room is counted as missing. -ENOMEM, or map's error.
 */
int placer_place(struct placer *placer, struct placer_run *run, uint64_t file_block,
		 uint64_t blocks);

/* In one piece in step with huge pages, of which the file's begin at multiples of their size.
 * -ENOSPC, -ENOMEM, or map's error. */
int placer_place_huge(struct placer *placer, uint64_t file_block, uint64_t blocks);

enum placer_packing {
	PLACER_LOWEST,         /* as much as the lowest room for a page has */
	PLACER_WHOLE_OR_LOWEST /* all that is left if there is room, else so */
};

/*
 * Whole huge pages, with what is in front of the first, in pieces. *placed: how many from the front
 * on found a place; a page that found none ends it. -ENOMEM, or map's error.
 */
int placer_place_pages(struct placer *placer, enum placer_packing packing, uint64_t file_block,
		       uint64_t blocks, uint64_t *placed);

/* Is there a whole huge page in a stretch of a file? */
bool placer_has_page(const struct placer *placer, uint64_t file_block, uint64_t blocks);

#endif
