/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/pack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/cleanup.h"
#include "plugins/erofs/equal.h"

/* The index of more could leave the 32 bits of its size. */
#define PACK_BYTES_MAX (UINT64_C(4) << 40)

/* A fragment that lies at off. */
struct part {
	uint64_t off;
	uint64_t file_off, len;
	uint32_t node;
	uint32_t range; /* its number */
	bool whole;     /* all of the file */
};

struct erofs_pack {
	const struct erofs_source *source;
	struct kataimg_node node;
	ARRAY(struct part) parts;
	ARRAY(struct erofs_range) ranges;
	bool ends_first; /* all files' ends before whole files, since they must lie further down */
};

void erofs_pack_free(struct erofs_pack *pack)
{
	if (!pack)
		return;
	array_free(&pack->parts);
	array_free(&pack->ranges);
	free(pack);
}

const struct kataimg_node *erofs_pack_node(const struct erofs_pack *pack)
{
	return &pack->node;
}

uint64_t erofs_pack_fragments(const struct erofs_pack *pack)
{
	return pack->parts.count;
}

static uint64_t fragment_bytes(const struct erofs_inode *inode)
{
	if (inode->tail == EROFS_TAIL_WHOLE)
		return inode->size;
	return inode->tail == EROFS_TAIL_FRAGMENT ? inode->tail_bytes : 0;
}

static int collect_ranges(struct erofs_pack *pack, const struct erofs_inode *inodes)
{
	for (uint64_t i = 0; i < pack->source->tree->node_count; i++) {
		uint64_t len = inodes[i].owner == i ? fragment_bytes(&inodes[i]) : 0;
		struct erofs_range *range;

		if (!len)
			continue;
		range = array_add(&pack->ranges);
		if (!range)
			return -ENOMEM;
		range->off = inodes[i].size - len;
		range->len = len;
		range->node = (uint32_t)i;
	}
	return 0;
}

/* Of those that are equal, the first. */
static int add_parts(struct erofs_pack *pack)
{
	for (size_t i = 0; i < pack->ranges.count; i++) {
		const struct erofs_range *range = &pack->ranges.items[i];
		struct part *part;

		if (range->first != i)
			continue;
		part = array_add(&pack->parts);
		if (!part)
			return -ENOMEM;
		*part = (struct part){ .file_off = range->off,
				       .len = range->len,
				       .node = range->node,
				       .range = (uint32_t)i,
				       .whole = range->off == 0 };
		pack->node.size += range->len;
	}
	return 0;
}

/* From its last dot on, which is not the name's first byte. */
static const char *name_ending(const struct kataimg_node *node)
{
	const char *dot = node->name_len ? strrchr(node->name + 1, '.') : NULL;

	return dot ? dot : "";
}

static int compare_parts(const void *a, const void *b, void *arg)
{
	const struct erofs_pack *pack = arg;
	const struct kataimg_node *const *nodes = pack->source->tree->nodes;
	const struct part *x = a, *y = b;
	int order = pack->ends_first ? x->whole - y->whole : 0;

	if (!order)
		order = strcmp(name_ending(nodes[x->node]), name_ending(nodes[y->node]));
	if (!order)
		order = strcmp(nodes[x->node]->name, nodes[y->node]->name);
	return order ? order : (x->node > y->node) - (x->node < y->node);
}

static void give_places(struct erofs_pack *pack)
{
	uint64_t off = 0;

	pack->ends_first = pack->node.size > EROFS_FRAGMENT_OFF_MAX;
	qsort_r(pack->parts.items, pack->parts.count, sizeof(*pack->parts.items), compare_parts,
		pack);
	for (size_t i = 0; i < pack->parts.count; i++) {
		pack->parts.items[i].off = off;
		off += pack->parts.items[i].len;
	}
}

static int refuse(const struct erofs_pack *pack, const char *why)
{
	const struct kataimg_host *host = pack->source->host;

	host->error(host->ctx,
		    "the packed file would have %" PRIu64
		    " bytes, and %s: build with fragments = no",
		    pack->node.size, why);
	return -EFBIG;
}

static int tell_inodes(struct erofs_pack *pack, struct erofs_inode *inodes)
{
	autofree uint64_t *offs = calloc(pack->ranges.count, sizeof(*offs));

	if (!offs)
		return -ENOMEM;
	for (size_t i = 0; i < pack->parts.count; i++)
		offs[pack->parts.items[i].range] = pack->parts.items[i].off;
	for (size_t i = 0; i < pack->ranges.count; i++) {
		struct erofs_inode *inode = &inodes[pack->ranges.items[i].node];

		inode->fragment_off = offs[pack->ranges.items[i].first];
		if (inode->tail == EROFS_TAIL_FRAGMENT &&
		    inode->fragment_off > EROFS_FRAGMENT_OFF_MAX)
			return refuse(pack, "ends of files can lie in the first 4 GiB alone");
	}
	return 0;
}

static int make(struct erofs_pack *pack, struct erofs_inode *inodes)
{
	int ret = erofs_equal_find(pack->source, pack->ranges.items, pack->ranges.count);

	if (ret < 0)
		return ret;
	ret = add_parts(pack);
	if (ret < 0)
		return ret;
	give_places(pack);
	if (pack->node.size > PACK_BYTES_MAX)
		return refuse(pack, "an index can tell of 4 TiB");
	ret = tell_inodes(pack, inodes);
	array_free(&pack->ranges);
	return ret;
}

DEFINE_CLEANUP(struct erofs_pack, erofs_pack_free)

int erofs_pack_make(const struct erofs_source *source, struct erofs_inode *inodes,
		    struct erofs_pack **made)
{
	struct erofs_pack *pack autocall(cleanup_erofs_pack_free) = calloc(1, sizeof(*pack));
	int ret;

	*made = NULL;
	if (!pack)
		return -ENOMEM;
	pack->source = source;
	pack->node = (struct kataimg_node){ .mtime_sec = source->job->build_time,
					    .index = (uint32_t)source->tree->node_count,
					    .type = KATAIMG_REG,
					    .nlink = 1,
					    .name = "" };
	ret = collect_ranges(pack, inodes);
	if (ret < 0 || pack->ranges.count == 0)
		return ret;
	ret = make(pack, inodes);
	if (ret == 0)
		*made = steal_ptr(&pack);
	return ret;
}

/* The number of the part that has the byte at off. */
static size_t find_part(const struct erofs_pack *pack, uint64_t off)
{
	size_t low = 0, high = pack->parts.count - 1;

	while (low < high) {
		size_t middle = low + (high - low + 1) / 2;

		if (pack->parts.items[middle].off <= off)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

int erofs_pack_read(const struct erofs_pack *pack, uint64_t off, void *buf, size_t len)
{
	const struct kataimg_host *host = pack->source->host;
	uint8_t *out = buf;

	for (size_t i = find_part(pack, off); len; i++) {
		const struct part *part = &pack->parts.items[i];
		uint64_t skip = off - part->off;
		size_t bytes = part->len - skip < len ? (size_t)(part->len - skip) : len;
		int ret = host->source_read(host->ctx, pack->source->tree->nodes[part->node],
					    part->file_off + skip, out, bytes);

		if (ret < 0)
			return ret;
		out += bytes;
		off += bytes;
		len -= bytes;
	}
	return 0;
}
