/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "lib/calloc64.h"
#include "lib/cleanup.h"

#define VALUE_BYTES 65536u
/* Longer than any that a system follows. */
#define TARGET_BYTES_MAX 65535u

static void close_reader(struct erofs_reader *reader)
{
	window_close(&reader->window);
	free(reader->seen);
	free(reader->prefixes);
	free(reader->value);
	array_free(&reader->dirs);
	array_free(&reader->packed.pieces);
	erofs_read_end(reader->decoder);
}

/* ---- One inode ---- */

static int emit_to_sink(struct erofs_reader *reader, void *arg, const struct erofs_piece *piece)
{
	const struct erofs_found_inode *inode = arg;
	const struct kataimg_sink *sink = reader->sink;

	if (piece->decoded)
		return sink->decoded(sink->ctx, inode->nid, piece->file_off, piece->len,
				     piece->place);
	return sink->range(sink->ctx, inode->nid, piece->file_off, piece->len, piece->place);
}

/* The target is to be freed. */
static int read_target(struct erofs_reader *reader, const struct erofs_found_inode *inode,
		       char **target)
{
	struct erofs_map map = { 0 };
	int ret;

	if (inode->size > TARGET_BYTES_MAX)
		return window_refuse(&reader->window,
				     "inode %" PRIu64 " is a symbolic link of %" PRIu64 " bytes",
				     inode->nid, inode->size);
	*target = malloc((size_t)inode->size + 1);
	ret = *target ? erofs_map_load(reader, inode, &map) : -ENOMEM;
	if (ret == 0)
		ret = erofs_map_read(reader, &map, 0, *target, (size_t)inode->size);
	array_free(&map.pieces);
	return ret;
}

static int report_inode(struct erofs_reader *reader, const struct erofs_found_inode *inode)
{
	autofree char *target = NULL;
	struct kataimg_inode report = { .struct_size = sizeof(report),
					.id = inode->nid,
					.mtime_sec = inode->mtime_sec,
					.mtime_nsec = inode->mtime_nsec,
					.uid = inode->uid,
					.gid = inode->gid,
					.mode = inode->mode & 07777,
					.type = inode->type,
					.nlink = inode->nlink };

	if (inode->type == KATAIMG_REG || inode->type == KATAIMG_LNK)
		report.size = inode->size;
	if (inode->type == KATAIMG_CHR || inode->type == KATAIMG_BLK)
		erofs_device_decode(inode->u, &report.rdev_major, &report.rdev_minor);
	if (inode->type == KATAIMG_LNK) {
		int ret = read_target(reader, inode, &target);

		if (ret < 0)
			return ret;
		report.target = target;
	}
	return reader->sink->inode(reader->sink->ctx, &report);
}

static int report_content(struct erofs_reader *reader, struct erofs_found_inode *inode)
{
	const struct erofs_emit emit = { emit_to_sink, inode };
	uint64_t *dir;

	if (inode->type == KATAIMG_REG)
		return erofs_reader_pieces(reader, inode, &emit);
	if (inode->type != KATAIMG_DIR)
		return 0;
	dir = array_add(&reader->dirs);
	if (!dir)
		return -ENOMEM;
	*dir = inode->nid;
	return 0;
}

/* ---- The walk ---- */

/* An entry names the inode, for the first time or again. */
static int find_inode(struct erofs_reader *reader, uint64_t nid)
{
	struct erofs_found_inode inode;
	int ret;

	if (nid < reader->nids && reader->seen[nid / 8] & 1u << nid % 8)
		return 0;
	ret = erofs_reader_inode(reader, nid, &inode);
	if (ret < 0)
		return ret;
	reader->seen[nid / 8] |= (uint8_t)(1u << nid % 8);
	ret = report_inode(reader, &inode);
	if (ret < 0)
		return ret;
	ret = erofs_reader_report_xattrs(reader, &inode);
	return ret < 0 ? ret : report_content(reader, &inode);
}

static int walk(struct erofs_reader *reader)
{
	uint64_t root = from_le16(reader->super.root_nid);
	int ret = reader->sink->root(reader->sink->ctx, root);

	if (ret == 0)
		ret = find_inode(reader, root);
	while (ret == 0 && reader->dirs.count > 0) {
		struct erofs_found_inode dir;

		ret = erofs_reader_inode(reader, reader->dirs.items[--reader->dirs.count], &dir);
		if (ret == 0)
			ret = erofs_reader_dir(reader, &dir, find_inode);
	}
	return ret;
}

/* ---- What the walk needs ---- */

static int load_packed(struct erofs_reader *reader)
{
	uint64_t nid = from_le64(reader->super.packed_nid);
	struct erofs_found_inode inode;
	int ret;

	if (!(from_le32(reader->super.feature_incompat) & EROFS_INCOMPAT_FRAGMENTS) || nid == 0)
		return 0;
	ret = erofs_reader_inode(reader, nid, &inode);
	if (ret < 0)
		return ret;
	ret = erofs_map_load(reader, &inode, &reader->packed);
	/* Set at the end, so that while the packed inode is read there is none, and its own
	 * fragments are refused. */
	reader->packed_bytes = inode.size;
	return ret;
}

static int open_reader(struct erofs_reader *reader)
{
	uint64_t end;
	int ret;

	reader->value = malloc(VALUE_BYTES);
	if (!reader->value || window_open(&reader->window) < 0)
		return -ENOMEM;
	ret = erofs_reader_open_super(reader);
	if (ret < 0)
		return ret;
	end = reader->window.bytes > reader->meta_off ? reader->window.bytes - reader->meta_off : 0;
	reader->nids = end / EROFS_SLOT_BYTES;
	reader->seen = calloc64(reader->nids / 8 + 1, 1);
	reader->decoder = erofs_decoder_new(reader->window.host, reader->window.bytes,
					    from_le32(reader->super.feature_incompat) &
						    EROFS_INCOMPAT_ZERO_PADDING);
	if (!reader->seen || !reader->decoder)
		return -ENOMEM;
	ret = load_packed(reader);
	return ret < 0 ? ret : erofs_reader_load_prefixes(reader);
}

int erofs_read(const struct kataimg_host *host, uint64_t window_bytes,
	       const struct kataimg_sink *sink, void **state)
{
	struct erofs_reader reader = {
		.window = { .host = host, .bytes = window_bytes, .look_factor = EROFS_LOOK_FACTOR },
		.sink = sink
	};
	int ret = open_reader(&reader);

	ret = ret < 0 ? ret : walk(&reader);
	if (ret == 0)
		*state = steal_ptr(&reader.decoder);
	close_reader(&reader);
	return ret;
}
