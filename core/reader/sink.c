/* SPDX-License-Identifier: Apache-2.0 */
/* Takes what a backend reports, in any order and from any thread. What can be seen to be wrong of
 * one report alone is refused here; the rest is judge.c's. */
#include "core/reader/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/base/cancel.h"
#include "core/base/meter.h"
#include "lib/checked.h"
#include "lib/hashtable.h"

/*
 * What memory is spent on: all that is reported, of which an image can name the same bytes from
 * many places. The densest sound image is an EROFS of empty files whose names have two letters: of
 * 46 bytes each (inode 32, directory entry 12, name) become 171. So 3.75 times the filesystem's
 * size is enough, and one of 64 MiB stays under 256 MiB; a small one may need the least at once.
 */
#define SPEND_BYTES(window_bytes) ((window_bytes) / 4 * 15)
#define SPEND_LEAST_BYTES ((uint64_t)32 << 20)

static int refuse(struct kataimg_sink_ctx *sink, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Lock held. */
static int refuse(struct kataimg_sink_ctx *sink, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	error_vset(&sink->error, code, fmt, args);
	va_end(args);
	return -sink->error.code;
}

static int nomem(struct kataimg_sink_ctx *sink)
{
	return error_nomem(&sink->error);
}

/* Begins a report: 0 with the lock held, or an error without it. */
static int enter(struct kataimg_sink_ctx *sink)
{
	if (cancel_requested())
		return -ECANCELED;
	pthread_mutex_lock(&sink->found->lock);
	if (sink->error.code == 0)
		return 0;
	pthread_mutex_unlock(&sink->found->lock);
	return -sink->error.code;
}

static int leave(struct kataimg_sink_ctx *sink, int ret)
{
	pthread_mutex_unlock(&sink->found->lock);
	return ret;
}

static int spend(struct kataimg_sink_ctx *sink, size_t bytes)
{
	struct found *found = sink->found;
	uint64_t limit = SPEND_BYTES(found->window_bytes);

	found->spent_bytes += bytes;
	if (found->spent_bytes <= limit || found->spent_bytes <= SPEND_LEAST_BYTES)
		return 0;
	return refuse(sink, EUCLEAN,
		      "it names more files, attributes or pieces of files than a filesystem of "
		      "%" PRIu64 " bytes can hold",
		      found->window_bytes);
}

static int sink_root(struct kataimg_sink_ctx *sink, uint64_t id)
{
	int ret = enter(sink);

	if (ret < 0)
		return ret;
	if (sink->found->has_root)
		return leave(sink, refuse(sink, EUCLEAN, "it has two root directories"));
	sink->found->has_root = true;
	sink->found->root = id;
	return leave(sink, 0);
}

static const char *why_bad_inode(const struct kataimg_inode *inode)
{
	if (inode->type < KATAIMG_REG || inode->type > KATAIMG_LNK)
		return "is of no known type";
	if (inode->mode > 07777)
		return "has a mode beyond 07777";
	/* -1 is nobody's number: chown(2) takes it for none, and a tree as text cannot have it. */
	if (inode->uid == UINT32_MAX || inode->gid == UINT32_MAX)
		return "has an owner or a group of the number -1";
	if (inode->mtime_nsec > 999999999)
		return "has more than 999999999 nanoseconds";
	if (inode->size > INT64_MAX)
		return "is larger than 2^63 - 1 bytes";
	if (inode->type != KATAIMG_LNK)
		return NULL;
	if (!inode->target || inode->size == 0)
		return "is a symbolic link to nothing";
	return memchr(inode->target, 0, (size_t)inode->size) ? "is a symbolic link with a NUL in it"
							     : NULL;
}

static void set_attributes(struct kataimg_node *node, const struct kataimg_inode *inode)
{
	node->mode = inode->mode;
	node->uid = inode->uid;
	node->gid = inode->gid;
	node->nlink = inode->nlink;
	node->mtime_sec = inode->mtime_sec;
	node->mtime_nsec = inode->mtime_nsec;
	if (inode->type == KATAIMG_REG)
		node->size = inode->size;
	if (inode->type == KATAIMG_CHR || inode->type == KATAIMG_BLK) {
		node->rdev_major = inode->rdev_major;
		node->rdev_minor = inode->rdev_minor;
	}
}

#define INODE_BYTES (sizeof(struct found_inode) + sizeof(struct tree_node))
/* What is kept of it until all is numbered, and a backend's list of what it is to read yet. */
#define DIR_BYTES (2 * sizeof(uint64_t))

static int add_inode(struct kataimg_sink_ctx *sink, const struct kataimg_inode *inode)
{
	struct found *found = sink->found;
	struct found_inode *added = array_add(&found->inodes);
	struct tree_node *node = added ? tree_add_node(found->tree, inode->type) : NULL;

	if (!node)
		return nomem(sink);
	*added = (struct found_inode){ .id = inode->id, .node = node };
	set_attributes(&node->pub, inode);
	meter_count(1);
	if (inode->type == KATAIMG_DIR)
		return spend(sink, INODE_BYTES + DIR_BYTES);
	if (inode->type != KATAIMG_LNK)
		return spend(sink, INODE_BYTES);
	if (tree_set_target(found->tree, node, inode->target, (size_t)inode->size) < 0)
		return nomem(sink);
	return spend(sink, INODE_BYTES + (size_t)inode->size + 1);
}

static int sink_inode(struct kataimg_sink_ctx *sink, const struct kataimg_inode *inode)
{
	const char *why = why_bad_inode(inode);
	int ret = enter(sink);

	if (ret < 0)
		return ret;
	if (why)
		return leave(sink, refuse(sink, EUCLEAN, "inode %" PRIu64 " %s", inode->id, why));
	return leave(sink, add_inode(sink, inode));
}

/* Adds to *bytes what that takes. */
static const char *keep_text(struct found *found, const void *bytes, uint32_t len, size_t *taken)
{
	struct found_text *recent =
		&found->recent_texts[hash_bytes(0, bytes, len) % FOUND_RECENT_TEXTS];

	if (recent->bytes && recent->len == len && memcmp(recent->bytes, bytes, len) == 0)
		return recent->bytes;
	*recent = (struct found_text){ arena_text(tree_arena(found->tree), bytes, len), len };
	*taken += len + 1;
	return recent->bytes;
}

static int add_xattr(struct kataimg_sink_ctx *sink, uint64_t id, const struct kataimg_xattr *xattr)
{
	struct found *found = sink->found;
	struct found_xattr *added = array_add(&found->xattrs);
	size_t bytes = sizeof(*added) + sizeof(added->xattr);

	if (!added)
		return nomem(sink);
	added->id = id;
	added->xattr = (struct kataimg_xattr){
		.name = keep_text(found, xattr->name, xattr->name_len, &bytes),
		.value = keep_text(found, xattr->value, xattr->value_len, &bytes),
		.name_len = xattr->name_len,
		.value_len = xattr->value_len,
	};
	if (!added->xattr.name || !added->xattr.value)
		return nomem(sink);
	return spend(sink, bytes);
}

static int sink_xattr(struct kataimg_sink_ctx *sink, uint64_t id, const struct kataimg_xattr *xattr)
{
	int ret = enter(sink);

	if (ret < 0)
		return ret;
	if (xattr->name_len == 0 || xattr->name_len > 255 ||
	    memchr(xattr->name, 0, xattr->name_len))
		ret = refuse(sink, EUCLEAN, "inode %" PRIu64 " has an attribute whose name is none",
			     id);
	else if (xattr->value_len > 65536)
		ret = refuse(sink, EUCLEAN,
			     "inode %" PRIu64 " has an attribute of %" PRIu32 " bytes", id,
			     xattr->value_len);
	else
		ret = add_xattr(sink, id, xattr);
	return leave(sink, ret);
}

static bool is_name(const char *name, size_t len)
{
	if (len == 0 || len > 255 || memchr(name, 0, len) || memchr(name, '/', len))
		return false;
	return !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

static int add_entry(struct kataimg_sink_ctx *sink, uint64_t dir, const char *name, size_t len,
		     uint64_t id)
{
	struct found *found = sink->found;
	union found_entry *added = array_add(&found->entries);
	const char *copy = added ? arena_text(tree_arena(found->tree), name, len) : NULL;

	if (!copy)
		return nomem(sink);
	added->dir = dir;
	added->id = id;
	added->name = copy;
	return spend(sink, sizeof(*added) + len + 1);
}

static int sink_entry(struct kataimg_sink_ctx *sink, uint64_t dir, const char *name, size_t len,
		      uint64_t id)
{
	int ret = enter(sink);

	if (ret < 0)
		return ret;
	if (is_name(name, len))
		ret = add_entry(sink, dir, name, len, id);
	else
		ret = refuse(sink, EUCLEAN, "directory %" PRIu64 " has an entry whose name is none",
			     dir);
	return leave(sink, ret);
}

/* Does it go on where the last one ended, in the file and in the window? */
static bool follows(const struct found_range *last, const struct found_range *next)
{
	return !last->decoded && !next->decoded && last->id == next->id &&
	       last->file_off + last->len == next->file_off &&
	       last->place + last->len == next->place;
}

/* All bytes of the file that was reported last? Most are so, and need no list. */
static struct tree_node *is_stretch(const struct found *found, const struct found_range *range)
{
	size_t count = found->inodes.count;
	const struct found_inode *last = count ? &found->inodes.items[count - 1] : NULL;

	if (!last || last->id != range->id || last->node->pub.type != KATAIMG_REG ||
	    last->node->content_kind != TREE_CONTENT_NONE)
		return NULL;
	return !range->decoded && range->file_off == 0 && range->len == last->node->pub.size
		       ? last->node
		       : NULL;
}

static int add_range(struct kataimg_sink_ctx *sink, const struct found_range *range)
{
	struct found *found = sink->found;
	size_t count = found->ranges.count;
	struct tree_node *node = is_stretch(found, range);
	struct found_range *added;

	if (node) {
		node->content_kind = TREE_CONTENT_STRETCH;
		node->content.source_off = range->place;
		return 0;
	}
	if (count > 0 && follows(&found->ranges.items[count - 1], range)) {
		found->ranges.items[count - 1].len += range->len;
		return 0;
	}
	added = array_add(&found->ranges);
	if (!added)
		return nomem(sink);
	*added = *range;
	return spend(sink,
		     sizeof(*added) + sizeof(struct tree_range) + sizeof(struct kataimg_segment));
}

static int report_range(struct kataimg_sink_ctx *sink, uint64_t id, uint64_t file_off, uint64_t len,
			uint64_t place, bool decoded)
{
	uint64_t window = sink->found->window_bytes, end;
	int ret = len ? enter(sink) : 0;

	if (ret < 0 || len == 0)
		return ret;
	if (checked_add(file_off, len, &end) < 0 || end > INT64_MAX ||
	    (!decoded && !range_within(place, len, window)))
		ret = refuse(sink, EUCLEAN,
			     "inode %" PRIu64 " has data outside the filesystem: %" PRIu64
			     " bytes at %" PRIu64,
			     id, len, place);
	else
		ret = add_range(sink, &(struct found_range){
					      .id = id,
					      .file_off = file_off,
					      .len = len & INT64_MAX,
					      .decoded = decoded,
					      .place = place,
				      });
	return leave(sink, ret);
}

static int sink_range(struct kataimg_sink_ctx *sink, uint64_t id, uint64_t file_off, uint64_t len,
		      uint64_t off)
{
	return report_range(sink, id, file_off, len, off, false);
}

static int sink_decoded(struct kataimg_sink_ctx *sink, uint64_t id, uint64_t file_off, uint64_t len,
			uint64_t cookie)
{
	return report_range(sink, id, file_off, len, cookie, true);
}

void sink_init(struct kataimg_sink_ctx *sink, struct found *found)
{
	*sink = (struct kataimg_sink_ctx){
		.found = found,
		.services = {
			.struct_size = sizeof(sink->services),
			.ctx = sink,
			.root = sink_root,
			.inode = sink_inode,
			.xattr = sink_xattr,
			.entry = sink_entry,
			.range = sink_range,
			.decoded = sink_decoded,
		},
	};
}

int sink_take_error(struct kataimg_sink_ctx *sink, struct error *error)
{
	if (sink->error.code == 0)
		return 0;
	*error = sink->error;
	sink->error = ERROR_INIT;
	return -error->code;
}
