/* SPDX-License-Identifier: Apache-2.0 */
#include "toystore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Followed by the target, and by attributes, entries and segments with a struct piece each. */
struct record {
	uint64_t size, start;
	int64_t mtime_sec;
	uint32_t mtime_nsec, uid, gid, rdev_major, rdev_minor, nlink;
	uint32_t target_bytes, xattrs, entries, segments;
	uint16_t mode, type;
	uint32_t reserved; /* else the structure ends in bytes of any value */
};

/* An attribute: name_bytes of name, other of value. An entry: name_bytes of name, other is the
 * inode. A segment: other is its offset, len its length. */
struct piece {
	uint64_t other, len;
	uint32_t name_bytes, reserved;
};

/* Bytes that are counted, and written where there is room for them. */
struct stream {
	uint8_t *bytes; /* NULL: they are only counted */
	uint64_t at;
};

static void put(struct stream *stream, const void *bytes, uint64_t len)
{
	if (stream->bytes && len > 0)
		memcpy(stream->bytes + stream->at, bytes, len);
	stream->at += len;
}

static void put_piece(struct stream *stream, uint64_t other, uint64_t len, uint32_t name_bytes)
{
	const struct piece piece = { other, len, name_bytes, 0 };

	put(stream, &piece, sizeof(piece));
}

static void put_record(struct stream *stream, const struct kataimg_node *node, uint64_t start)
{
	struct record record = {
		.size = node->size,
		.start = start,
		.mtime_sec = node->mtime_sec,
		.mtime_nsec = node->mtime_nsec,
		.uid = node->uid,
		.gid = node->gid,
		.rdev_major = node->rdev_major,
		.rdev_minor = node->rdev_minor,
		.nlink = node->nlink,
		.target_bytes = node->type == KATAIMG_LNK ? (uint32_t)node->size : 0,
		.xattrs = node->xattr_count,
		.entries = node->entry_count,
		.segments = node->segment_count,
		.mode = node->mode,
		.type = node->type,
	};

#ifdef BREAK_LOST_XATTRS
	record.xattrs = 0;
#endif
#ifdef BREAK_LOST_ENTRY
	record.entries -= record.entries > 400;
#endif
#ifdef BREAK_ZERO_TIMES
	record.mtime_sec = record.mtime_nsec = 0;
#endif
#ifdef BREAK_LINK_COUNT
	record.nlink += record.nlink > 1 && record.type != KATAIMG_DIR;
#endif
#ifdef BREAK_FILLED_HOLES
	record.segments = record.segments > 0;
#endif
#ifdef BREAK_LOST_OWNER
	record.uid = 0;
#endif
	put(stream, &record, sizeof(record));
}

static void put_node(struct stream *stream, const struct kataimg_node *node, uint64_t start)
{
	put_record(stream, node, start);
	if (node->type == KATAIMG_LNK)
		put(stream, node->target, node->size);
#ifndef BREAK_LOST_XATTRS
	for (uint32_t i = 0; i < node->xattr_count; i++) {
		const struct kataimg_xattr *xattr = &node->xattrs[i];

		put_piece(stream, xattr->value_len, 0, xattr->name_len);
		put(stream, xattr->name, xattr->name_len);
		put(stream, xattr->value, xattr->value_len);
	}
#endif
	for (uint32_t i = 0; i < node->entry_count; i++) {
		const struct kataimg_entry *entry = &node->entries[i];

#ifdef BREAK_LOST_ENTRY
		if (i == 400)
			continue;
#endif
#ifdef BREAK_LOST_LINK /* an inode that is nothing but alike */
		if (strcmp(entry->name, "second-name") == 0) {
			put_piece(stream, entry->node->index + 1, 0, entry->name_len);
			put(stream, entry->name, entry->name_len);
			continue;
		}
#endif
		put_piece(stream, entry->node->index, 0, entry->name_len);
		put(stream, entry->name, entry->name_len);
	}
#ifdef BREAK_FILLED_HOLES
	if (node->segment_count > 0)
		put_piece(stream, 0, node->size, 0);
	return;
#endif
	for (uint32_t i = 0; i < node->segment_count; i++) {
		uint64_t off = node->segments[i].file_off, len = node->segments[i].len;

#ifdef SMALLER /* holes, by a block of the filesystem, as it may be */
		if (i > 0) {
			off -= 4096;
			len += 2 * 4096;
		}
#endif
		put_piece(stream, off, len, 0);
	}
}

static void put_tree(struct stream *stream, const struct kataimg_tree *tree, const uint64_t *starts)
{
	for (uint64_t i = 0; i < tree->node_count; i++)
		put_node(stream, tree->nodes[i], starts ? starts[i] : 0);
}

uint64_t toystore_bytes(const struct kataimg_tree *tree)
{
	struct stream stream = { NULL, 0 };

	put_tree(&stream, tree, NULL);
	return stream.at;
}

int toystore_write(const struct kataimg_host *host, uint64_t off, const struct kataimg_tree *tree,
		   const uint64_t *starts)
{
	struct stream stream = { malloc(toystore_bytes(tree)), 0 };
	int ret;

	if (!stream.bytes)
		return -ENOMEM;
	put_tree(&stream, tree, starts);
	ret = host->write(host->ctx, off, stream.bytes, stream.at);
	free(stream.bytes);
	return ret;
}

#ifdef KATAIMG_HAVE_READ
/* ---- The way back ---- */

struct source {
	const struct kataimg_host *host;
	const struct kataimg_sink *sink;
	const uint8_t *bytes;
	uint64_t left;
};

/* The next bytes of the stream; NULL after an error. */
static const void *take(struct source *source, uint64_t len)
{
	const uint8_t *bytes = source->bytes;

#ifndef BREAK_TRUSTING
	if (len > source->left) {
		source->host->error(source->host->ctx, "the stream of inodes ends early");
		return NULL;
	}
#endif
	source->bytes += len;
	source->left -= len;
	return bytes;
}

static int take_piece(struct source *source, struct piece *piece)
{
	const void *bytes = take(source, sizeof(*piece));

	if (!bytes)
		return -EUCLEAN;
	memcpy(piece, bytes, sizeof(*piece));
	return 0;
}

static int tell_xattr(struct source *source, uint64_t id)
{
	struct kataimg_xattr xattr;
	struct piece piece;
	char name[256];
	const void *bytes;

	if (take_piece(source, &piece) < 0)
		return -EUCLEAN;
	bytes = take(source, piece.name_bytes);
	xattr.value = bytes ? take(source, piece.other) : NULL;
	if (!xattr.value || piece.name_bytes >= sizeof(name) || piece.other > 65536) {
		source->host->error(source->host->ctx, "an attribute is too large");
		return -EUCLEAN;
	}
	memcpy(name, bytes, piece.name_bytes);
	name[piece.name_bytes] = '\0';
	xattr.name = name;
	xattr.name_len = piece.name_bytes;
	xattr.value_len = (uint32_t)piece.other;
	return source->sink->xattr(source->sink->ctx, id, &xattr);
}

static int tell_entry(struct source *source, uint64_t id)
{
	struct piece piece;
	const char *name;

	if (take_piece(source, &piece) < 0)
		return -EUCLEAN;
	name = take(source, piece.name_bytes);
	return name ? source->sink->entry(source->sink->ctx, id, name, piece.name_bytes,
					  piece.other)
		    : -EUCLEAN;
}

static int tell_segment(struct source *source, uint64_t id, uint64_t start)
{
	struct piece piece;

	if (take_piece(source, &piece) < 0)
		return -EUCLEAN;
	return source->sink->range(source->sink->ctx, id, piece.other, piece.len,
				   start + piece.other);
}

static int tell_inode(struct source *source, uint64_t id, const struct record *record)
{
	const struct kataimg_inode inode = {
		.struct_size = sizeof(inode),
		.id = id,
		.size = record->size,
		.mtime_sec = record->mtime_sec,
		.mtime_nsec = record->mtime_nsec,
		.uid = record->uid,
		.gid = record->gid,
		.rdev_major = record->rdev_major,
		.rdev_minor = record->rdev_minor,
		.mode = record->mode,
		.type = (uint8_t)record->type,
		.nlink = record->nlink,
		.target = take(source, record->target_bytes),
	};

	if (!inode.target)
		return -EUCLEAN;
	if (record->type == KATAIMG_LNK && record->size != record->target_bytes) {
		source->host->error(source->host->ctx, "a link's target has two lengths");
		return -EUCLEAN;
	}
	return source->sink->inode(source->sink->ctx, &inode);
}

static int tell_node(struct source *source, uint64_t id)
{
	const void *bytes = take(source, sizeof(struct record));
	struct record record;
	int ret;

	if (!bytes)
		return -EUCLEAN;
	memcpy(&record, bytes, sizeof(record));
	ret = tell_inode(source, id, &record);
	for (uint32_t i = 0; ret == 0 && i < record.xattrs; i++)
		ret = tell_xattr(source, id);
	for (uint32_t i = 0; ret == 0 && i < record.entries; i++)
		ret = tell_entry(source, id);
	for (uint32_t i = 0; ret == 0 && i < record.segments; i++)
		ret = tell_segment(source, id, record.start);
	return ret;
}

int toystore_read(const struct kataimg_host *host, const uint8_t *stream, uint64_t len,
		  uint64_t nodes, const struct kataimg_sink *sink)
{
	struct source source = { host, sink, stream, len };
	int ret = sink->root(sink->ctx, 0);

	for (uint64_t i = 0; ret == 0 && i < nodes; i++)
		ret = tell_node(&source, i);
	return ret;
}
#endif
