/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/dedupe.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"

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
	const struct erofs_source *source;
	struct erofs_inode *inodes;
	ARRAY(struct candidate) candidates;
};

static uint64_t candidate_size(const struct dedupe *dedupe, const struct candidate *candidate)
{
	return dedupe->inodes[candidate->node].size;
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
	qsort_r(dedupe->candidates.items, dedupe->candidates.count,
		sizeof(*dedupe->candidates.items), compare_candidates, dedupe);
}

static int collect_files(struct dedupe *dedupe)
{
	const struct kataimg_tree *tree = dedupe->source->tree;

	for (uint64_t i = 0; i < tree->node_count; i++) {
		const struct kataimg_node *node = tree->nodes[i];
		struct candidate *candidate;

		if (node->type != KATAIMG_REG || node->size == 0)
			continue;
		candidate = array_add(&dedupe->candidates);
		if (!candidate)
			return -ENOMEM;
		candidate->node = node->index;
	}
	sort_candidates(dedupe);
	return 0;
}

static bool same_size(const struct dedupe *dedupe, size_t a, size_t b)
{
	return b < dedupe->candidates.count &&
	       candidate_size(dedupe, &dedupe->candidates.items[a]) ==
		       candidate_size(dedupe, &dedupe->candidates.items[b]);
}

/* Of the sorted files leaves those that are not alone with their size. */
static void drop_single_sizes(struct dedupe *dedupe)
{
	size_t kept = 0;
	bool with_last = false;

	for (size_t i = 0; i < dedupe->candidates.count; i++) {
		bool with_next = same_size(dedupe, i, i + 1);

		/* Nothing above i was overwritten yet: kept never passes it. */
		if (with_last || with_next)
			dedupe->candidates.items[kept++] = dedupe->candidates.items[i];
		with_last = with_next;
	}
	dedupe->candidates.count = kept;
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

static int read_piece(const struct kataimg_host *host, const struct kataimg_node *node,
		      uint64_t off, uint8_t *buf, size_t *len)
{
	*len = node->size - off < READ_BYTES ? node->size - off : READ_BYTES;
	return host->source_read(host->ctx, node, off, buf, *len);
}

/* The pieces that are not all zeros with their places: so holes cost nothing, and make no
 * difference. */
static int digest_content(const struct kataimg_host *host, const struct kataimg_node *node,
			  EVP_MD_CTX *md, uint8_t *buf, uint8_t digest[DIGEST_BYTES])
{
	bool fine = EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	uint64_t off = 0;

	while (fine && (off = next_piece(node, off)) != NO_PIECE) {
		le64 place = to_le64(off);
		size_t len;
		int ret = read_piece(host, node, off, buf, &len);

		if (ret < 0)
			return ret;
		if (!bytes_are_zero(buf, len))
			fine = EVP_DigestUpdate(md, &place, sizeof(place)) &&
			       EVP_DigestUpdate(md, buf, len);
		off += READ_BYTES;
	}
	if (fine && EVP_DigestFinal_ex(md, digest, NULL))
		return 0;
	host->error(host->ctx, "SHA-256 failed");
	return -EIO;
}

DEFINE_CLEANUP(EVP_MD_CTX, EVP_MD_CTX_free)

static int digest_candidate(void *arg, uint64_t index)
{
	struct dedupe *dedupe = arg;
	struct candidate *candidate = &dedupe->candidates.items[index];
	EVP_MD_CTX *md autocall(cleanup_EVP_MD_CTX_free) = EVP_MD_CTX_new();
	autofree uint8_t *buf = malloc(READ_BYTES);

	if (!md || !buf)
		return -ENOMEM;
	return digest_content(dedupe->source->host, dedupe->source->tree->nodes[candidate->node],
			      md, buf, candidate->digest);
}

/* Of the candidates, sorted again, those with the first one's size and digest belong to it. */
static void find_firsts(struct dedupe *dedupe)
{
	sort_candidates(dedupe);
	for (size_t i = 0; i < dedupe->candidates.count; i++) {
		struct candidate *candidate = &dedupe->candidates.items[i];
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
static int compare_content(const struct kataimg_host *host, const struct kataimg_node *a,
			   const struct kataimg_node *b, uint8_t *buf, bool *equal)
{
	uint64_t off = 0;

	*equal = true;
	while (*equal && (off = next_piece_of_both(a, b, off)) != NO_PIECE) {
		size_t len;
		int ret = read_piece(host, a, off, buf, &len);

		if (ret < 0)
			return ret;
		ret = read_piece(host, b, off, buf + READ_BYTES, &len);
		if (ret < 0)
			return ret;
		*equal = memcmp(buf, buf + READ_BYTES, len) == 0;
		off += READ_BYTES;
	}
	return 0;
}

/* A candidate whose digest equals another's, but whose bytes do not, is stored by itself. */
static int confirm_candidate(void *arg, uint64_t index)
{
	struct dedupe *dedupe = arg;
	const struct kataimg_node *const *nodes = dedupe->source->tree->nodes;
	struct candidate *candidate = &dedupe->candidates.items[index];
	autofree uint8_t *buf = NULL;
	bool equal;
	int ret;

	if (candidate->first == index)
		return 0;
	buf = malloc(2 * READ_BYTES);
	if (!buf)
		return -ENOMEM;
	ret = compare_content(dedupe->source->host,
			      nodes[dedupe->candidates.items[candidate->first].node],
			      nodes[candidate->node], buf, &equal);
	if (ret == 0 && !equal)
		candidate->first = (uint32_t)index;
	return ret;
}

/* Copies that together fit a block are smaller beside their inodes than in one of their own. */
static bool is_better_packed(const struct erofs_source *source, const struct erofs_inode *owner)
{
	return source->options.data == EROFS_DATA_PACKED &&
	       owner->size <= EROFS_BLOCK_BYTES / owner->copies;
}

static void share(struct dedupe *dedupe)
{
	const struct candidate *candidates = dedupe->candidates.items;
	uint64_t node_count = dedupe->source->tree->node_count;
	struct erofs_inode *inodes = dedupe->inodes;

	for (size_t i = 0; i < dedupe->candidates.count; i++)
		inodes[candidates[i].node].owner = candidates[candidates[i].first].node;
	for (uint64_t i = 0; i < node_count; i++)
		if (inodes[i].owner != i)
			inodes[inodes[i].owner].copies++;
	for (uint64_t i = 0; i < node_count; i++)
		if (is_better_packed(dedupe->source, &inodes[inodes[i].owner]))
			inodes[i].owner = (uint32_t)i;
	for (uint64_t i = 0; i < node_count; i++)
		if (is_better_packed(dedupe->source, &inodes[i]))
			inodes[i].copies = 1;
}

static int find_equal(struct dedupe *dedupe)
{
	const struct kataimg_host *host = dedupe->source->host;
	int ret = collect_files(dedupe);

	if (ret < 0)
		return ret;
	drop_single_sizes(dedupe);
	ret = host->parallel(host->ctx, dedupe->candidates.count, digest_candidate, dedupe);
	if (ret < 0)
		return ret;
	find_firsts(dedupe);
	return host->parallel(host->ctx, dedupe->candidates.count, confirm_candidate, dedupe);
}

int erofs_dedupe_share(const struct erofs_source *source, struct erofs_inode *inodes)
{
	struct dedupe dedupe = { .source = source, .inodes = inodes };
	int ret = find_equal(&dedupe);

	if (ret == 0)
		share(&dedupe);
	array_free(&dedupe.candidates);
	return ret;
}

void erofs_dedupe_report(const struct erofs_source *source, const struct erofs_inode *inodes)
{
	const struct kataimg_host *host = source->host;
	uint64_t files = 0, blocks = 0;
	char text[32];

	for (uint64_t i = 0; i < source->tree->node_count; i++) {
		if (inodes[i].owner == i)
			continue;
		files++;
		blocks += inodes[i].blocks;
	}
	snprintf(text, sizeof(text), "%" PRIu64, files);
	host->fact(host->ctx, "deduplicated_files", text);
	snprintf(text, sizeof(text), "%" PRIu64, blocks * EROFS_BLOCK_BYTES);
	host->fact(host->ctx, "deduplicated_bytes", text);
}
