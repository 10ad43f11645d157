/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/chunk.h"

#include <errno.h>

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

/* Chunks first .. last hold data: a run of their own, or more of the file's last one. */
static int add_chunks(struct erofs_chunk_runs *runs, struct erofs_inode *inode, uint64_t first,
		      uint64_t last)
{
	struct erofs_chunk_run *run = inode->detail_count ? &runs->items[runs->count - 1] : NULL;

	if (!run || first > (uint64_t)run->first_chunk + run->chunks) {
		run = array_add(runs);
		if (!run)
			return -ENOMEM;
		run->first_chunk = (uint32_t)first;
		inode->detail_count++;
	}
	run->chunks = (uint32_t)(last + 1 - run->first_chunk);
	return 0;
}

static int add_runs(struct erofs_chunk_runs *runs, const struct kataimg_node *node,
		    struct erofs_inode *inode)
{
	unsigned int shift = EROFS_BLOCK_BITS + inode->chunk_bits;
	int ret = 0;

	inode->detail = (uint32_t)runs->count;
	for (uint32_t i = 0; ret == 0 && i < node->segment_count; i++) {
		const struct kataimg_segment *segment = &node->segments[i];

		ret = add_chunks(runs, inode, segment->file_off >> shift,
				 (segment->file_off + segment->len - 1) >> shift);
	}
	return ret;
}

static bool has_holes(const struct kataimg_node *node)
{
	return node->size && (node->segment_count != 1 || node->segments[0].len < node->size);
}

int erofs_chunk_plan(const struct kataimg_node *node, struct erofs_inode *inode,
		     struct erofs_chunk_runs *runs)
{
	unsigned int bits = 0;

	if (!has_holes(node) ||
	    choose_bits(node, &bits) >= erofs_blocks_of(node->size) * EROFS_BLOCK_BYTES)
		return 0;
	inode->layout = EROFS_CHUNK_BASED;
	inode->chunk_bits = (uint8_t)bits;
	inode->index_bytes = (uint32_t)(count_chunks(node->size, bits) * ENTRY_BYTES);
	inode->blocks = (uint32_t)measure_data_blocks(node, bits);
	return add_runs(runs, node, inode);
}

int erofs_chunks_plan(const struct erofs_source *source, struct erofs_inode *inodes,
		      struct erofs_chunk_runs *runs)
{
	const struct kataimg_tree *tree = source->tree;
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < tree->node_count; i++)
		if (tree->nodes[i]->type == KATAIMG_REG && inodes[i].owner == i)
			ret = erofs_chunk_plan(tree->nodes[i], &inodes[i], runs);
	return ret;
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

uint32_t erofs_chunk_next(const struct erofs_chunk_runs *runs, const struct erofs_inode *owner,
			  struct erofs_chunk_cursor *cursor)
{
	const struct erofs_chunk_run *run;
	uint64_t chunk = cursor->chunk++;

	if (cursor->run == owner->detail_count)
		return EROFS_CHUNK_HOLE;
	run = &runs->items[owner->detail + cursor->run];
	if (chunk < run->first_chunk)
		return EROFS_CHUNK_HOLE;
	if (cursor->chunk == (uint64_t)run->first_chunk + run->chunks)
		cursor->run++;
	return run->start_block + (uint32_t)((chunk - run->first_chunk) << owner->chunk_bits);
}
