/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/common/placer.h"

#include <errno.h>

#include "lib/round.h"

int placer_place_whole(struct placer *placer, uint64_t file_block, uint64_t blocks)
{
	uint64_t start;
	int ret = space_take_whole(placer->space, blocks, &start);

	return ret < 0 ? ret : placer->map(placer->arg, file_block, start, blocks);
}

static int refill(struct space *space, struct placer_run *run)
{
	int ret = -ENOSPC;

	run->got = run->wanted;
	if (!run->in_pieces)
		ret = space_take_whole(space, run->wanted, &run->start);
	if (ret != -ENOSPC)
		return ret;
	run->in_pieces = !run->rejoins;
	return space_take_some(space, run->wanted, &run->start, &run->got);
}

/* Places as many of the blocks as the next run has room for; *placed says how many. -ENOSPC. */
static int place_some(struct placer *placer, struct placer_run *run, uint64_t file_block,
		      uint64_t blocks, uint64_t *placed)
{
	uint64_t start;
	int ret = run->got ? 0 : refill(placer->space, run);

	if (ret < 0) {
		run->got = 0;
		return ret;
	}
	start = run->start;
	*placed = run->got < blocks ? run->got : blocks;
	run->start += *placed;
	run->got -= *placed;
	run->wanted -= *placed;
	return placer->map(placer->arg, file_block, start, *placed);
}

int placer_place(struct placer *placer, struct placer_run *run, uint64_t file_block,
		 uint64_t blocks)
{
	while (blocks) {
		uint64_t placed;
		int ret = place_some(placer, run, file_block, blocks, &placed);

		if (ret == -ENOSPC) {
			placer->missing += blocks;
			run->wanted -= blocks;
			return 0;
		}
		if (ret < 0)
			return ret;
		file_block += placed;
		blocks -= placed;
	}
	return 0;
}

/* The remainder of the place, in the window, of a block of a file. */
static uint64_t phase_of(const struct placer *placer, uint64_t file_block)
{
	uint64_t huge = placer->huge_blocks;

	return (file_block % huge + huge - placer->window_blocks % huge) % huge;
}

int placer_place_huge(struct placer *placer, uint64_t file_block, uint64_t blocks)
{
	uint64_t start;
	int ret = space_take_at_phase(placer->space, blocks, placer->huge_blocks,
				      phase_of(placer, file_block), &start);

	return ret < 0 ? ret : placer->map(placer->arg, file_block, start, blocks);
}

/* Where the first whole huge page from a block of a file on ends. */
static uint64_t first_page_end(const struct placer *placer, uint64_t file_block)
{
	return round_up(file_block, placer->huge_blocks) + placer->huge_blocks;
}

bool placer_has_page(const struct placer *placer, uint64_t file_block, uint64_t blocks)
{
	return file_block + blocks >= first_page_end(placer, file_block);
}

/* The lowest piece with room for a page: up to the end of its last. -ENOSPC. */
static int place_lowest(struct placer *placer, uint64_t file_block, uint64_t blocks,
			uint64_t *placed)
{
	uint64_t least = first_page_end(placer, file_block) - file_block;
	uint64_t room, end;
	int ret = space_find_at_phase(placer->space, least, placer->huge_blocks,
				      phase_of(placer, file_block), &room);

	if (ret < 0)
		return ret;
	end = file_block + (room < blocks ? room : blocks);
	*placed = end - end % placer->huge_blocks - file_block;
	return placer_place_huge(placer, file_block, *placed);
}

/* Places one piece; piece counts those before it. -ENOSPC. */
static int place_piece(struct placer *placer, enum placer_packing packing, uint64_t file_block,
		       uint64_t blocks, uint64_t *piece)
{
	int ret = -ENOSPC;

	*piece = blocks;
	if (packing == PLACER_WHOLE_OR_LOWEST)
		ret = placer_place_huge(placer, file_block, blocks);
	return ret == -ENOSPC ? place_lowest(placer, file_block, blocks, piece) : ret;
}

int placer_place_pages(struct placer *placer, enum placer_packing packing, uint64_t file_block,
		       uint64_t blocks, uint64_t *placed)
{
	uint64_t piece;

	for (*placed = 0; placer_has_page(placer, file_block, blocks); *placed += piece) {
		int ret = place_piece(placer, packing, file_block, blocks, &piece);

		if (ret < 0)
			return ret == -ENOSPC ? 0 : ret;
		file_block += piece;
		blocks -= piece;
	}
	return 0;
}
