/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inspect/measured.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/io.h"
#include "core/inspect/findings.h"
#include "core/inspect/hashfile.h"
#include "lib/bytes.h"
#include "lib/checked.h"
#include "lib/hex.h"

#define SUPERBLOCK_MAGIC "verity\0" /* and its NUL: veritysetup without --no-superblock */

static struct measure_area area_of(int fd, const struct inspection *inspection)
{
	return (struct measure_area){
		.fd = fd,
		.data_off = inspection->partitions[0].start_bytes,
		.tree_off = inspection->partitions[1].start_bytes,
		.threads = 1,
	};
}

/* Has partition 2, in the image whole, room for the tree of partition 1? */
static bool has_room(const struct inspection *inspection)
{
	const struct partition *data = &inspection->partitions[0], *tree = &data[1];

	return data->len_bytes >= 2 * VERITY_BLOCK_BYTES &&
	       range_within(data->start_bytes, data->len_bytes, inspection->image_bytes) &&
	       range_within(tree->start_bytes, tree->len_bytes, inspection->image_bytes) &&
	       verity_tree_bytes(data->len_bytes) <= tree->len_bytes;
}

/* The block on top has so many digests, and then zeros. */
static bool looks_like_top(const uint8_t block[VERITY_BLOCK_BYTES],
			   const struct verity_layout *layout, uint64_t data_blocks)
{
	uint64_t count = layout->levels > 1 ? layout->blocks[layout->levels - 2] : data_blocks;
	size_t used = (size_t)count * DIGEST_BYTES;

	for (size_t i = 0; i < used; i += DIGEST_BYTES)
		if (bytes_are_zero(block + i, DIGEST_BYTES))
			return false;
	return bytes_are_zero(block + used, VERITY_BLOCK_BYTES - used);
}

static int look_at_top(int fd, struct inspection *inspection, struct error *error)
{
	uint64_t blocks = inspection->partitions[0].len_bytes / VERITY_BLOCK_BYTES;
	uint8_t top[VERITY_BLOCK_BYTES];
	struct verity_layout layout;
	int ret = io_pread(fd, top, sizeof(top), inspection->partitions[1].start_bytes);

	if (ret < 0)
		return error_errno(error, -ret, "cannot read partition 2");
	verity_layout(blocks, &layout);
	if (memcmp(top, SUPERBLOCK_MAGIC, sizeof(SUPERBLOCK_MAGIC)) == 0)
		ret = findings_add(&inspection->notes,
				   "partition 2 starts with a dm-verity superblock, which Kata's "
				   "guests do not expect; it was not checked: veritysetup verify "
				   "does");
	else if (looks_like_top(top, &layout, blocks))
		inspection->has_hash_tree = true;
	else if (layout.total_blocks * VERITY_BLOCK_BYTES == inspection->partitions[1].len_bytes)
		ret = findings_add(&inspection->notes,
				   "partition 2 has just the size of a hash tree of partition 1, "
				   "but does not begin like one");
	inspection->hash_tree.data_blocks = blocks;
	return ret < 0 ? error_nomem(error) : 0;
}

/* Is it a file of this image? One block says so. */
static int matches(int fd, const struct inspection *inspection, const struct hash_file *file,
		   bool *match, struct error *error)
{
	const struct measure_area area = area_of(fd, inspection);
	struct verity_params params = file->params;
	uint8_t root[DIGEST_BYTES];
	int ret;

	*match = false;
	if (params.data_blocks && params.data_blocks != inspection->hash_tree.data_blocks)
		return 0;
	params.data_blocks = inspection->hash_tree.data_blocks;
	ret = measure_root(&area, &params, root, error);
	*match = ret == 0 && memcmp(root, file->root, sizeof(root)) == 0;
	return ret;
}

static int find_file(int fd, const struct hash_files *files, struct inspection *inspection,
		     struct error *error)
{
	struct inspect_hash_tree *tree = &inspection->hash_tree;

	for (size_t i = 0; i < files->count && !tree->file; i++) {
		bool match;
		int ret = matches(fd, inspection, &files->files[i], &match, error);

		if (ret < 0)
			return ret;
		if (!match)
			continue;
		memcpy(tree->expected, files->files[i].root, sizeof(tree->expected));
		tree->file = strdup(files->files[i].path);
		if (!tree->file)
			return error_nomem(error);
	}
	if (files->count > 0 && !tree->file &&
	    findings_add(&inspection->notes,
			 "no root_hash*.txt beside the image belongs to its hash tree") < 0)
		return error_nomem(error);
	return 0;
}

int measured_find(int fd, const char *path, struct inspection *inspection, struct error *error)
{
	struct hash_files files = { 0 };
	int ret = has_room(inspection) ? look_at_top(fd, inspection, error) : 0;

	if (ret < 0 || !inspection->has_hash_tree)
		return ret;
	ret = hash_files_find(path, &files, error);
	if (ret == 0)
		ret = find_file(fd, &files, inspection, error);
	hash_files_free(&files);
	return ret;
}

/* The salt of the file beside the image that has this root hash. */
static int find_salt(const char *path, const uint8_t root[DIGEST_BYTES],
		     struct verity_params *params, struct error *error)
{
	struct hash_files files = { 0 };
	int ret = hash_files_find(path, &files, error);
	bool found = false;

	for (size_t i = 0; i < files.count && !found; i++) {
		found = memcmp(files.files[i].root, root, DIGEST_BYTES) == 0;
		if (found)
			*params = files.files[i].params;
	}
	hash_files_free(&files);
	return ret < 0 || found
		       ? ret
		       : error_usage(error,
				     "no root_hash*.txt beside %s has this root hash: give --salt",
				     path);
}

/* A file, if it is there; else what it must have been meant to be. */
static int read_named(const char *name, struct verity_params *params, uint8_t root[DIGEST_BYTES],
		      struct error *error)
{
	struct hash_file file __attribute__((cleanup(hash_file_free))) = { 0 };
	struct stat st;
	int ret;

	if (stat(name, &st) < 0 && errno == ENOENT && !strchr(name, '/') && !strstr(name, ".txt"))
		return error_usage(error,
				   "--root-hash %s: neither %d hexadecimal digits nor a file", name,
				   2 * DIGEST_BYTES);
	ret = hash_file_read(name, &file, error);
	*params = file.params;
	memcpy(root, file.root, DIGEST_BYTES);
	return ret;
}

static int parse_request(const struct measured_request *request, struct verity_params *params,
			 uint8_t root[DIGEST_BYTES], struct error *error)
{
	bool salted = true;
	int ret = verity_parse_line(request->root_hash, params, root, &salted);

	if (ret == -ENOMEM)
		return error_nomem(error);
	if (ret < 0)
		ret = read_named(request->root_hash, params, root, error);
	if (ret < 0)
		return ret;
	if (request->salt &&
	    hex_parse(request->salt, params->salt, sizeof(params->salt), &params->salt_len))
		return error_usage(error, "the salt %s is not hexadecimal of at most %d bytes",
				   request->salt, VERITY_SALT_MAX_BYTES);
	return request->salt || salted ? 0 : find_salt(request->path, root, params, error);
}

static int judge_blocks(struct inspection *inspection)
{
	const struct measure_findings *found = &inspection->hash_tree.findings;
	int ret = 0;

	if (found->tree.count)
		ret = findings_add(&inspection->problems,
				   "%" PRIu64 " block%s of the hash tree %s damaged, %sat byte "
				   "%" PRIu64 " of the image: the data below cannot be judged",
				   found->tree.count, found->tree.count == 1 ? "" : "s",
				   found->tree.count == 1 ? "is" : "are",
				   found->tree.count == 1 ? "" : "the first ",
				   found->tree.first_off);
	if (ret == 0 && found->data.count)
		ret = findings_add(&inspection->problems,
				   "%" PRIu64 " block%s of partition 1 %s not what was measured%s "
				   "block %" PRIu64 ", at byte %" PRIu64 " of the image",
				   found->data.count, found->data.count == 1 ? "" : "s",
				   found->data.count == 1 ? "is" : "are",
				   found->data.count == 1 ? ":" : ", the first is",
				   found->data.first, found->data.first_off);
	return ret;
}

/* No digest of the block on top is that of what is below it. */
static bool nothing_fits(const struct inspect_hash_tree *tree)
{
	struct verity_layout layout;

	verity_layout(tree->data_blocks, &layout);
	return layout.levels > 1 ? tree->findings.tree.count == layout.blocks[layout.levels - 2]
				 : tree->findings.data.count == tree->data_blocks;
}

/* The block on top is not the root hash's: it is damaged, or the root hash or salt is another. */
static int judge_root(struct inspection *inspection)
{
	const struct inspect_hash_tree *tree = &inspection->hash_tree;
	const struct measure_findings *found = &tree->findings;
	char is[2 * DIGEST_BYTES + 1], expected[2 * DIGEST_BYTES + 1];

	hex_format(found->root, DIGEST_BYTES, is);
	hex_format(tree->expected, DIGEST_BYTES, expected);
	if (found->tree.count == 0 && found->data.count == 0)
		return findings_add(
			&inspection->problems,
			"the hash tree is that of partition 1, but its root hash is %s, "
			"not %s",
			is, expected);
	if (nothing_fits(tree))
		return findings_add(&inspection->problems,
				    "partition 2 is not the hash tree of partition 1 with this "
				    "salt; its root hash would be %s, not %s",
				    is, expected);
	return findings_add(&inspection->problems,
			    "the hash tree's block on top, at byte %" PRIu64
			    " of the image, is damaged: its hash is %s, not the root hash %s",
			    inspection->partitions[1].start_bytes, is, expected);
}

static int judge(struct inspection *inspection)
{
	return inspection->hash_tree.findings.root_right ? judge_blocks(inspection)
							 : judge_root(inspection);
}

static int check(int fd, const struct measured_request *request, const struct verity_params *params,
		 struct inspection *inspection, struct error *error)
{
	struct inspect_hash_tree *tree = &inspection->hash_tree;
	struct measure_area area = area_of(fd, inspection);
	int ret;

	area.threads = request->threads;
	area.progress = request->progress;
	area.progress_arg = request->progress_arg;
	ret = measure_check(&area, params, tree->expected, &tree->findings, error);
	if (ret < 0)
		return ret;
	tree->checked = true;
	inspection->has_hash_tree = true;
	return judge(inspection) < 0 ? error_nomem(error) : 0;
}

int measured_check(int fd, const struct measured_request *request, struct inspection *inspection,
		   struct error *error)
{
	struct inspect_hash_tree *tree = &inspection->hash_tree;
	uint64_t blocks = inspection->partitions[0].len_bytes / VERITY_BLOCK_BYTES;
	struct verity_params params;
	int ret = parse_request(request, &params, tree->expected, error);

	if (ret < 0)
		return ret;
	if (!has_room(inspection))
		ret = findings_add(&inspection->problems,
				   "there is no partition 2 with room for the hash tree of "
				   "partition 1");
	else if (params.data_blocks && params.data_blocks != blocks)
		ret = findings_add(&inspection->problems,
				   "the root hash is that of %" PRIu64 " blocks, partition 1 has "
				   "%" PRIu64,
				   params.data_blocks, blocks);
	if (ret < 0)
		return error_nomem(error);
	if (!has_room(inspection) || (params.data_blocks && params.data_blocks != blocks))
		return 0;
	params.data_blocks = tree->data_blocks = blocks;
	return check(fd, request, &params, inspection, error);
}
