/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/chunk.h"

#include "lib/round.h"

#define ENTRY_BYTES sizeof(le32)
/* More chunks than this are not considered: the array must stay below 4 GiB. */
#define CHUNKS_MAX (UINT32_C(1) << 28)

static uint64_t count_chunks(uint64_t size, unsigned int bits)
{
	uint64_t bytes = (uint64_t)EROFS_BLOCK_BYTES << bits;

	return div_up(size, bytes);
}

/* The data blocks of a file cut into such chunks. */
static uint64_t measure_data_blocks(const struct kataimg_node *node, unsigned int bits)
{
	unsigned int shift = EROFS_BLOCK_BITS + bits;
	uint64_t chunks = 0, next = 0; /* next: the first chunk not counted yet */
	uint64_t over = 0;

	for (uint32_t i = 0; i < node->segment_count; i++) {
		const struct kataimg_segment *segment = &node->segments[i];
		uint64_t first = segment->file_off >> shift;
		uint64_t last = (segment->file_off + segment->len - 1) >> shift;

		if (first < next)
			first = next;
		chunks += last + 1 - first;
		next = last + 1;
	}
	/* The last chunk ends with the file. */
	if (next == count_chunks(node->size, bits))
		over = (next << bits) - erofs_blocks_of(node->size);
	return (chunks << bits) - over;
}

/* The cheapest chunk size, and the bytes of data and array that it takes. */
static uint64_t choose_bits(const struct kataimg_node *node, unsigned int *best)
{
	uint64_t best_bytes = UINT64_MAX;

	for (unsigned int bits = 0; bits <= EROFS_CHUNK_BITS_MAX; bits++) {
		uint64_t chunks = count_chunks(node->size, bits);
		uint64_t bytes;

		if (chunks > CHUNKS_MAX)
			continue;
		bytes = measure_data_blocks(node, bits) * EROFS_BLOCK_BYTES + chunks * ENTRY_BYTES;
		if (bytes <= best_bytes) {
			best_bytes = bytes;
			*best = bits;
		}
		if (chunks == 1)
			break;
	}
	return best_bytes;
}

static int add_runs(struct erofs *fs, const struct kataimg_node *node, struct erofs_inode *inode)
{
	struct erofs_chunk_runs *all = fs->chunk_runs;
	unsigned int shift = EROFS_BLOCK_BITS + inode->chunk_bits;
	uint64_t next = UINT64_MAX; /* the chunk that would continue the last run */

	inode->detail = (uint32_t)all->count;
	for (uint32_t i = 0; i < node->segment_count; i++) {
		const struct kataimg_segment *segment = &node->segments[i];
		uint64_t first = segment->file_off >> shift;
		uint64_t last = (segment->file_off + segment->len - 1) >> shift;

		if (next == UINT64_MAX || first > next) {
			int err = erofs_grow(fs, &all->runs, &all->capacity, all->count,
					     sizeof(*all->runs));

			if (err)
				return err;
			all->runs[all->count++] =
				(struct erofs_chunk_run){ .first_chunk = (uint32_t)first };
			inode->detail_count++;
		}
		all->runs[all->count - 1].chunks =
			(uint32_t)(last + 1 - all->runs[all->count - 1].first_chunk);
		next = last + 1;
	}
	return 0;
}

static bool has_holes(const struct kataimg_node *node)
{
	return node->size && (node->segment_count != 1 || node->segments[0].len < node->size);
}

int erofs_chunk_plan(struct erofs *fs, const struct kataimg_node *node)
{
	struct erofs_inode *inode = &fs->inodes[node->index];
	unsigned int bits = 0;

	if (!has_holes(node) ||
	    choose_bits(node, &bits) >= erofs_blocks_of(node->size) * EROFS_BLOCK_BYTES)
		return 0;
	inode->layout = EROFS_CHUNK_BASED;
	inode->chunk_bits = (uint8_t)bits;
	inode->index_bytes = (uint32_t)(count_chunks(node->size, bits) * ENTRY_BYTES);
	inode->blocks = (uint32_t)measure_data_blocks(node, bits);
	return add_runs(fs, node, inode);
}

void erofs_chunk_run_range(const struct erofs_inode *owner, const struct erofs_chunk_run *run,
			   uint64_t *file_off, uint64_t *len)
{
	unsigned int shift = EROFS_BLOCK_BITS + owner->chunk_bits;

	*file_off = (uint64_t)run->first_chunk << shift;
	*len = (uint64_t)run->chunks << shift;
	if (*len > owner->size - *file_off)
		*len = owner->size - *file_off;
}

uint32_t erofs_chunk_next(const struct erofs *fs, const struct erofs_inode *inode,
			  struct erofs_chunk_cursor *cursor)
{
	const struct erofs_inode *owner = erofs_owner(fs, inode);
	const struct erofs_chunk_run *run;
	uint64_t chunk = cursor->chunk++;

	if (cursor->run == owner->detail_count)
		return EROFS_CHUNK_HOLE;
	run = &fs->chunk_runs->runs[owner->detail + cursor->run];
	if (chunk < run->first_chunk)
		return EROFS_CHUNK_HOLE;
	if (cursor->chunk == (uint64_t)run->first_chunk + run->chunks)
		cursor->run++;
	return run->start_block + (uint32_t)((chunk - run->first_chunk) << owner->chunk_bits);
}
