/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

/* Longer than any that a system follows. */
#define TARGET_BYTES_MAX 65535u
#define LOST_FOUND "lost+found"
/* mke2fs gives it 12 blocks or 16 KiB, or a block that is larger, and so do we; a directory without
 * entries has one of 4 KiB in our images. */
#define LOST_FOUND_BYTES_MIN 8192u

static void close_reader(struct ext4_reader *reader)
{
	window_close(&reader->window);
	free(reader->seen);
	free(reader->inode);
	free(reader->xattrs);
	free(reader->value);
	for (unsigned int i = 0; i < EXT4_EXTENT_DEPTH_MAX; i++)
		free(reader->levels[i]);
	array_free(&reader->dirs);
}

/* ---- One inode ---- */

static int report_piece(struct ext4_reader *reader, void *arg, const struct ext4_piece *piece)
{
	const struct ext4_found_inode *inode = arg;

	return reader->sink->range(reader->sink->ctx, inode->ino, piece->file_off, piece->len,
				   piece->off);
}

/* The target is to be freed. */
static int read_target(struct ext4_reader *reader, const struct ext4_found_inode *inode,
		       char **target)
{
	if (inode->size > TARGET_BYTES_MAX)
		return window_refuse(&reader->window,
				     "inode %u is a symbolic link of %" PRIu64 " bytes", inode->ino,
				     inode->size);
	*target = malloc((size_t)inode->size + 1);
	if (!*target)
		return -ENOMEM;
	if (!ext4_found_inode_is_fast_link(inode))
		return ext4_reader_content(reader, inode, *target, (size_t)inode->size);
	memcpy(*target, inode->block, (size_t)inode->size);
	return 0;
}

static int report_inode(struct ext4_reader *reader, const struct ext4_found_inode *inode)
{
	autofree char *target = NULL;
	struct kataimg_inode report = { .struct_size = sizeof(report),
					.id = inode->ino,
					.mtime_sec = inode->mtime_sec,
					.mtime_nsec = inode->mtime_nsec,
					.uid = inode->uid,
					.gid = inode->gid,
					.mode = inode->mode & 07777,
					.type = inode->type,
					.nlink = inode->links };

	/* So many subdirectories that they are no longer counted. */
	if (inode->type == KATAIMG_DIR && inode->links == 1)
		report.nlink = 0;
	else if (inode->ino == EXT4_ROOT_INO && reader->has_lost_found)
		report.nlink--;
	if (inode->type == KATAIMG_REG || inode->type == KATAIMG_LNK)
		report.size = inode->size;
	if (inode->type == KATAIMG_CHR || inode->type == KATAIMG_BLK)
		ext4_found_inode_device(inode, &report.rdev_major, &report.rdev_minor);
	if (inode->type == KATAIMG_LNK) {
		int ret = read_target(reader, inode, &target);

		if (ret < 0)
			return ret;
		report.target = target;
	}
	return reader->sink->inode(reader->sink->ctx, &report);
}

static int report_content(struct ext4_reader *reader, struct ext4_found_inode *inode)
{
	const struct ext4_emit emit = { report_piece, inode };
	uint32_t *dir;

	if (inode->type == KATAIMG_REG)
		return ext4_reader_pieces(reader, inode, &emit);
	if (inode->type != KATAIMG_DIR)
		return 0;
	dir = array_add(&reader->dirs);
	if (!dir)
		return -ENOMEM;
	*dir = inode->ino;
	return 0;
}

/* What has a name is a file, and none of the filesystem's own. */
static int check_named(const struct ext4_reader *reader, const struct ext4_found_inode *inode)
{
	if (inode->type == 0)
		return window_refuse(&reader->window, "inode %u is of no known type: mode 0%o",
				     inode->ino, inode->mode);
	if ((inode->ino < reader->first_ino && inode->ino != EXT4_ROOT_INO) ||
	    inode->flags & EXT4_INODE_EA)
		return window_refuse(&reader->window,
				     "inode %u, which is the filesystem's own, has a name",
				     inode->ino);
	if (inode->links == 0)
		return window_refuse(&reader->window, "inode %u, which is deleted, has a name",
				     inode->ino);
	if (inode->flags & EXT4_INODE_ENCRYPTED)
		return window_decline(
			&reader->window,
			"inode %u is encrypted: mount the filesystem and read what its key opens",
			inode->ino);
	return 0;
}

/* ---- The walk ---- */

/* An entry names the inode, for the first time or again. */
static int find_inode(struct ext4_reader *reader, uint32_t ino)
{
	struct ext4_found_inode inode;
	int ret;

	if (ino <= reader->inodes && reader->seen[ino / 8] & 1u << ino % 8)
		return 0;
	ret = ext4_reader_inode(reader, ino, &inode);
	if (ret < 0)
		return ret;
	ret = check_named(reader, &inode);
	if (ret < 0)
		return ret;
	reader->seen[ino / 8] |= (uint8_t)(1u << ino % 8);
	ret = report_inode(reader, &inode);
	if (ret < 0)
		return ret;
	ret = ext4_reader_report_xattrs(reader, &inode);
	return ret < 0 ? ret : report_content(reader, &inode);
}

static int count_entry(struct ext4_reader *reader, void *arg, const char *name, uint32_t name_len,
		       uint32_t ino)
{
	uint64_t *count = arg;

	(void)reader;
	(void)name;
	(void)name_len;
	(void)ino;
	++*count;
	return 0;
}

/*
 * The directory that every writable ext4 has for e2fsck, and no tree: it is given several blocks at
 * once, though there is nothing in it. 1: that is what it is.
 */
static int is_lost_found(struct ext4_reader *reader, uint32_t ino)
{
	uint64_t count = 0;
	const struct ext4_dir_visit visit = { count_entry, &count };
	struct ext4_found_inode inode;
	int ret = ext4_reader_inode(reader, ino, &inode);

	if (ret < 0)
		return ret;
	if (inode.type != KATAIMG_DIR || (inode.mode & 07777) != 0700 || inode.uid || inode.gid ||
	    inode.size < LOST_FOUND_BYTES_MIN)
		return 0;
	ret = ext4_reader_dir(reader, &inode, &visit);
	return ret < 0 ? ret : count == 0;
}

static bool is_lost_found_name(const char *name, uint32_t ino)
{
	return ino == EXT4_FIRST_INO && strcmp(name, LOST_FOUND) == 0;
}

static int note_lost_found(struct ext4_reader *reader, void *arg, const char *name,
			   uint32_t name_len, uint32_t ino)
{
	int ret = is_lost_found_name(name, ino) ? is_lost_found(reader, ino) : 0;

	(void)arg;
	(void)name_len;
	if (ret == 1)
		reader->has_lost_found = true;
	return ret < 0 ? ret : 0;
}

/* Before the root is reported, as it counts among its links. */
static int find_lost_found(struct ext4_reader *reader)
{
	const struct ext4_dir_visit visit = { note_lost_found, NULL };
	struct ext4_found_inode root;
	int ret = ext4_reader_inode(reader, EXT4_ROOT_INO, &root);

	if (ret < 0 || root.type != KATAIMG_DIR)
		return ret;
	return ext4_reader_dir(reader, &root, &visit);
}

static int report_entry(struct ext4_reader *reader, void *arg, const char *name, uint32_t name_len,
			uint32_t ino)
{
	const struct ext4_found_inode *dir = arg;
	int ret;

	if (reader->has_lost_found && dir->ino == EXT4_ROOT_INO && is_lost_found_name(name, ino))
		return 0;
	ret = reader->sink->entry(reader->sink->ctx, dir->ino, name, name_len, ino);
	return ret < 0 ? ret : find_inode(reader, ino);
}

static int walk(struct ext4_reader *reader)
{
	int ret = reader->sink->root(reader->sink->ctx, EXT4_ROOT_INO);

	if (ret < 0)
		return ret;
	ret = find_lost_found(reader);
	if (ret < 0)
		return ret;
	ret = find_inode(reader, EXT4_ROOT_INO);
	while (ret == 0 && reader->dirs.count > 0) {
		struct ext4_found_inode dir;
		const struct ext4_dir_visit visit = { report_entry, &dir };

		ret = ext4_reader_inode(reader, reader->dirs.items[--reader->dirs.count], &dir);
		if (ret == 0)
			ret = ext4_reader_dir(reader, &dir, &visit);
	}
	return ret;
}

/* ---- What the walk needs ---- */

static int open_buffers(struct ext4_reader *reader)
{
	reader->seen = calloc((size_t)reader->inodes / 8 + 1, 1);
	reader->inode = malloc(reader->inode_bytes);
	reader->xattrs = malloc(reader->block_bytes);
	reader->value = malloc((size_t)2 * EXT4_XATTR_VALUE_MAX);
	if (!reader->seen || !reader->inode || !reader->xattrs || !reader->value)
		return -ENOMEM;
	for (unsigned int i = 0; i < EXT4_EXTENT_DEPTH_MAX; i++) {
		reader->levels[i] = malloc(reader->block_bytes);
		if (!reader->levels[i])
			return -ENOMEM;
	}
	return 0;
}

static int open_reader(struct ext4_reader *reader)
{
	int ret = window_open(&reader->window);

	if (ret < 0)
		return ret;
	ret = ext4_reader_open_super(reader);
	return ret < 0 ? ret : open_buffers(reader);
}

int ext4_read(const struct kataimg_host *host, uint64_t window_bytes,
	      const struct kataimg_sink *sink, void **state)
{
	struct ext4_reader reader = {
		.window = { .host = host, .bytes = window_bytes, .look_factor = EXT4_LOOK_FACTOR },
		.sink = sink,
		.group = UINT64_MAX
	};
	int ret = open_reader(&reader);

	if (ret == 0)
		ret = walk(&reader);
	*state = NULL;
	close_reader(&reader);
	return ret;
}
