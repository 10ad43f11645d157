/* SPDX-License-Identifier: Apache-2.0 */
/* Of a measured image: are hash tree and signature those that a build makes? */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/io.h"
#include "core/builder/attest.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"

/* A file that goes with the image, of just so many bytes. */
struct beside {
	const char *what;
	char *path; /* owned */
	int fd;     /* -1: it is not one of the build's; places say so */
};

static void close_beside(struct beside *beside)
{
	free(beside->path);
	if (beside->fd >= 0)
		close(beside->fd);
}

static void add_beside(struct attest *attest, const struct beside *beside, const char *how)
{
	char what[4096 + 128];

	snprintf(what, sizeof(what), "%s %s%s", beside->what, beside->path, how);
	attest_add_place(attest, ATTEST_NO_OFFSET, what);
}

static int open_beside(struct attest *attest, struct beside *beside, const char *given,
		       const char *suffix, uint64_t bytes, struct error *error)
{
	struct stat st;

	beside->path = build_beside_path(given, attest->path, suffix);
	if (!beside->path)
		return error_nomem(error);
	beside->fd = open(beside->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (beside->fd < 0 && errno == ENOENT) {
		add_beside(attest, beside, " is not there");
		return 0;
	}
	if (beside->fd < 0 || fstat(beside->fd, &st) < 0)
		return error_errno(error, errno, "cannot read %s %s", beside->what, beside->path);
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size == bytes)
		return 0;
	add_beside(attest, beside, " has another size");
	close(steal_fd(&beside->fd));
	return 0;
}

/* What lies in front of the tree. */
static int compare_superblock(struct attest *attest, const struct measure_area *area, bool *same,
			      struct error *error)
{
	const struct build *build = attest->build;
	uint8_t expected[VERITY_BLOCK_MAX_BYTES] = { 0 }, found[VERITY_BLOCK_MAX_BYTES];
	size_t len = (size_t)verity_tree_start(&build->verity);
	int ret;

	*same = true;
	if (len == 0)
		return 0;
	verity_superblock_encode(&build->verity, build->verity_uuid, expected);
	ret = io_pread(area->tree_fd, found, len, area->area_off);
	*same = ret == 0 && memcmp(found, expected, len) == 0;
	return ret < 0 ? error_errno(error, -ret, "cannot read the hash tree's superblock") : 0;
}

/* Nothing above the block on top says what is behind its digests. */
static int check_top(const struct build *build, const struct measure_area *area, bool *same,
		     struct error *error)
{
	const struct verity_params *params = &build->verity;
	size_t used = verity_top_bytes(params), len = params->hash_block_bytes - used;
	uint8_t rest[VERITY_BLOCK_MAX_BYTES];
	int ret = io_pread(area->tree_fd, rest, len,
			   area->area_off + verity_tree_start(params) + used);

	*same = ret == 0 && bytes_are_zero(rest, len);
	return ret < 0 ? error_errno(error, -ret, "cannot read the hash tree") : 0;
}

/* A hash tree whose blocks all are what the digests above them say is the one that a build makes.
 */
static int compare_tree(struct attest *attest, const struct measure_area *area, bool *same,
			uint64_t *off, struct error *error)
{
	struct build *build = attest->build;
	struct measure_findings findings;
	int ret = measure_root(area, &build->verity, build->root_hash, error);

	if (ret == 0)
		ret = measure_check(area, &build->verity, build->root_hash, &findings, error);
	if (ret == 0)
		ret = check_top(build, area, same, error);
	if (ret < 0)
		return ret;
	*off = findings.tree.count ? findings.tree.first_off
				   : area->area_off + verity_tree_start(&build->verity);
	/* Data that differs has been named, and the tree may well be the one that belongs to it. */
	*same = *same && !findings.tree.count &&
		!(findings.data.count && attest->places.count == 0);
	return 0;
}

static int compare_area(struct attest *attest, const struct beside *beside, struct error *error)
{
	const struct measure_area area = build_measure_area(attest->build, beside->fd);
	uint64_t off = area.area_off;
	bool same;
	int ret = compare_superblock(attest, &area, &same, error);

	if (ret == 0 && !same && beside->path)
		add_beside(attest, beside, ": its superblock");
	else if (ret == 0 && !same)
		attest_add_place(attest, off, "the hash tree's superblock");
	if (ret == 0)
		ret = compare_tree(attest, &area, &same, &off, error);
	if (ret == 0 && !same && beside->path)
		add_beside(attest, beside, "");
	else if (ret == 0 && !same)
		attest_add_place(attest, off, "the hash tree");
	return ret;
}

/* The file ends with the tree, but for what makes its size a multiple of 4096. */
static int compare_file_end(struct attest *attest, const struct beside *beside, struct error *error)
{
	uint64_t used = verity_used_bytes(&attest->build->verity);
	size_t len = (size_t)(build_hash_area_bytes(attest->build) - used);
	uint8_t rest[VERITY_BLOCK_MAX_BYTES];
	int ret = io_pread(beside->fd, rest, len, used);

	if (ret < 0)
		return error_errno(error, -ret, "cannot read %s", beside->path);
	if (!bytes_are_zero(rest, len))
		add_beside(attest, beside, ": what is behind it");
	return 0;
}

static int attest_tree_file(struct attest *attest, struct error *error)
{
	struct beside beside
		__attribute__((cleanup(close_beside))) = { "the hash tree's file", NULL, -1 };
	const struct build *build = attest->build;
	int ret = open_beside(attest, &beside, build->config->verity.tree_file, BESIDE_TREE,
			      build_hash_area_bytes(build), error);

	if (ret < 0 || beside.fd < 0)
		return ret;
	ret = compare_area(attest, &beside, error);
	return ret < 0 ? ret : compare_file_end(attest, &beside, error);
}

int attest_hash_tree(struct attest *attest, struct error *error)
{
	const struct beside inside = { NULL, NULL, -1 };
	struct build *build = attest->build;

	if (!build->config->verity.enabled)
		return 0;
	progress_stage(build->progress, "measure");
	if (build->config->verity.place == HASH_FILE)
		return attest_tree_file(attest, error);
	if (copy_add_written(attest->copy, build->geometry.hash.start_bytes,
			     verity_used_bytes(&build->verity)) < 0)
		return error_nomem(error);
	return compare_area(attest, &inside, error);
}

/* ---- The signature ---- */

static int compare_signature_file(struct attest *attest, struct error *error)
{
	struct beside beside __attribute__((cleanup(close_beside))) = { "the signature", NULL, -1 };
	const struct build *build = attest->build;
	const struct signature *signature = &build->signature;
	autofree uint8_t *found = malloc(signature->len);
	int ret = found ? open_beside(attest, &beside, build->config->verity.signature_file,
				      BESIDE_SIGNATURE, signature->len, error)
			: error_nomem(error);

	if (ret < 0 || beside.fd < 0)
		return ret;
	ret = io_pread(beside.fd, found, signature->len, 0);
	if (ret < 0)
		return error_errno(error, -ret, "cannot read the signature %s", beside.path);
	if (memcmp(found, signature->der, signature->len) != 0)
		add_beside(attest, &beside, "");
	return 0;
}

static int compare_signature_partition(struct attest *attest, struct error *error)
{
	const struct build *build = attest->build;
	const char *text = build->signature_text;
	uint64_t off = build->geometry.signature.start_bytes;
	autofree char *found = text ? malloc(strlen(text)) : NULL;
	int ret;

	if (!text)
		return 0;
	if (!found || copy_add_written(attest->copy, off, strlen(text)) < 0)
		return error_nomem(error);
	ret = io_pread(build->image_fd, found, strlen(text), off);
	if (ret < 0)
		return error_errno(error, -ret, "cannot read the signature's partition");
	if (memcmp(found, text, strlen(text)) != 0)
		attest_add_place(attest, off, "the root hash's signature");
	return 0;
}

int attest_signature(struct attest *attest, struct error *error)
{
	int ret = build_make_signature(attest->build, error);

	if (ret < 0 || !attest->build->signer)
		return ret;
	ret = compare_signature_file(attest, error);
	return ret < 0 ? ret : compare_signature_partition(attest, error);
}
