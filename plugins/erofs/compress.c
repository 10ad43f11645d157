/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/compress.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/round.h"
#include "plugins/erofs/segments.h"
#include "plugins/erofs/zmap.h"

/* The index of more, two bytes a block, could leave the 32 bits of its size. */
#define CANDIDATE_BYTES_MAX (UINT64_C(4) << 40)
/* What compressed ends of files are taken to be of their bytes, before they are compressed. */
#define FRAGMENT_RATIO 2u

static void clear_segment(struct erofs_segment *segment)
{
	free(segment->extents);
	free(segment->runs);
	segment->extents = NULL;
	segment->runs = NULL;
}

void erofs_segments_free(struct erofs_segments *segments)
{
	if (!segments)
		return;
	for (size_t i = 0; i < segments->count; i++)
		clear_segment(&segments->items[i]);
	array_free(segments);
	free(segments);
}

/* ---- Which files ---- */

/* The smallest that compressing can pay for: with all ends in blocks one block more. */
static uint64_t least_bytes(const struct erofs_options *options)
{
	bool blocks =
		options->fragments == EROFS_FRAGMENTS_NO && options->tail == EROFS_TAILS_BLOCK;

	return blocks ? EROFS_BLOCK_BYTES + 1 : 1;
}

/* A file that is mostly holes is better off with chunks. */
static bool is_candidate(const struct erofs_source *source, const struct kataimg_node *node,
			 const struct erofs_inode *inode)
{
	if (source->options.data == EROFS_DATA_AUTO && inode->mapped)
		return false;
	return node->type == KATAIMG_REG && inode->owner == node->index &&
	       node->size >= least_bytes(&source->options) && node->size <= CANDIDATE_BYTES_MAX &&
	       (inode->layout != EROFS_CHUNK_BASED ||
		inode->blocks > erofs_blocks_of(node->size) / 2);
}

/* What the file takes when it is not compressed. */
static uint64_t plain_bytes(const struct erofs_inode *inode)
{
	uint32_t tail = inode->size % EROFS_BLOCK_BYTES;

	if (inode->layout == EROFS_CHUNK_BASED)
		return (uint64_t)inode->blocks * EROFS_BLOCK_BYTES + inode->index_bytes;
	if (!inode->mapped && inode->copies == 1 &&
	    erofs_inode_head_bytes(inode) + tail <= EROFS_BLOCK_BYTES)
		return inode->size;
	return round_up(inode->size, EROFS_BLOCK_BYTES);
}

/* ---- Whole files for the packed one ---- */

static struct erofs_inode as_whole_fragment(const struct erofs_inode *inode)
{
	struct erofs_inode whole = *inode;

	whole.layout = EROFS_COMPRESSED_COMPACT;
	whole.tail = EROFS_TAIL_WHOLE;
	whole.index_bytes = erofs_zmap_bytes(&whole);
	whole.blocks = 0;
	whole.detail_count = 0;
	return whole;
}

/* Inodes end at multiples of 32 bytes: a few of data behind one cost less than a header. */
static bool is_better_inline(const struct erofs_inode *inode, const struct erofs_inode *whole)
{
	uint64_t bytes = erofs_inode_head_bytes(inode) + inode->size;

	return !inode->mapped && inode->copies == 1 && inode->layout == EROFS_FLAT_PLAIN &&
	       bytes <= EROFS_BLOCK_BYTES &&
	       round_up(bytes, EROFS_SLOT_BYTES) <=
		       round_up(erofs_inode_head_bytes(whole), EROFS_SLOT_BYTES) +
			       inode->size / FRAGMENT_RATIO;
}

/* Does the packed file take it whole? Then the inode says so. */
static bool take_whole(const struct erofs_source *source, struct erofs_inode *inode)
{
	const struct erofs_options *options = &source->options;
	struct erofs_inode whole = as_whole_fragment(inode);

	if (options->fragments == EROFS_FRAGMENTS_NO ||
	    (options->fragments == EROFS_FRAGMENTS_TAILS &&
	     inode->size > (uint64_t)options->cluster_blocks * EROFS_BLOCK_BYTES))
		return false;
	if (!is_better_inline(inode, &whole))
		*inode = whole;
	return true;
}

/* ---- Files that shrank ---- */

/* The compressed form that segments, from first on, give the inode. Returns its bytes. */
static uint64_t as_compressed(const struct erofs_source *source,
			      const struct erofs_segments *segments, uint32_t first, uint32_t count,
			      struct erofs_inode *inode)
{
	const struct erofs_segment *last = &segments->items[first + count - 1];
	bool fragments = source->options.fragments != EROFS_FRAGMENTS_NO &&
			 last->node < source->tree->node_count;
	uint64_t blocks = 0, bytes = 0;

	for (uint32_t i = first; i < first + count; i++) {
		blocks += segments->items[i].blocks;
		inode->big_clusters |= segments->items[i].big;
	}
	inode->layout = EROFS_COMPRESSED_COMPACT;
	inode->index_bytes = erofs_zmap_bytes(inode);
	inode->detail = first;
	inode->detail_count = count;
	if (last->end_bytes && fragments) {
		inode->tail = EROFS_TAIL_FRAGMENT;
		bytes = last->end_bytes / FRAGMENT_RATIO;
	} else if (last->end_bytes) {
		inode->tail = EROFS_TAIL_INLINE;
		bytes = last->end_bytes;
		blocks--;
	}
	if (inode->tail)
		inode->tail_bytes = last->end_bytes;
	inode->blocks = (uint32_t)blocks;
	return bytes + blocks * EROFS_BLOCK_BYTES + inode->index_bytes;
}

/* Makes the inode a compressed one if its segments are smaller. */
static void choose(const struct erofs_source *source, struct erofs_segments *segments,
		   struct erofs_inode *inode, uint32_t first, uint32_t count)
{
	struct erofs_inode compressed = *inode;

	if (as_compressed(source, segments, first, count, &compressed) < plain_bytes(inode))
		*inode = compressed;
	else
		for (uint32_t i = first; i < first + count; i++)
			clear_segment(&segments->items[i]);
}

static void choose_all(const struct erofs_source *source, struct erofs_segments *segments,
		       struct erofs_inode *inodes)
{
	for (uint32_t first = 0; first < segments->count;) {
		uint32_t end = first + 1;

		while (end < segments->count && segments->items[end].off)
			end++;
		choose(source, segments, &inodes[segments->items[first].node], first, end - first);
		first = end;
	}
}

static int compress_files(struct erofs_layout *layout)
{
	const struct erofs_source *source = layout->source;
	struct erofs_segments *segments = layout->segments;
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < source->tree->node_count; i++)
		if (is_candidate(source, source->tree->nodes[i], &layout->inodes[i]) &&
		    !take_whole(source, &layout->inodes[i]))
			ret = erofs_segments_add(segments, source->tree->nodes[i]);
	if (ret < 0)
		return ret;
	ret = erofs_segments_compress(layout, segments, 0);
	if (ret < 0)
		return ret;
	choose_all(source, segments, layout->inodes);
	return 0;
}

/* ---- The packed file ---- */

static int compress_pack(struct erofs_layout *layout)
{
	struct erofs_segments *segments = layout->segments;
	const struct kataimg_node *node = erofs_pack_node(layout->pack);
	struct erofs_inode *inode = &layout->inodes[node->index];
	uint32_t first = (uint32_t)segments->count;
	int ret = erofs_segments_add(segments, node);

	if (ret < 0)
		return ret;
	*inode = (struct erofs_inode){ .size = node->size, .owner = node->index, .copies = 1 };
	inode->extended = erofs_inode_is_extended(layout->source->job, node, node->size);
	ret = erofs_segments_compress(layout, segments, first);
	if (ret < 0)
		return ret;
	/* Compressed in any case: without gain it has plain clusters. */
	as_compressed(layout->source, segments, first, (uint32_t)segments->count - first, inode);
	return 0;
}

static int make_pack(struct erofs_layout *layout)
{
	int ret = erofs_pack_make(layout->source, layout->inodes, &layout->pack);

	if (ret < 0 || !layout->pack)
		return ret;
	layout->inode_count++;
	return compress_pack(layout);
}

int erofs_compress_plan(struct erofs_layout *layout)
{
	const struct kataimg_host *host = layout->source->host;
	int ret;

	layout->segments = calloc(1, sizeof(*layout->segments));
	if (!layout->segments)
		return -ENOMEM;
	ret = host->scratch_create(host->ctx, &layout->segments->scratch);
	if (ret < 0)
		return ret;
	ret = compress_files(layout);
	return ret < 0 ? ret : make_pack(layout);
}

/* ---- What became of it ---- */

static void tell(const struct kataimg_host *host, const char *key, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	host->fact(host->ctx, key, text);
}

void erofs_compress_report(const struct erofs_layout *layout)
{
	const struct kataimg_host *host = layout->source->host;
	uint64_t files = 0, bytes = 0, stored = 0;

	for (uint64_t i = 0; i < layout->inode_count; i++) {
		const struct erofs_inode *inode = &layout->inodes[i];

		if (inode->layout != EROFS_COMPRESSED_COMPACT || inode->owner != i)
			continue;
		stored +=
			(uint64_t)inode->blocks * EROFS_BLOCK_BYTES + erofs_inode_tail_bytes(inode);
		if (i == layout->source->tree->node_count)
			continue;
		files++;
		bytes += inode->size;
	}
	tell(host, "compressed_files", files);
	tell(host, "compressed_from_bytes", bytes);
	tell(host, "compressed_to_bytes", stored);
	if (layout->pack)
		tell(host, "fragments", erofs_pack_fragments(layout->pack));
}

static const struct erofs_segment *last_segment(const struct erofs_layout *layout,
						const struct erofs_inode *inode)
{
	return &layout->segments->items[inode->detail + inode->detail_count - 1];
}

/* Places the runs of a segment from *off on, of at most *left bytes, and counts both. */
static int place_segment(const struct erofs_layout *layout, const struct erofs_segment *segment,
			 uint64_t *off, uint64_t *left)
{
	const struct kataimg_host *host = layout->source->host;

	for (uint32_t i = 0; i < segment->run_count && *left; i++) {
		const struct erofs_run *run = &segment->runs[i];
		uint64_t len = (uint64_t)run->blocks * EROFS_BLOCK_BYTES;
		int ret;

		if (len > *left)
			len = *left;
		ret = host->place_scratch(host->ctx, *off, layout->segments->scratch,
					  run->scratch_off, len);
		if (ret < 0)
			return ret;
		*off += len;
		*left -= len;
	}
	return 0;
}

int erofs_compress_place(const struct erofs_layout *layout, const struct erofs_inode *owner)
{
	uint64_t off = (uint64_t)owner->start_block * EROFS_BLOCK_BYTES;
	uint64_t left = (uint64_t)owner->blocks * EROFS_BLOCK_BYTES;
	int ret = 0;

	/* An inline tail's block is the last one, and left out. */
	for (uint32_t i = 0; ret == 0 && i < owner->detail_count; i++)
		ret = place_segment(layout, &layout->segments->items[owner->detail + i], &off,
				    &left);
	return ret;
}

int erofs_compress_read_tail(const struct erofs_layout *layout, const struct erofs_inode *inode,
			     uint8_t out[EROFS_BLOCK_BYTES])
{
	const struct kataimg_host *host = layout->source->host;
	const struct erofs_segment *segment = last_segment(layout, inode);
	const struct erofs_extent *extent = &segment->extents[segment->extent_count - 1];
	const struct erofs_run *run = &segment->runs[segment->run_count - 1];
	uint64_t off = run->scratch_off + (uint64_t)run->blocks * EROFS_BLOCK_BYTES;

	/* Plain bytes begin with their block, compressed ones end with it. */
	off -= extent->plain ? EROFS_BLOCK_BYTES : inode->tail_bytes;
	return host->scratch_read(host->ctx, layout->segments->scratch, off, out,
				  inode->tail_bytes);
}

bool erofs_extent_next(const struct erofs_segments *segments, const struct erofs_inode *owner,
		       struct erofs_extent_cursor *cursor, struct erofs_extent *extent)
{
	while (cursor->segment < owner->detail_count) {
		const struct erofs_segment *segment =
			&segments->items[owner->detail + cursor->segment];

		if (cursor->extent < segment->extent_count) {
			*extent = segment->extents[cursor->extent++];
			return true;
		}
		cursor->segment++;
		cursor->extent = 0;
	}
	return false;
}
