/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inspect/hashplace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/io.h"
#include "core/inspect/findings.h"
#include "core/inspect/tables.h"
#include "core/measure/beside.h"
#include "lib/checked.h"
#include "lib/cleanup.h"
#include "lib/round.h"

/* A superblock behind a filesystem is looked for in pieces. */
#define SEARCH_BYTES (1u << 20)

const char *hash_tree_name(const struct inspect_hash_tree *tree, char name[HASH_TREE_NAME_BYTES])
{
	if (tree->place == HASH_PARTITION)
		snprintf(name, HASH_TREE_NAME_BYTES, "partition %u", tree->partition);
	else
		snprintf(name, HASH_TREE_NAME_BYTES, "%s",
			 tree->place == HASH_FILE ? tree->tree_file
						  : "what is behind the filesystem");
	return name;
}

/* ---- The places ---- */

/* Partition 2, if it is all in the image. */
static bool find_partition(const struct candidate *image, struct candidate *candidate)
{
	struct inspection *inspection = image->inspection;

	if (!tables_is_inside(inspection, &inspection->hash))
		return false;
	*candidate = *image;
	candidate->place = HASH_PARTITION;
	candidate->area = inspection->hash;
	inspection->hash_tree.partition = inspection->hash_partition;
	return true;
}

/* What of the root's place is behind so many bytes of data. */
static bool find_behind(const struct candidate *image, uint64_t data_bytes,
			struct candidate *candidate)
{
	const struct region *root = &image->inspection->root;

	if (data_bytes == 0 || data_bytes >= root->len_bytes)
		return false;
	*candidate = *image;
	candidate->place = HASH_APPEND;
	candidate->area =
		(struct region){ root->start_bytes + data_bytes, root->len_bytes - data_bytes };
	return true;
}

static int try_behind(const struct candidate *image, uint64_t data_bytes, struct error *error)
{
	struct candidate candidate;
	int ret;

	if (!find_behind(image, data_bytes, &candidate))
		return 0;
	ret = candidate_by_superblock(&candidate, error);
	return ret < 0 || candidate.inspection->has_hash_tree
		       ? ret
		       : candidate_by_file(&candidate, error);
}

/* The offset of the first page from off on that begins as a superblock of the data up to it does;
 * end: there is none. */
static int search_piece(const struct candidate *image, uint64_t *off, uint64_t end,
			struct error *error)
{
	const uint64_t start = image->inspection->root.start_bytes;
	autofree uint8_t *piece = malloc(SEARCH_BYTES);
	struct verity_params params;
	uint8_t uuid[16];
	const char *why;
	int ret = 0;

	while (piece && ret == 0 && *off < end) {
		size_t len = end - *off < SEARCH_BYTES ? (size_t)(end - *off) : SEARCH_BYTES;

		ret = io_pread(image->fd, piece, len, *off);
		for (size_t at = 0; ret == 0 && at + VERITY_SUPERBLOCK_BYTES <= len;
		     at += VERITY_BLOCK_BYTES)
			if (verity_superblock_decode(piece + at, &params, uuid, &why) == 0 &&
			    params.data_blocks * params.data_block_bytes == *off + at - start) {
				*off += at;
				return 0;
			}
		*off += len;
	}
	if (!piece)
		return error_nomem(error);
	return ret < 0 ? error_errno(error, -ret, "cannot look behind the filesystem") : 0;
}

/* Where something is written; holes have no superblock. */
static uint64_t skip_hole(int fd, uint64_t off, uint64_t end)
{
	off_t data = lseek(fd, (off_t)off, SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? end : off;
	data -= data % (off_t)VERITY_BLOCK_BYTES;
	return (uint64_t)data < off ? off : (uint64_t)data;
}

/* Nothing says how long the filesystem's window is, but a superblock. */
static int search_behind(const struct candidate *image, struct error *error)
{
	const struct inspection *inspection = image->inspection;
	const struct region *root = &inspection->root;
	uint64_t data_bytes = round_up(inspection->filesystem.size_bytes, VERITY_BLOCK_BYTES);
	uint64_t end = root->start_bytes + root->len_bytes, off;
	int ret;

	if (!inspection->has_filesystem || data_bytes >= root->len_bytes)
		return 0;
	off = skip_hole(image->fd, root->start_bytes + data_bytes, end);
	ret = off < end ? search_piece(image, &off, end, error) : 0;
	return ret < 0 || off >= end ? ret : try_behind(image, off - root->start_bytes, error);
}

static int find_appended(const struct candidate *image, struct error *error)
{
	struct inspection *inspection = image->inspection;
	int ret = 0;

	for (size_t i = 0; i < image->files->count && ret == 0 && !inspection->has_hash_tree; i++) {
		const struct verity_params *params = &image->files->files[i].params;
		uint64_t bytes;

		if (checked_mul(params->data_blocks, params->data_block_bytes, &bytes) == 0)
			ret = try_behind(image, bytes, error);
	}
	return ret < 0 || inspection->has_hash_tree ? ret : search_behind(image, error);
}

/* The file beside the image that is named as its tree's: 1, 0 when there is none, -errno. */
static int open_tree_file(const char *path, struct candidate *candidate, struct error *error)
{
	struct inspect_hash_tree *tree = &candidate->inspection->hash_tree;
	autoclose int fd = -1;
	struct stat st;

	free(tree->tree_file);
	tree->tree_file = beside_path(path, BESIDE_TREE);
	if (!tree->tree_file)
		return error_nomem(error);
	fd = open(tree->tree_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ENXIO))
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(error, errno, "cannot read the hash tree's file %s",
				   tree->tree_file);
	if (!S_ISREG(st.st_mode))
		return 0;
	candidate->place = HASH_FILE;
	candidate->fd = steal_fd(&fd);
	candidate->area = (struct region){ 0, (uint64_t)st.st_size };
	return 1;
}

/* Nobody has asked for it, and what is in the image can be told without. */
static int note_unread(struct inspection *inspection, struct error *error)
{
	int ret;

	if (error->code == ENOMEM)
		return -ENOMEM;
	ret = findings_add(&inspection->notes, "%s", error->message);
	error_clear(error);
	return ret < 0 ? error_nomem(error) : 0;
}

static int find_beside(const struct candidate *image, const char *path, struct error *error)
{
	struct candidate candidate = *image;
	int ret = open_tree_file(path, &candidate, error);

	if (ret <= 0)
		return ret < 0 ? note_unread(image->inspection, error) : 0;
	ret = candidate_try(&candidate, error);
	close(candidate.fd);
	return ret;
}

int hash_tree_find(int fd, const char *path, const struct hash_files *files,
		   struct inspection *inspection, struct error *error)
{
	const struct candidate image = { .fd = fd, .files = files, .inspection = inspection };
	struct candidate candidate;
	int ret = 0;

	if (find_partition(&image, &candidate))
		ret = candidate_try(&candidate, error);
	if (ret == 0 && !inspection->has_hash_tree)
		ret = find_appended(&image, error);
	if (ret == 0 && !inspection->has_hash_tree)
		ret = find_beside(&image, path, error);
	return ret;
}

/* ---- On request ---- */

static bool has_room(const struct candidate *candidate, struct verity_params *params)
{
	const uint64_t asked = params->data_blocks;

	if (asked == 0)
		params->data_blocks =
			candidate->inspection->root.len_bytes / params->data_block_bytes;
	if (candidate_fits(candidate, params)) {
		candidate_take(candidate, params, params->salt_len > 0);
		return true;
	}
	params->data_blocks = asked;
	return false;
}

int hash_tree_place(int fd, const char *path, struct verity_params *params,
		    struct inspection *inspection, bool *found, struct error *error)
{
	const struct candidate image = { .fd = fd, .inspection = inspection };
	struct candidate candidate;
	uint64_t bytes;
	int ret;

	*found = find_partition(&image, &candidate) && has_room(&candidate, params);
	if (!*found && checked_mul(params->data_blocks, params->data_block_bytes, &bytes) == 0)
		*found = find_behind(&image, bytes, &candidate) && has_room(&candidate, params);
	if (*found)
		return 0;
	candidate = image;
	ret = open_tree_file(path, &candidate, error);
	if (ret <= 0)
		return ret;
	*found = has_room(&candidate, params);
	close(candidate.fd);
	return 0;
}

int hash_tree_open(int fd, const struct inspection *inspection, struct measure_area *area,
		   int *tree_fd, struct error *error)
{
	const struct inspect_hash_tree *tree = &inspection->hash_tree;

	*tree_fd = -1;
	if (tree->place == HASH_FILE) {
		*tree_fd = open(tree->tree_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (*tree_fd < 0)
			return error_errno(error, errno, "cannot read the hash tree's file %s",
					   tree->tree_file);
	}
	*area = (struct measure_area){
		.data_fd = fd,
		.tree_fd = *tree_fd < 0 ? fd : *tree_fd,
		.data_off = inspection->root.start_bytes,
		.area_off = tree->area.start_bytes,
		.threads = 1,
	};
	return 0;
}
