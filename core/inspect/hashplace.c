/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inspect/hashplace.h"

#include <string.h>

#include "core/base/io.h"
#include "core/inspect/findings.h"
#include "core/inspect/tables.h"
#include "lib/bytes.h"
#include "lib/checked.h"

static struct measure_area area_of(const struct candidate *candidate)
{
	return (struct measure_area){ .tree_fd = candidate->fd,
				      .area_off = candidate->area.start_bytes,
				      .threads = 1 };
}

bool candidate_fits(const struct candidate *candidate, const struct verity_params *params)
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

void candidate_take(const struct candidate *candidate, const struct verity_params *params,
		    bool salted)
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
	if (!candidate_fits(candidate, params))
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

int candidate_by_superblock(const struct candidate *candidate, struct error *error)
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
	if (ret == 0 && candidate_fits(candidate, &params)) {
		candidate_take(candidate, &params, true);
		return find_file(candidate, error);
	}
	inspection->hash_tree.place = candidate->place;
	return findings_add(&inspection->notes,
			    "%s starts with a dm-verity superblock that was not checked: %s",
			    hash_tree_name(&inspection->hash_tree, name), why) < 0
		       ? error_nomem(error)
		       : 0;
}

int candidate_by_file(const struct candidate *candidate, struct error *error)
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
		candidate_take(candidate, &params, true);
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
	if (!candidate_fits(candidate, &params))
		return 0;
	ret = io_pread(candidate->fd, top, sizeof(top), candidate->area.start_bytes);
	if (ret < 0)
		return error_errno(error, -ret, "cannot read the hash tree");
	if (looks_like_top(top, &params))
		candidate_take(candidate, &params, false);
	else if (verity_used_bytes(&params) == candidate->area.len_bytes)
		ret = findings_add(&inspection->notes,
				   "%s has just the size of a hash tree of %s, but does not begin "
				   "like one",
				   hash_tree_name(&inspection->hash_tree, name),
				   inspect_root_name(inspection, root));
	return ret < 0 ? error_nomem(error) : 0;
}

int candidate_try(const struct candidate *candidate, struct error *error)
{
	int (*const ways[])(const struct candidate *, struct error *) = { candidate_by_superblock,
									  candidate_by_file,
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
