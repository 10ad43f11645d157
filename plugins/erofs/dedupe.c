/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/dedupe.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"

#define DIGEST_BYTES 32
#define READ_BYTES (UINT64_C(1) << 17)
#define NO_PIECE UINT64_MAX

/* A file whose size another one has too. */
struct candidate {
	uint32_t node;
	uint32_t first; /* the candidate's number that it is equal to, its own when none */
	uint8_t digest[DIGEST_BYTES];
};

struct dedupe {
	struct erofs *fs;
	struct candidate *candidates;
	size_t count;
};

static uint64_t candidate_size(const struct dedupe *dedupe, const struct candidate *candidate)
{
	return dedupe->fs->inodes[candidate->node].size;
}

/* By size, digest (all zeros before there are any) and place in the tree. */
static int compare_candidates(const void *a, const void *b, void *arg)
{
	const struct candidate *x = a, *y = b;
	uint64_t x_size = candidate_size(arg, x), y_size = candidate_size(arg, y);
	int order = (x_size > y_size) - (x_size < y_size);

	if (!order)
		order = memcmp(x->digest, y->digest, sizeof(x->digest));
	return order ? order : (x->node > y->node) - (x->node < y->node);
}

static void sort_candidates(struct dedupe *dedupe)
{
	qsort_r(dedupe->candidates, dedupe->count, sizeof(*dedupe->candidates), compare_candidates,
		dedupe);
}

static int collect_files(struct dedupe *dedupe)
{
	const struct erofs *fs = dedupe->fs;
	size_t capacity = 0;

	for (uint64_t i = 0; i < fs->tree->node_count; i++) {
		const struct kataimg_node *node = fs->tree->nodes[i];
		int err;

		if (node->type != KATAIMG_REG || !node->size)
			continue;
		err = erofs_grow(fs, &dedupe->candidates, &capacity, dedupe->count,
				 sizeof(*dedupe->candidates));
		if (err)
			return err;
		dedupe->candidates[dedupe->count++] = (struct candidate){ .node = node->index };
	}
	sort_candidates(dedupe);
	return 0;
}

static bool same_size(const struct dedupe *dedupe, size_t a, size_t b)
{
	return b < dedupe->count && candidate_size(dedupe, &dedupe->candidates[a]) ==
					    candidate_size(dedupe, &dedupe->candidates[b]);
}

/* Of the sorted files leaves those that are not alone with their size. */
static void drop_single_sizes(struct dedupe *dedupe)
{
	size_t kept = 0;
	bool with_last = false;

	for (size_t i = 0; i < dedupe->count; i++) {
		bool with_next = same_size(dedupe, i, i + 1);

		/* Nothing above i was overwritten yet: kept never passes it. */
		if (with_last || with_next)
			dedupe->candidates[kept++] = dedupe->candidates[i];
		with_last = with_next;
	}
	dedupe->count = kept;
}

/* The first segment that ends behind off, or segment_count. */
static uint32_t find_segment(const struct kataimg_node *node, uint64_t off)
{
	uint32_t low = 0, high = node->segment_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct kataimg_segment *segment = &node->segments[middle];

		if (segment->file_off + segment->len > off)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Content is read in pieces at multiples of READ_BYTES: the first one from off, a multiple, on
 * that is not all hole. NO_PIECE: there is none. */
static uint64_t next_piece(const struct kataimg_node *node, uint64_t off)
{
	uint32_t segment = find_segment(node, off);
	uint64_t data;

	if (segment == node->segment_count)
		return NO_PIECE;
	data = node->segments[segment].file_off;
	return data > off ? data / READ_BYTES * READ_BYTES : off;
}

static int read_piece(const struct erofs *fs, const struct kataimg_node *node, uint64_t off,
		      uint8_t *buf, size_t *len)
{
	*len = node->size - off < READ_BYTES ? node->size - off : READ_BYTES;
	return fs->host->source_read(fs->host->ctx, node, off, buf, *len);
}

/* The pieces that are not all zeros with their places: so holes cost nothing, and make no
 * difference. */
static int digest_content(const struct erofs *fs, const struct kataimg_node *node, EVP_MD_CTX *md,
			  uint8_t *buf, uint8_t digest[DIGEST_BYTES])
{
	bool fine = EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	uint64_t off = 0;

	while (fine && (off = next_piece(node, off)) != NO_PIECE) {
		le64 place = to_le64(off);
		size_t len;
		int err = read_piece(fs, node, off, buf, &len);

		if (err)
			return err;
		if (!bytes_are_zero(buf, len))
			fine = EVP_DigestUpdate(md, &place, sizeof(place)) &&
			       EVP_DigestUpdate(md, buf, len);
		off += READ_BYTES;
	}
	if (fine && EVP_DigestFinal_ex(md, digest, NULL))
		return 0;
	erofs_error(fs, "SHA-256 failed");
	return -EIO;
}

static int digest_candidate(void *arg, uint64_t index)
{
	struct dedupe *dedupe = arg;
	struct candidate *candidate = &dedupe->candidates[index];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t *buf = erofs_alloc(dedupe->fs, 1, READ_BYTES);
	int err = -ENOMEM;

	if (md && buf)
		err = digest_content(dedupe->fs, dedupe->fs->tree->nodes[candidate->node], md, buf,
				     candidate->digest);
	else if (buf)
		erofs_error(dedupe->fs, "out of memory");
	EVP_MD_CTX_free(md);
	free(buf);
	return err;
}

/* Of the candidates, sorted again, those with the first one's size and digest belong to it. */
static void find_firsts(struct dedupe *dedupe)
{
	sort_candidates(dedupe);
	for (size_t i = 0; i < dedupe->count; i++) {
		struct candidate *candidate = &dedupe->candidates[i];
		const struct candidate *last = i ? candidate - 1 : candidate;

		candidate->first = (uint32_t)i;
		if (i && same_size(dedupe, i - 1, i) &&
		    !memcmp(last->digest, candidate->digest, sizeof(last->digest)))
			candidate->first = last->first;
	}
}

static uint64_t next_piece_of_both(const struct kataimg_node *a, const struct kataimg_node *b,
				   uint64_t off)
{
	uint64_t next_a = next_piece(a, off), next_b = next_piece(b, off);

	return next_a < next_b ? next_a : next_b;
}

/* buf holds two pieces. */
static int compare_content(const struct erofs *fs, const struct kataimg_node *a,
			   const struct kataimg_node *b, uint8_t *buf, bool *equal)
{
	uint64_t off = 0;

	*equal = true;
	while (*equal && (off = next_piece_of_both(a, b, off)) != NO_PIECE) {
		size_t len;
		int err = read_piece(fs, a, off, buf, &len);

		if (!err)
			err = read_piece(fs, b, off, buf + READ_BYTES, &len);
		if (err)
			return err;
		*equal = !memcmp(buf, buf + READ_BYTES, len);
		off += READ_BYTES;
	}
	return 0;
}

/* A candidate that only has the digest of its first stands for itself. */
static int confirm_candidate(void *arg, uint64_t index)
{
	struct dedupe *dedupe = arg;
	const struct erofs *fs = dedupe->fs;
	struct candidate *candidate = &dedupe->candidates[index];
	uint8_t *buf;
	bool equal;
	int err;

	if (candidate->first == index)
		return 0;
	buf = erofs_alloc(fs, 2, READ_BYTES);
	if (!buf)
		return -ENOMEM;
	err = compare_content(fs, fs->tree->nodes[dedupe->candidates[candidate->first].node],
			      fs->tree->nodes[candidate->node], buf, &equal);
	if (!err && !equal)
		candidate->first = (uint32_t)index;
	free(buf);
	return err;
}

/* Copies that together fit a block are smaller beside their inodes than in one of their own. */
static bool is_better_packed(const struct erofs *fs, const struct erofs_inode *owner)
{
	return fs->options.data == EROFS_DATA_PACKED &&
	       owner->size <= EROFS_BLOCK_BYTES / owner->copies;
}

static void share(struct dedupe *dedupe)
{
	struct erofs *fs = dedupe->fs;

	for (size_t i = 0; i < dedupe->count; i++)
		fs->inodes[dedupe->candidates[i].node].owner =
			dedupe->candidates[dedupe->candidates[i].first].node;
	for (uint64_t i = 0; i < fs->tree->node_count; i++)
		if (fs->inodes[i].owner != i)
			fs->inodes[fs->inodes[i].owner].copies++;
	for (uint64_t i = 0; i < fs->tree->node_count; i++)
		if (is_better_packed(fs, erofs_owner(fs, &fs->inodes[i])))
			fs->inodes[i].owner = (uint32_t)i;
	for (uint64_t i = 0; i < fs->tree->node_count; i++)
		if (is_better_packed(fs, &fs->inodes[i]))
			fs->inodes[i].copies = 1;
}

int erofs_dedupe_plan(struct erofs *fs)
{
	const struct kataimg_host *host = fs->host;
	struct dedupe dedupe = { .fs = fs };
	int err = collect_files(&dedupe);

	drop_single_sizes(&dedupe);
	if (!err)
		err = host->parallel(host->ctx, dedupe.count, digest_candidate, &dedupe);
	if (!err) {
		find_firsts(&dedupe);
		err = host->parallel(host->ctx, dedupe.count, confirm_candidate, &dedupe);
	}
	if (!err)
		share(&dedupe);
	free(dedupe.candidates);
	return err;
}

void erofs_dedupe_report(const struct erofs *fs)
{
	uint64_t files = 0, blocks = 0;
	char text[32];

	for (uint64_t i = 0; i < fs->tree->node_count; i++) {
		if (fs->inodes[i].owner == i)
			continue;
		files++;
		blocks += fs->inodes[i].blocks;
	}
	snprintf(text, sizeof(text), "%" PRIu64, files);
	fs->host->fact(fs->host->ctx, "deduplicated_files", text);
	snprintf(text, sizeof(text), "%" PRIu64, blocks * EROFS_BLOCK_BYTES);
	fs->host->fact(fs->host->ctx, "deduplicated_bytes", text);
}
