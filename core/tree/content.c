/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/tree/model.h"
#include "lib/cleanup.h"

static uint64_t time_ns(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
}

struct tree_stamp tree_stamp_of(const struct stat *st)
{
	return (struct tree_stamp){ time_ns(&st->st_mtim), time_ns(&st->st_ctim) };
}

static struct tree_identity identity_of(const struct stat *st)
{
	return (struct tree_identity){ st->st_ino, tree_stamp_of(st) };
}

static int add(struct tree *tree, const struct tree_source *source)
{
	struct tree_source *sources;

	if (tree->source_count == TREE_SOURCES_MAX)
		return -EMFILE;
	sources = reallocarray(tree->sources, tree->source_count + 1, sizeof(*sources));
	if (!sources)
		return -ENOMEM;
	sources[tree->source_count] = *source;
	tree->sources = sources;
	return (int)tree->source_count++;
}

/* Takes source->fd. */
static int add_shared(struct tree *tree, const struct tree_source *shared)
{
	struct tree_source source = *shared;
	int fd = source.fd;
	struct stat st;
	int ret = fstat(fd, &st) < 0 ? -errno : 0;

	if (ret == 0) {
		source.size = (uint64_t)st.st_size;
		source.was = identity_of(&st);
		ret = add(tree, &source);
	}
	if (ret < 0)
		close(fd);
	return ret;
}

int tree_add_shared(struct tree *tree, int fd, enum tree_source_kind kind)
{
	return add_shared(tree, &(struct tree_source){ .kind = kind, .fd = fd });
}

int tree_add_decoded(struct tree *tree, int fd, const struct tree_decoder *decoder)
{
	const struct tree_source source = { .kind = TREE_SOURCE_DECODED,
					    .fd = fd,
					    .decoder = *decoder };
	int ret = add_shared(tree, &source);

	if (ret < 0)
		decoder->free(decoder->arg);
	return ret;
}

void tree_set_later(struct tree *tree, int source, const struct tree_later *later)
{
	tree->sources[source].later = *later;
}

void tree_free_sources(struct tree *tree)
{
	for (uint32_t i = tree->borrowed_sources; i < tree->source_count; i++) {
		const struct tree_later *later = &tree->sources[i].later;

		if (tree->sources[i].kind == TREE_SOURCE_DECODED)
			tree->sources[i].decoder.free(tree->sources[i].decoder.arg);
		if (later->free)
			later->free(later->arg);
		if (tree->sources[i].fd >= 0)
			close(tree->sources[i].fd);
		free(tree->sources[i].path);
	}
	free(tree->sources);
}

static int set_whole(struct tree *tree, struct tree_node *node, enum tree_content_kind kind,
		     const struct tree_identity *was)
{
	struct tree_identity *kept = arena_array(&tree->arena, 1, sizeof(*kept));

	if (!kept)
		return -ENOMEM;
	*kept = *was;
	node->content.was = kept;
	node->content_kind = (uint8_t)kind;
	return 0;
}

int tree_set_scanned(struct tree *tree, struct tree_node *node, const struct tree_identity *was)
{
	return set_whole(tree, node, TREE_CONTENT_SCANNED, was);
}

int tree_set_file(struct tree *tree, struct tree_node *node, const char *path,
		  const struct stat *st)
{
	const struct tree_identity was = identity_of(st);
	autofree char *copy = strdup(path);
	struct tree_source source = { .kind = TREE_SOURCE_FILE, .fd = -1, .path = copy };
	int ret = copy ? add(tree, &source) : -ENOMEM;

	if (ret < 0)
		return ret;
	steal_ptr(&copy);
	node->source = (uint16_t)ret;
	node->pub.size = (uint64_t)st->st_size;
	return set_whole(tree, node, TREE_CONTENT_FILE, &was);
}

static int set_segments(struct tree *tree, struct tree_node *node, const struct tree_range *ranges,
			uint32_t count)
{
	autofree struct kataimg_segment *segments = calloc((size_t)count + 1, sizeof(*segments));

	if (!segments)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		segments[i] = (struct kataimg_segment){ ranges[i].file_off, ranges[i].len };
	return tree_set_segments(tree, node, segments, count);
}

static struct tree_ranges *copy_ranges(struct tree *tree, const struct tree_range *ranges,
				       uint32_t count, uint64_t base)
{
	/* Of 8 bytes, the alignment of an array; where uint64_t has less, the structure is no whole
	 * number of them. */
	size_t words = (sizeof(struct tree_ranges) + sizeof(uint64_t) - 1) / sizeof(uint64_t);
	struct tree_ranges *copy =
		arena_array(&tree->arena, words + count * (sizeof(*ranges) / sizeof(uint64_t)),
			    sizeof(uint64_t));

	if (!copy)
		return NULL;
	copy->count = count;
	for (uint32_t i = 0; i < count; i++) {
		copy->items[i] = ranges[i];
		copy->items[i].source_off += base;
	}
	return copy;
}

int tree_set_stretch(struct tree *tree, struct tree_node *node, int source, uint64_t size,
		     uint64_t off)
{
	const struct kataimg_segment all = { 0, size };

	node->content.source_off = off;
	node->content_kind = TREE_CONTENT_STRETCH;
	node->source = (uint16_t)source;
	node->pub.size = size;
	return tree_set_segments(tree, node, &all, 1);
}

int tree_set_ranges(struct tree *tree, struct tree_node *node, int source, uint64_t size,
		    const struct tree_range *ranges, uint32_t count, uint64_t base)
{
	const struct tree_ranges *copy;

	if (count == 1 && ranges->file_off == 0 && ranges->len == size)
		return tree_set_stretch(tree, node, source, size, base + ranges->source_off);
	copy = copy_ranges(tree, ranges, count, base);
	if (!copy)
		return -ENOMEM;
	node->content.ranges = copy;
	node->content_kind = TREE_CONTENT_RANGES;
	node->source = (uint16_t)source;
	node->pub.size = size;
	return set_segments(tree, node, ranges, count);
}

uint64_t tree_source_off(const struct kataimg_node *file)
{
	const struct tree_node *node = tree_node(file);

	if (node->content_kind == TREE_CONTENT_STRETCH)
		return node->content.source_off;
	if (node->content_kind == TREE_CONTENT_RANGES && node->content.ranges->count > 0)
		return node->content.ranges->items[0].source_off;
	return 0;
}

struct tree_range tree_source_range(const struct kataimg_node *file)
{
	const struct tree_node *node = tree_node(file);
	uint64_t from = UINT64_MAX, to = 0;

	if (node->content_kind == TREE_CONTENT_STRETCH)
		return (struct tree_range){ 0, file->size, node->content.source_off };
	for (uint32_t i = 0;
	     node->content_kind == TREE_CONTENT_RANGES && i < node->content.ranges->count; i++) {
		const struct tree_range *range = &node->content.ranges->items[i];

		from = range->source_off < from ? range->source_off : from;
		to = range->source_off + range->len > to ? range->source_off + range->len : to;
	}
	return to > 0 ? (struct tree_range){ 0, to - from, from } : (struct tree_range){ 0 };
}

bool tree_is_scanned(const struct tree_node *node)
{
	return node->pub.type == KATAIMG_REG && node->content_kind == TREE_CONTENT_SCANNED;
}

bool tree_find_stretch(const struct tree *tree, const struct kataimg_node *file, uint64_t *off,
		       bool *scratch)
{
	const struct tree_node *node = tree_node(file);
	const struct tree_source *source = tree_source_of(tree, file);

	*off = tree_source_off(file);
	*scratch = source && source->kind == TREE_SOURCE_SCRATCH;
	if (node->content_kind == TREE_CONTENT_STRETCH)
		return *off < TREE_DECODED_OFF;
	return node->content_kind != TREE_CONTENT_RANGES || file->size == 0;
}

const struct tree_source *tree_source_of(const struct tree *tree, const struct kataimg_node *file)
{
	const struct tree_node *node = tree_node(file);

	return node->content_kind >= TREE_CONTENT_FILE ? &tree->sources[node->source] : NULL;
}
