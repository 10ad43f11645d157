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

/*
 * What memory is spent on: attributes, names and ranges, of which an image can name the same bytes
 * from many places. Honest images stay far below; a small one may need this much at once.
 */
#define SPEND_FACTOR 3
#define SPEND_BASE_BYTES ((uint64_t)32 << 20)

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
	uint64_t limit = SPEND_BASE_BYTES + SPEND_FACTOR * found->window_bytes;

	found->spent_bytes += bytes;
	if (found->spent_bytes <= limit)
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
	if (inode->mtime_nsec > 999999999)
		return "has more than 999999999 nanoseconds";
	if (inode->size > INT64_MAX)
		return "is larger than 2^63 - 1 bytes";
	if (inode->type != KATAIMG_LNK)
		return NULL;
	if (!inode->target || inode->size == 0)
		return "is a symbolic link to nothing";
	return memchr(inode->target, 0, inode->size) ? "is a symbolic link with a NUL in it" : NULL;
}

static void set_attributes(struct kataimg_node *node, const struct kataimg_inode *inode)
{
	node->mode = inode->mode;
	node->uid = inode->uid;
	node->gid = inode->gid;
	node->mtime_sec = inode->mtime_sec;
	node->mtime_nsec = inode->mtime_nsec;
	if (inode->type == KATAIMG_REG)
		node->size = inode->size;
	if (inode->type == KATAIMG_CHR || inode->type == KATAIMG_BLK) {
		node->rdev_major = inode->rdev_major;
		node->rdev_minor = inode->rdev_minor;
	}
}

static int add_inode(struct kataimg_sink_ctx *sink, const struct kataimg_inode *inode)
{
	struct found *found = sink->found;
	struct found_inode *added = array_add(&found->inodes);
	struct tree_node *node = added ? tree_add_node(found->tree, inode->type) : NULL;

	if (!node)
		return nomem(sink);
	*added = (struct found_inode){ .id = inode->id, .node = node, .nlink = inode->nlink };
	set_attributes(&node->pub, inode);
	meter_count(1);
	if (inode->type != KATAIMG_LNK)
		return 0;
	if (tree_set_target(found->tree, node, inode->target, inode->size) < 0)
		return nomem(sink);
	return spend(sink, inode->size);
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

static int add_xattr(struct kataimg_sink_ctx *sink, uint64_t id, const struct kataimg_xattr *xattr)
{
	struct found *found = sink->found;
	struct found_xattr *added = array_add(&found->xattrs);
	struct arena *arena = tree_arena(found->tree);

	if (!added)
		return nomem(sink);
	added->id = id;
	added->xattr = (struct kataimg_xattr){
		.name = arena_text(arena, xattr->name, xattr->name_len),
		.value = arena_text(arena, xattr->value, xattr->value_len),
		.name_len = xattr->name_len,
		.value_len = xattr->value_len,
	};
	if (!added->xattr.name || !added->xattr.value)
		return nomem(sink);
	return spend(sink, 2 * sizeof(*added) + xattr->name_len + xattr->value_len);
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
	struct found_entry *added = array_add(&found->entries);
	const char *copy = added ? arena_text(tree_arena(found->tree), name, len) : NULL;

	if (!copy)
		return nomem(sink);
	*added = (struct found_entry){ dir, id, copy, (uint32_t)len };
	return spend(sink, sizeof(*added) + sizeof(struct kataimg_entry) + len);
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

static int add_range(struct kataimg_sink_ctx *sink, const struct found_range *range)
{
	struct found *found = sink->found;
	size_t count = found->ranges.count;
	struct found_range *added;

	if (count > 0 && follows(&found->ranges.items[count - 1], range)) {
		found->ranges.items[count - 1].len += range->len;
		return 0;
	}
	added = array_add(&found->ranges);
	if (!added)
		return nomem(sink);
	*added = *range;
	return spend(sink, 2 * sizeof(*added));
}

static int report_range(struct kataimg_sink_ctx *sink, const struct found_range *range)
{
	uint64_t window = sink->found->window_bytes, end;
	int ret = range->len ? enter(sink) : 0;

	if (ret < 0 || range->len == 0)
		return ret;
	if (checked_add(range->file_off, range->len, &end) < 0 ||
	    (!range->decoded && !range_within(range->place, range->len, window)))
		ret = refuse(sink, EUCLEAN,
			     "inode %" PRIu64 " has data outside the filesystem: %" PRIu64
			     " bytes at %" PRIu64,
			     range->id, range->len, range->place);
	else
		ret = add_range(sink, range);
	return leave(sink, ret);
}

static int sink_range(struct kataimg_sink_ctx *sink, uint64_t id, uint64_t file_off, uint64_t len,
		      uint64_t off)
{
	return report_range(sink, &(struct found_range){ id, file_off, len, off, false });
}

static int sink_decoded(struct kataimg_sink_ctx *sink, uint64_t id, uint64_t file_off, uint64_t len,
			uint64_t cookie)
{
	return report_range(sink, &(struct found_range){ id, file_off, len, cookie, true });
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
	sink->error = (struct error)ERROR_INIT;
	return -error->code;
}
