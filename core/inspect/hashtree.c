/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inspect/hashtree.h"

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
#include "lib/bytes.h"
#include "lib/checked.h"
#include "lib/cleanup.h"
#include "lib/round.h"

/* A superblock behind a filesystem is looked for in pieces. */
#define SEARCH_BYTES (1u << 20)

/* One place that a tree may be in. */
struct candidate {
	int fd;
	enum hash_place place;
	struct region area;
	const struct hash_files *files;
	struct inspection *inspection;
};

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

static struct measure_area area_of(const struct candidate *candidate)
{
	return (struct measure_area){ .tree_fd = candidate->fd,
				      .area_off = candidate->area.start_bytes,
				      .threads = 1 };
}

/* Is there as much data as the parameters say, and room for its tree? A tree behind the data
 * begins where they end. */
static bool fits(const struct candidate *candidate, const struct verity_params *params)
{
	const struct region *root = &candidate->inspection->root, *area = &candidate->area;
	uint64_t bytes, room = root->len_bytes;

	if (candidate->place == HASH_APPEND)
		room = area->start_bytes - root->start_bytes;
	if (params->data_blocks < 2 ||
	    checked_mul(params->data_blocks, params->data_block_bytes, &bytes) < 0 || bytes > room)
		return false;
	/* Only a superblock is believed that not all is measured. */
	if ((candidate->place == HASH_APPEND || !params->superblock) &&
	    room - bytes >= params->data_block_bytes)
		return false;
	return verity_used_bytes(params) <= area->len_bytes;
}

static void take(const struct candidate *candidate, const struct verity_params *params, bool salted)
{
	struct inspect_hash_tree *tree = &candidate->inspection->hash_tree;

	candidate->inspection->has_hash_tree = true;
	tree->place = candidate->place;
	tree->area = candidate->area;
	tree->params = *params;
	tree->salted = salted;
}

static int take_file(struct inspect_hash_tree *tree, const struct hash_file *file,
		     struct error *error)
{
	memcpy(tree->expected, file->root, sizeof(tree->expected));
	tree->file = strdup(file->path);
	return tree->file ? 0 : error_nomem(error);
}

/* Does the top of the tree have this file's root hash? */
static int matches(const struct candidate *candidate, const struct verity_params *params,
		   const struct hash_file *file, bool *match, struct error *error)
{
	const struct measure_area area = area_of(candidate);
	uint8_t root[VERITY_DIGEST_MAX_BYTES];
	int ret;

	*match = false;
	if (!fits(candidate, params))
		return 0;
	ret = measure_root(&area, params, root, error);
	*match = ret == 0 && memcmp(root, file->root, verity_digest_bytes(params->hash)) == 0;
	return ret;
}

/* A file's parameters for a place: what it does not say is what the place has. */
static struct verity_params file_params(const struct candidate *candidate,
					const struct hash_file *file)
{
	struct verity_params params = file->params;

	if (params.data_blocks == 0)
		params.data_blocks =
			candidate->inspection->root.len_bytes / params.data_block_bytes;
	return params;
}

/* ---- The three ways to know a tree ---- */

/* The root hash of a tree that is known. */
static int find_file(const struct candidate *candidate, struct error *error)
{
	struct inspect_hash_tree *tree = &candidate->inspection->hash_tree;

	for (size_t i = 0; i < candidate->files->count && !tree->file; i++) {
		const struct hash_file *file = &candidate->files->files[i];
		struct verity_params params = tree->params;
		bool match = false;
		int ret;

		/* The superblock says where and how; the salt is part of the digest. */
		if (file->params.hash != params.hash)
			continue;
		ret = matches(candidate, &params, file, &match, error);
		if (ret == 0 && match)
			ret = take_file(tree, file, error);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int by_superblock(const struct candidate *candidate, struct error *error)
{
	struct inspection *inspection = candidate->inspection;
	uint8_t bytes[VERITY_SUPERBLOCK_BYTES];
	struct verity_params params;
	char name[HASH_TREE_NAME_BYTES];
	const char *why = "it does not fit the filesystem";
	int ret;

	if (candidate->area.len_bytes < sizeof(bytes))
		return 0;
	ret = io_pread(candidate->fd, bytes, sizeof(bytes), candidate->area.start_bytes);
	if (ret < 0)
		return error_errno(error, -ret, "cannot read the hash tree");
	ret = verity_superblock_decode(bytes, &params, inspection->hash_tree.uuid, &why);
	if (ret == -ENODATA)
		return 0;
	if (ret == 0 && fits(candidate, &params)) {
		take(candidate, &params, true);
		return find_file(candidate, error);
	}
	inspection->hash_tree.place = candidate->place;
	return findings_add(&inspection->notes,
			    "%s starts with a dm-verity superblock that was not checked: %s",
			    hash_tree_name(&inspection->hash_tree, name), why) < 0
		       ? error_nomem(error)
		       : 0;
}

static int by_file(const struct candidate *candidate, struct error *error)
{
	for (size_t i = 0; i < candidate->files->count; i++) {
		const struct hash_file *file = &candidate->files->files[i];
		struct verity_params params = file_params(candidate, file);
		bool match;
		int ret = matches(candidate, &params, file, &match, error);

		if (ret < 0)
			return ret;
		if (!match)
			continue;
		take(candidate, &params, true);
		return take_file(&candidate->inspection->hash_tree, file, error);
	}
	return 0;
}

/* The block on top has so many digests, and then zeros. */
static bool looks_like_top(const uint8_t *block, const struct verity_params *params)
{
	const size_t digest_bytes = verity_digest_bytes(params->hash);
	const size_t used = verity_top_bytes(params);

	for (size_t i = 0; i < used; i += digest_bytes)
		if (bytes_are_zero(block + i, digest_bytes))
			return false;
	return bytes_are_zero(block + used, params->hash_block_bytes - used);
}

static int by_looks(const struct candidate *candidate, struct error *error)
{
	struct inspection *inspection = candidate->inspection;
	struct verity_params params = verity_default_params();
	uint8_t top[VERITY_BLOCK_BYTES];
	char name[HASH_TREE_NAME_BYTES], root[ROOT_NAME_BYTES];
	int ret;

	params.data_blocks = inspection->root.len_bytes / VERITY_BLOCK_BYTES;
	if (!fits(candidate, &params))
		return 0;
	ret = io_pread(candidate->fd, top, sizeof(top), candidate->area.start_bytes);
	if (ret < 0)
		return error_errno(error, -ret, "cannot read the hash tree");
	if (looks_like_top(top, &params))
		take(candidate, &params, false);
	else if (verity_used_bytes(&params) == candidate->area.len_bytes)
		ret = findings_add(&inspection->notes,
				   "%s has just the size of a hash tree of %s, but does not begin "
				   "like one",
				   hash_tree_name(&inspection->hash_tree, name),
				   inspect_root_name(inspection, root));
	return ret < 0 ? error_nomem(error) : 0;
}

/* ---- The places ---- */

static int try_place(const struct candidate *candidate, struct error *error)
{
	int (*const ways[])(const struct candidate *, struct error *) = { by_superblock, by_file,
									  by_looks };
	struct inspection *inspection = candidate->inspection;
	size_t notes = inspection->notes.count;
	int ret = 0;

	inspection->hash_tree.place = candidate->place;
	for (size_t i = 0; ret == 0 && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!inspection->has_hash_tree && inspection->notes.count == notes)
			ret = ways[i](candidate, error);
	return ret;
}

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
	ret = by_superblock(&candidate, error);
	return ret < 0 || candidate.inspection->has_hash_tree ? ret : by_file(&candidate, error);
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

/* The file beside the image that is named as its tree's; *fd -1: there is none. */
static int open_tree_file(const char *path, struct inspection *inspection,
			  struct candidate *candidate, struct error *error)
{
	struct inspect_hash_tree *tree = &inspection->hash_tree;
	struct stat st;

	free(tree->tree_file);
	tree->tree_file = beside_path(path, BESIDE_TREE);
	if (!tree->tree_file)
		return error_nomem(error);
	candidate->place = HASH_FILE;
	candidate->fd = open(tree->tree_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (candidate->fd < 0)
		return 0;
	if (fstat(candidate->fd, &st) < 0 || !S_ISREG(st.st_mode))
		close(steal_fd(&candidate->fd));
	else
		candidate->area = (struct region){ 0, (uint64_t)st.st_size };
	return 0;
}

static int find_beside(const struct candidate *image, const char *path, struct error *error)
{
	struct candidate candidate = *image;
	int ret = open_tree_file(path, image->inspection, &candidate, error);

	if (ret < 0 || candidate.fd < 0)
		return ret;
	ret = try_place(&candidate, error);
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
		ret = try_place(&candidate, error);
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
	if (fits(candidate, params)) {
		take(candidate, params, params->salt_len > 0);
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
	ret = open_tree_file(path, inspection, &candidate, error);
	if (ret < 0 || candidate.fd < 0)
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
