/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/io.h"
#include "core/tree/dirs.h"
#include "core/tree/model.h"

#define PATH_MESSAGE_BYTES 4096

struct tree_reader {
	const struct tree *tree;
	struct tree_reader *next;        /* in the tree's list of idle ones */
	const struct kataimg_node *node; /* the open one, or NULL */
	int fd;                          /* of that node */
	bool keeps_atime;                /* until the first file that is not the caller's */
	struct dirs dirs;
};

struct tree_reader *tree_reader_new(const struct tree *tree)
{
	struct tree_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->tree = tree;
	reader->keeps_atime = true;
	dirs_init(&reader->dirs, tree->root_fd);
	return reader;
}

/* A descriptor for many files, which stays open. */
static bool is_shared(const struct tree_source *source)
{
	return source && source->fd >= 0;
}

static void close_node(struct tree_reader *reader)
{
	if (reader->node && !is_shared(tree_source_of(reader->tree, reader->node)))
		close(reader->fd);
	reader->node = NULL;
}

void tree_reader_free(struct tree_reader *reader)
{
	if (!reader)
		return;
	close_node(reader);
	dirs_release(&reader->dirs);
	free(reader);
}

static int fail(const struct kataimg_node *node, int code, struct error *error)
{
	char path[PATH_MESSAGE_BYTES];

	return error_errno(error, code, "cannot read the source's %s",
			   tree_path(node, path, sizeof(path)));
}

static int fail_changed(const struct tree *tree, const struct kataimg_node *node, const char *how,
			struct error *error)
{
	bool in_archive = is_shared(tree_source_of(tree, node));
	char path[PATH_MESSAGE_BYTES];

	return error_set(
		error, ESTALE,
		"the source's %s%s %s while it was read: do it again with a source at rest",
		in_archive ? "archive with " : "", tree_path(node, path, sizeof(path)), how);
}

/* Only the owner may ask for O_NOATIME. Does not block should a fifo be there by now. */
static int open_at(struct tree_reader *reader, int dir_fd, const char *name)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = -1;

	if (reader->keeps_atime) {
		fd = openat(dir_fd, name, flags | O_NOATIME);
		reader->keeps_atime = fd >= 0 || errno != EPERM;
	}
	if (!reader->keeps_atime)
		fd = openat(dir_fd, name, flags);
	return fd < 0 ? -errno : fd;
}

static int open_scanned(struct tree_reader *reader, const struct kataimg_node *node)
{
	int fd = dirs_get(&reader->dirs, node->parent);

	return fd < 0 ? fd : open_at(reader, fd, node->name);
}

static int open_file(struct tree_reader *reader, const struct kataimg_node *node,
		     struct error *error)
{
	const struct tree_source *source = tree_source_of(reader->tree, node);
	int fd = source ? open_at(reader, AT_FDCWD, source->path) : open_scanned(reader, node);

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return fail_changed(reader->tree, node, "vanished", error);
	return fd < 0 ? fail(node, -fd, error) : fd;
}

static int open_shared(const struct tree_source *source, const struct kataimg_node *node,
		       struct error *error)
{
	const struct tree_later *later = &source->later;
	struct tree_range range;
	int ret;

	if (!later->fill)
		return source->fd;
	range = tree_source_range(node);
	ret = later->fill(later->arg, range.source_off, range.len, error);
	return ret < 0 ? ret : source->fd;
}

int tree_reader_open(struct tree_reader *reader, const struct kataimg_node *node,
		     struct error *error)
{
	const struct tree_source *source = tree_source_of(reader->tree, node);
	int fd;

	if (reader->node == node)
		return reader->fd;
	close_node(reader);
	fd = is_shared(source) ? open_shared(source, node, error) : open_file(reader, node, error);
	if (fd < 0)
		return fd;
	reader->node = node;
	reader->fd = fd;
	return fd;
}

int tree_reader_check(struct tree_reader *reader, struct error *error)
{
	const struct kataimg_node *node = reader->node;
	const struct tree_source *source = tree_source_of(reader->tree, node);
	bool in_archive = is_shared(source);
	const struct tree_identity *was = in_archive ? &source->was : tree_node(node)->content.was;
	uint64_t size = in_archive ? source->size : node->size;
	struct tree_stamp stamp;
	struct stat st;

	if (in_archive && source->kind == TREE_SOURCE_SCRATCH)
		return 0;
	if (fstat(reader->fd, &st) < 0)
		return fail(node, errno, error);
	if (!(S_ISREG(st.st_mode) || (in_archive && S_ISBLK(st.st_mode))) ||
	    st.st_ino != was->inode)
		return fail_changed(reader->tree, node, "was replaced", error);
	if ((uint64_t)st.st_size != size)
		return fail_changed(reader->tree, node,
				    (uint64_t)st.st_size < size ? "shrank" : "grew", error);
	stamp = tree_stamp_of(&st);
	if (stamp.mtime_ns != was->stamp.mtime_ns)
		return fail_changed(reader->tree, node, "was written", error);
	if (stamp.ctime_ns == was->stamp.ctime_ns)
		return 0;
	if (st.st_nlink == 0)
		return fail_changed(reader->tree, node, "vanished", error);
	return fail_changed(reader->tree, node, "was written, or got other attributes or links,",
			    error);
}

static int read_decoded(struct tree_reader *reader, void *buf, size_t len, uint64_t off,
			struct error *error)
{
	const struct tree_decoder *decoder = &tree_source_of(reader->tree, reader->node)->decoder;
	char path[PATH_MESSAGE_BYTES];
	int ret = decoder->read(decoder->arg, off, buf, len, error);

	return ret < 0 ? error_prefix(error, "cannot read %s",
				      tree_path(reader->node, path, sizeof(path)))
		       : 0;
}

int tree_reader_read(struct tree_reader *reader, void *buf, size_t len, uint64_t source_off,
		     struct error *error)
{
	int changed, ret;

	if (source_off >= TREE_DECODED_OFF)
		return read_decoded(reader, buf, len, source_off - TREE_DECODED_OFF, error);
	ret = io_pread(reader->fd, buf, len, source_off);
	if (ret == 0)
		return 0;
	/* A short read has its reason in what the file is now. */
	changed = tree_reader_check(reader, error);
	if (changed < 0)
		return changed;
	if (ret == -ENODATA)
		return fail_changed(reader->tree, reader->node, "shrank", error);
	return fail(reader->node, -ret, error);
}

/* ---- Where data is ---- */

/* Segments and ranges alike begin with file_off and len: the first in an ascending array of `count`
 * members of `size` bytes that ends after `from`. */
static uint32_t first_after(const void *array, size_t size, uint32_t count, uint64_t from)
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		uint64_t range[2];

		memcpy(range, (const char *)array + middle * size, sizeof(range));
		if (range[0] + range[1] <= from)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Cuts *extent to [from, to); false when nothing is left. */
static bool clip_extent(struct tree_extent *extent, uint64_t from, uint64_t to)
{
	uint64_t end = extent->file_off + extent->len;

	if (extent->file_off < from) {
		extent->source_off += from - extent->file_off;
		extent->file_off = from;
	}
	if (end > to)
		end = to;
	if (extent->file_off >= end)
		return false;
	extent->len = end - extent->file_off;
	return true;
}

static bool next_segment(const struct kataimg_node *node, uint64_t from, uint64_t to,
			 struct tree_extent *extent)
{
	uint32_t at =
		first_after(node->segments, sizeof(*node->segments), node->segment_count, from);
	const struct kataimg_segment *segment;

	if (at == node->segment_count)
		return false;
	segment = &node->segments[at];
	*extent = (struct tree_extent){ segment->file_off, segment->len, segment->file_off };
	return clip_extent(extent, from, to);
}

static bool next_range(const struct tree_node *node, uint64_t from, uint64_t to,
		       struct tree_extent *extent)
{
	const struct tree_ranges *ranges = node->content.ranges;
	const struct tree_range *range;
	uint32_t at;

	if (node->content_kind == TREE_CONTENT_STRETCH) {
		*extent = (struct tree_extent){ 0, node->pub.size, node->content.source_off };
		return clip_extent(extent, from, to);
	}
	at = first_after(ranges->items, sizeof(*ranges->items), ranges->count, from);
	if (at == ranges->count)
		return false;
	range = &ranges->items[at];
	*extent = (struct tree_extent){ range->file_off, range->len, range->source_off };
	return clip_extent(extent, from, to);
}

bool tree_next_extent(const struct tree *tree, const struct kataimg_node *node, uint64_t from,
		      uint64_t to, struct tree_extent *extent)
{
	/* Ranges need not be blocks, nor the same as what is kept as data. */
	while (next_segment(node, from, to, extent)) {
		from = extent->file_off + extent->len;
		if (!is_shared(tree_source_of(tree, node)) ||
		    next_range(tree_node(node), extent->file_off, from, extent))
			return true;
	}
	return false;
}

int tree_reader_get(struct tree_reader *reader, const struct kataimg_node *node, uint64_t off,
		    void *to, size_t len, struct error *error)
{
	char *buf = to;
	uint64_t at = off, end = off + len;
	struct tree_extent extent;
	int ret = 0;

	while (tree_next_extent(reader->tree, node, at, end, &extent)) {
		memset(buf + (at - off), 0, (size_t)(extent.file_off - at));
		ret = tree_reader_open(reader, node, error);
		if (ret >= 0)
			ret = tree_reader_read(reader, buf + (extent.file_off - off),
					       (size_t)extent.len, extent.source_off, error);
		if (ret < 0)
			return ret;
		at = extent.file_off + extent.len;
	}
	memset(buf + (at - off), 0, (size_t)(end - at));
	return reader->node == node ? tree_reader_check(reader, error) : 0;
}

/* ---- Single reads ---- */

/* An idle reader, best the one that has the node open. */
static struct tree_reader *take_reader(const struct tree *tree, const struct kataimg_node *node)
{
	struct tree_readers *readers = tree->readers;
	struct tree_reader **best = &readers->first, *reader;

	pthread_mutex_lock(&readers->lock);
	for (struct tree_reader **at = best; *at; at = &(*at)->next)
		if ((*at)->node == node)
			best = at;
	reader = *best;
	if (reader)
		*best = reader->next;
	pthread_mutex_unlock(&readers->lock);
	return reader ? reader : tree_reader_new(tree);
}

static void give_reader_back(const struct tree *tree, struct tree_reader *reader)
{
	pthread_mutex_lock(&tree->readers->lock);
	reader->next = tree->readers->first;
	tree->readers->first = reader;
	pthread_mutex_unlock(&tree->readers->lock);
}

void tree_free_readers(struct tree_readers *readers)
{
	while (readers->first) {
		struct tree_reader *next = readers->first->next;

		tree_reader_free(readers->first);
		readers->first = next;
	}
	pthread_mutex_destroy(&readers->lock);
	free(readers);
}

int tree_read(const struct tree *tree, const struct kataimg_node *node, uint64_t off, void *buf,
	      size_t len, struct error *error)
{
	struct tree_reader *reader;
	int ret;

	if (node->type != KATAIMG_REG || off > node->size || len > node->size - off)
		return error_set(error, ERANGE, "a read of %zu bytes leaves a file", len);
	reader = take_reader(tree, node);
	if (!reader)
		return error_nomem(error);
	ret = tree_reader_get(reader, node, off, buf, len, error);
	give_reader_back(tree, reader);
	return ret;
}
