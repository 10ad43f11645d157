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

void tree_set_scanned(struct tree_node *node, const struct tree_identity *was)
{
	node->content = (struct tree_content){ .kind = TREE_CONTENT_SCANNED, .was = *was };
}

int tree_set_file(struct tree *tree, struct tree_node *node, const char *path,
		  const struct stat *st)
{
	autofree char *copy = strdup(path);
	struct tree_source source = { .kind = TREE_SOURCE_FILE, .fd = -1, .path = copy };
	int ret = copy ? add(tree, &source) : -ENOMEM;

	if (ret < 0)
		return ret;
	steal_ptr(&copy);
	node->content = (struct tree_content){ .kind = TREE_CONTENT_FILE,
					       .source = (uint16_t)ret,
					       .was = identity_of(st) };
	node->pub.size = (uint64_t)st->st_size;
	return 0;
}

static int set_segments(struct tree *tree, struct tree_node *node)
{
	const struct tree_content *content = &node->content;
	autofree struct kataimg_segment *segments =
		calloc((size_t)content->range_count + 1, sizeof(*segments));

	if (!segments)
		return -ENOMEM;
	for (uint32_t i = 0; i < content->range_count; i++)
		segments[i] = (struct kataimg_segment){ content->ranges[i].file_off,
							content->ranges[i].len };
	return tree_set_segments(tree, node, segments, content->range_count);
}

int tree_set_ranges(struct tree *tree, struct tree_node *node, int source, uint64_t size,
		    const struct tree_range *ranges, uint32_t count, uint64_t base)
{
	struct tree_range *copy = arena_array(&tree->arena, count, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		copy[i] = ranges[i];
		copy[i].source_off += base;
	}
	node->content = (struct tree_content){ .kind = TREE_CONTENT_RANGES,
					       .source = (uint16_t)source,
					       .ranges = copy,
					       .range_count = count };
	node->pub.size = size;
	return set_segments(tree, node);
}

bool tree_is_scanned(const struct tree_node *node)
{
	return node->pub.type == KATAIMG_REG && node->content.kind == TREE_CONTENT_SCANNED;
}

bool tree_find_stretch(const struct tree *tree, const struct kataimg_node *file, uint64_t *off,
		       bool *scratch)
{
	const struct tree_content *content = &tree_node(file)->content;
	const struct tree_source *source = tree_source_of(tree, file);

	*off = 0;
	*scratch = source && source->kind == TREE_SOURCE_SCRATCH;
	if (content->kind != TREE_CONTENT_RANGES || file->size == 0)
		return true;
	*off = content->ranges[0].source_off;
	return content->range_count == 1 && *off < TREE_DECODED_OFF &&
	       content->ranges[0].len == file->size;
}

const struct tree_source *tree_source_of(const struct tree *tree, const struct kataimg_node *file)
{
	const struct tree_content *content = &tree_node(file)->content;
	bool has_source =
		content->kind == TREE_CONTENT_FILE || content->kind == TREE_CONTENT_RANGES;

	return has_source ? &tree->sources[content->source] : NULL;
}
