/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inspect/measured.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/inspect/findings.h"
#include "core/inspect/hashfile.h"
#include "core/inspect/hashlabels.h"
#include "core/inspect/hashtree.h"
#include "core/inspect/signature.h"
#include "lib/checked.h"
#include "lib/cleanup.h"
#include "lib/hex.h"

/* ---- What is there ---- */

static int add_notes(const struct hash_files *files, struct inspection *inspection)
{
	const struct inspect_hash_tree *tree = &inspection->hash_tree;
	uint64_t bytes = tree->params.data_blocks * tree->params.data_block_bytes;
	char name[ROOT_NAME_BYTES];
	int ret = 0;

	if (files->count > 0 && !tree->file && !tree->labelled)
		ret = findings_add(&inspection->notes,
				   "no root_hash*.txt beside the image belongs to its hash tree");
	if (ret == 0 && tree->place != HASH_APPEND &&
	    inspection->root.len_bytes - bytes >= tree->params.data_block_bytes)
		ret = findings_add(&inspection->notes,
				   "the hash tree ends before the data: %" PRIu64 " bytes at the "
				   "end of %s are not measured",
				   inspection->root.len_bytes - bytes,
				   inspect_root_name(inspection, name));
	return ret;
}

int measured_find(int fd, const char *path, struct inspection *inspection, struct error *error)
{
	const struct region *root = &inspection->root;
	struct hash_files files __attribute__((cleanup(hash_files_free))) = { 0 };
	int ret;

	if (inspection->content.sentence || root->len_bytes == 0 ||
	    !range_within(root->start_bytes, root->len_bytes, inspection->image_bytes))
		return 0;
	ret = hash_files_find(path, &files, error);
	if (ret == 0)
		ret = hash_tree_find(fd, path, &files, inspection, error);
	if (ret == 0 && inspection->has_hash_tree)
		ret = hash_labels_judge(fd, inspection, error);
	if (ret == 0 && inspection->has_hash_tree)
		ret = signature_note(path, inspection, error);
	if (ret < 0 || !inspection->has_hash_tree)
		return ret;
	return add_notes(&files, inspection) < 0 ? error_nomem(error) : 0;
}

/* ---- What is asked ---- */

/* The root hash that somebody named, and how its tree is made as far as that is said. */
struct asked {
	struct verity_params params;
	uint8_t root[VERITY_DIGEST_MAX_BYTES];
	bool salted;
};

/* All that the file beside the image says that has this root hash. */
static int find_params(const char *path, struct asked *asked, struct error *error)
{
	struct hash_files files __attribute__((cleanup(hash_files_free))) = { 0 };
	const size_t len = verity_digest_bytes(asked->params.hash);
	int ret = hash_files_find(path, &files, error);

	for (size_t i = 0; ret == 0 && i < files.count && !asked->salted; i++) {
		const struct hash_file *file = &files.files[i];

		if (file->params.hash != asked->params.hash || memcmp(file->root, asked->root, len))
			continue;
		asked->params = file->params;
		asked->salted = true;
	}
	return ret;
}

/* A file, if it is there; else what it must have been meant to be. */
static int read_named(const char *name, struct asked *asked, struct error *error)
{
	struct hash_file file __attribute__((cleanup(hash_file_free))) = { 0 };
	struct stat st;
	int ret;

	if (stat(name, &st) < 0 && errno == ENOENT && !strchr(name, '/') && !strstr(name, ".txt"))
		return error_usage(error,
				   "--root-hash %s: neither %zu nor %zu hexadecimal digits nor a "
				   "file",
				   name, 2 * verity_digest_bytes(VERITY_SHA256),
				   2 * verity_digest_bytes(VERITY_SHA512));
	ret = hash_file_read(name, &file, error);
	asked->params = file.params;
	asked->salted = true;
	memcpy(asked->root, file.root, sizeof(asked->root));
	return ret;
}

static int parse_salt(const char *salt, struct asked *asked, struct error *error)
{
	struct verity_params *params = &asked->params;

	if (hex_parse(salt, params->salt, sizeof(params->salt), &params->salt_len) < 0)
		return error_usage(error, "the salt %s is not hexadecimal of at most %d bytes",
				   salt, VERITY_SALT_MAX_BYTES);
	asked->salted = true;
	return 0;
}

/* The image's own superblock says how its tree is made, but for what was said to be otherwise. */
static void take_superblock(const struct inspect_hash_tree *tree, struct asked *asked)
{
	struct verity_params params = tree->params;

	if (asked->salted) {
		memcpy(params.salt, asked->params.salt, sizeof(params.salt));
		params.salt_len = asked->params.salt_len;
	}
	params.hash = asked->params.hash;
	if (asked->params.data_blocks)
		params.data_blocks = asked->params.data_blocks;
	asked->params = params;
	asked->salted = true;
}

static int parse_request(const struct measured_request *request,
			 const struct inspection *inspection, struct asked *asked,
			 struct error *error)
{
	const struct inspect_hash_tree *tree = &inspection->hash_tree;
	int ret =
		verity_parse_line(request->root_hash, &asked->params, asked->root, &asked->salted);

	if (ret == -ENOMEM)
		return error_nomem(error);
	if (ret < 0)
		ret = read_named(request->root_hash, asked, error);
	if (ret == 0 && request->salt)
		ret = parse_salt(request->salt, asked, error);
	if (ret == 0 && inspection->has_hash_tree && tree->params.superblock)
		take_superblock(tree, asked);
	else if (ret == 0 && !asked->salted)
		ret = find_params(request->path, asked, error);
	if (ret < 0 || asked->salted)
		return ret;
	return error_usage(error, "no root_hash*.txt beside %s has this root hash: give --salt",
			   request->path);
}

/* ---- The verdict ---- */

/* "the image", or the file that the tree is in. */
static const char *holder(const struct inspect_hash_tree *tree)
{
	return tree->place == HASH_FILE ? tree->tree_file : "the image";
}

static int judge_tree_blocks(struct inspection *inspection)
{
	const struct inspect_hash_tree *tree = &inspection->hash_tree;
	const struct measure_wrong *wrong = &tree->findings.tree;
	bool one = wrong->count == 1;

	if (wrong->count == 0)
		return 0;
	return findings_add(&inspection->problems,
			    "%" PRIu64 " block%s of the hash tree %s damaged, %sat byte %" PRIu64
			    " of %s: the data below cannot be judged",
			    wrong->count, one ? "" : "s", one ? "is" : "are",
			    one ? "" : "the first ", wrong->first_off, holder(tree));
}

static int judge_data_blocks(struct inspection *inspection)
{
	const struct measure_wrong *wrong = &inspection->hash_tree.findings.data;
	bool one = wrong->count == 1;
	char name[ROOT_NAME_BYTES];

	if (wrong->count == 0)
		return 0;
	return findings_add(&inspection->problems,
			    "%" PRIu64 " block%s of %s %s not what was measured%s block %" PRIu64
			    ", at byte %" PRIu64 " of the image",
			    wrong->count, one ? "" : "s", inspect_root_name(inspection, name),
			    one ? "is" : "are", one ? ":" : ", the first is", wrong->first,
			    wrong->first_off);
}

/* No digest of the block on top is that of what is below it. */
static bool nothing_fits(const struct inspect_hash_tree *tree)
{
	struct verity_layout layout;

	verity_layout(&tree->params, &layout);
	return layout.levels > 1 ? tree->findings.tree.count == layout.blocks[layout.levels - 2]
				 : tree->findings.data.count == tree->params.data_blocks;
}

/* The block on top is not the root hash's: it is damaged, or the root hash or salt is another. */
static int judge_root(struct inspection *inspection)
{
	const struct inspect_hash_tree *tree = &inspection->hash_tree;
	const struct measure_findings *found = &tree->findings;
	const size_t len = verity_digest_bytes(tree->params.hash);
	char is[2 * VERITY_DIGEST_MAX_BYTES + 1], expected[2 * VERITY_DIGEST_MAX_BYTES + 1];
	char name[HASH_TREE_NAME_BYTES], root[ROOT_NAME_BYTES];

	hex_format(found->root, len, is);
	hex_format(tree->expected, len, expected);
	inspect_root_name(inspection, root);
	if (found->tree.count == 0 && found->data.count == 0)
		return findings_add(&inspection->problems,
				    "the hash tree is that of %s, but its root hash is %s, not %s",
				    root, is, expected);
	if (nothing_fits(tree))
		return findings_add(&inspection->problems,
				    "%s is not the hash tree of %s with this salt; its root hash "
				    "would be %s, not %s",
				    hash_tree_name(tree, name), root, is, expected);
	return findings_add(&inspection->problems,
			    "the hash tree's block on top, at byte %" PRIu64
			    " of %s, is damaged: its hash is %s, not the root hash %s",
			    tree->area.start_bytes + verity_tree_start(&tree->params), holder(tree),
			    is, expected);
}

static int judge(struct inspection *inspection)
{
	int ret;

	if (!inspection->hash_tree.findings.root_right)
		return judge_root(inspection);
	ret = judge_tree_blocks(inspection);
	return ret < 0 ? ret : judge_data_blocks(inspection);
}

static int check(int fd, const struct measured_request *request, struct inspection *inspection,
		 struct error *error)
{
	struct inspect_hash_tree *tree = &inspection->hash_tree;
	autoclose int tree_fd = -1;
	struct measure_area area;
	int ret = hash_tree_open(fd, inspection, &area, &tree_fd, error);

	if (ret < 0)
		return ret;
	area.threads = request->threads;
	area.progress = request->progress;
	area.progress_arg = request->progress_arg;
	ret = measure_check(&area, &tree->params, tree->expected, &tree->findings, error);
	if (ret < 0)
		return ret;
	tree->checked = true;
	return judge(inspection) < 0 ? error_nomem(error) : 0;
}

/* There is no tree as it was asked for, but perhaps one of another number of blocks. */
static int refuse_blocks(int fd, const char *path, const struct asked *asked,
			 struct inspection *inspection, struct error *error)
{
	struct verity_params params = asked->params;
	char name[ROOT_NAME_BYTES];
	bool found;
	int ret;

	params.data_blocks = 0;
	ret = hash_tree_place(fd, path, &params, inspection, &found, error);
	inspection->has_hash_tree = false;
	if (ret < 0)
		return ret;
	inspect_root_name(inspection, name);
	if (found && asked->params.data_blocks)
		ret = findings_add(&inspection->problems,
				   "the root hash is that of %" PRIu64 " blocks, %s has %" PRIu64,
				   asked->params.data_blocks, name, params.data_blocks);
	else
		ret = findings_add(&inspection->problems,
				   "there is no room for a hash tree of %s: neither in a "
				   "partition 2, nor behind the filesystem, nor in a file %s",
				   name, inspection->hash_tree.tree_file);
	return ret < 0 ? error_nomem(error) : 0;
}

/* Does the superblock speak of the very tree that was asked for? */
static int judge_superblock(const struct asked *asked, struct inspection *inspection, bool *same,
			    struct error *error)
{
	const struct verity_params *params = &inspection->hash_tree.params;
	int ret = 0;

	*same = false;
	if (asked->params.hash != params->hash)
		ret = findings_add(&inspection->problems,
				   "the root hash is one of %s, the hash tree is made of %s",
				   verity_hash_names[asked->params.hash],
				   verity_hash_names[params->hash]);
	else if (asked->params.data_blocks != params->data_blocks)
		ret = findings_add(&inspection->problems,
				   "the root hash is that of %" PRIu64 " blocks, the superblock "
				   "has %" PRIu64,
				   asked->params.data_blocks, params->data_blocks);
	else
		*same = true;
	return ret < 0 ? error_nomem(error) : 0;
}

int measured_check(int fd, const struct measured_request *request, struct inspection *inspection,
		   struct error *error)
{
	struct inspect_hash_tree *tree = &inspection->hash_tree;
	struct asked asked = { 0 };
	bool usable;
	int ret = parse_request(request, inspection, &asked, error);

	if (ret < 0)
		return ret;
	if (inspection->has_hash_tree && tree->params.superblock) {
		ret = judge_superblock(&asked, inspection, &usable, error);
	} else {
		ret = hash_tree_place(fd, request->path, &asked.params, inspection, &usable, error);
		if (ret == 0 && !usable)
			ret = refuse_blocks(fd, request->path, &asked, inspection, error);
	}
	if (ret < 0 || !usable)
		return ret;
	tree->params = asked.params;
	tree->salted = true;
	memcpy(tree->expected, asked.root, sizeof(tree->expected));
	return check(fd, request, inspection, error);
}
