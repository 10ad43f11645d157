/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/equal.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"

#define DIGEST_BYTES 32
#define READ_BYTES (UINT64_C(1) << 17)
#define NO_PIECE UINT64_MAX

/* A range whose length another one has too. */
struct candidate {
	uint32_t range; /* its number */
	uint32_t first; /* the candidate's number that it is equal to, its own when none */
	uint8_t digest[DIGEST_BYTES];
};

struct search {
	const struct erofs_source *source;
	struct erofs_range *ranges;
	ARRAY(struct candidate) candidates;
};

static const struct erofs_range *range_of(const struct search *search,
					  const struct candidate *candidate)
{
	return &search->ranges[candidate->range];
}

/* By length, digest (all zeros before there are any) and number. */
static int compare_candidates(const void *a, const void *b, void *arg)
{
	const struct candidate *x = a, *y = b;
	uint64_t x_len = range_of(arg, x)->len, y_len = range_of(arg, y)->len;
	int order = (x_len > y_len) - (x_len < y_len);

	if (!order)
		order = memcmp(x->digest, y->digest, sizeof(x->digest));
	return order ? order : (x->range > y->range) - (x->range < y->range);
}

static void sort_candidates(struct search *search)
{
	qsort_r(search->candidates.items, search->candidates.count,
		sizeof(*search->candidates.items), compare_candidates, search);
}

static int collect_ranges(struct search *search, size_t count)
{
	if (array_reserve(&search->candidates, count) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		search->ranges[i].first = (uint32_t)i;
		array_add(&search->candidates)->range = (uint32_t)i;
	}
	sort_candidates(search);
	return 0;
}

static bool same_len(const struct search *search, size_t a, size_t b)
{
	return b < search->candidates.count &&
	       range_of(search, &search->candidates.items[a])->len ==
		       range_of(search, &search->candidates.items[b])->len;
}

/* Of the sorted ranges leaves those that are not alone with their length. */
static void drop_single_lengths(struct search *search)
{
	size_t kept = 0;
	bool with_last = false;

	for (size_t i = 0; i < search->candidates.count; i++) {
		bool with_next = same_len(search, i, i + 1);

		/* Nothing above i was overwritten yet: kept never passes it. */
		if (with_last || with_next)
			search->candidates.items[kept++] = search->candidates.items[i];
		with_last = with_next;
	}
	search->candidates.count = kept;
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

/* Content is read in pieces at multiples of READ_BYTES from the range's start: the first one from
 * pos, a multiple, on that is not all hole. NO_PIECE: there is none. */
static uint64_t next_piece(const struct search *search, const struct erofs_range *range,
			   uint64_t pos)
{
	const struct kataimg_node *node = search->source->tree->nodes[range->node];
	uint32_t segment;
	uint64_t data;

	if (pos >= range->len)
		return NO_PIECE;
	segment = find_segment(node, range->off + pos);
	if (segment == node->segment_count)
		return NO_PIECE;
	data = node->segments[segment].file_off;
	if (data <= range->off + pos)
		return pos;
	data -= range->off;
	return data < range->len ? data / READ_BYTES * READ_BYTES : NO_PIECE;
}

static int read_piece(const struct search *search, const struct erofs_range *range, uint64_t pos,
		      uint8_t *buf, size_t *len)
{
	const struct kataimg_host *host = search->source->host;

	*len = range->len - pos < READ_BYTES ? (size_t)(range->len - pos) : READ_BYTES;
	return host->source_read(host->ctx, search->source->tree->nodes[range->node],
				 range->off + pos, buf, *len);
}

/* The pieces that are not all zeros with their places: so holes cost nothing, and make no
 * difference. */
static int digest_content(const struct search *search, const struct erofs_range *range,
			  EVP_MD_CTX *md, uint8_t *buf, uint8_t digest[DIGEST_BYTES])
{
	const struct kataimg_host *host = search->source->host;
	bool fine = EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	uint64_t pos = 0;

	while (fine && (pos = next_piece(search, range, pos)) != NO_PIECE) {
		le64 place = to_le64(pos);
		size_t len;
		int ret = read_piece(search, range, pos, buf, &len);

		if (ret < 0)
			return ret;
		if (!bytes_are_zero(buf, len))
			fine = EVP_DigestUpdate(md, &place, sizeof(place)) &&
			       EVP_DigestUpdate(md, buf, len);
		pos += READ_BYTES;
	}
	if (fine && EVP_DigestFinal_ex(md, digest, NULL))
		return 0;
	host->error(host->ctx, "SHA-256 failed");
	return -EIO;
}

DEFINE_CLEANUP(EVP_MD_CTX, EVP_MD_CTX_free)

static int digest_candidate(void *arg, uint64_t index)
{
	struct search *search = arg;
	struct candidate *candidate = &search->candidates.items[index];
	EVP_MD_CTX *md autocall(cleanup_EVP_MD_CTX_free) = EVP_MD_CTX_new();
	autofree uint8_t *buf = malloc(READ_BYTES);

	if (!md || !buf)
		return -ENOMEM;
	return digest_content(search, range_of(search, candidate), md, buf, candidate->digest);
}

/* Of the candidates, sorted again, those with the first one's length and digest belong to it. */
static void find_firsts(struct search *search)
{
	sort_candidates(search);
	for (size_t i = 0; i < search->candidates.count; i++) {
		struct candidate *candidate = &search->candidates.items[i];
		const struct candidate *last = i ? candidate - 1 : candidate;

		candidate->first = (uint32_t)i;
		if (i && same_len(search, i - 1, i) &&
		    !memcmp(last->digest, candidate->digest, sizeof(last->digest)))
			candidate->first = last->first;
	}
}

static uint64_t next_piece_of_both(const struct search *search, const struct erofs_range *a,
				   const struct erofs_range *b, uint64_t pos)
{
	uint64_t next_a = next_piece(search, a, pos), next_b = next_piece(search, b, pos);

	return next_a < next_b ? next_a : next_b;
}

/* buf holds two pieces. */
static int compare_content(const struct search *search, const struct erofs_range *a,
			   const struct erofs_range *b, uint8_t *buf, bool *equal)
{
	uint64_t pos = 0;

	*equal = true;
	while (*equal && (pos = next_piece_of_both(search, a, b, pos)) != NO_PIECE) {
		size_t len;
		int ret = read_piece(search, a, pos, buf, &len);

		if (ret < 0)
			return ret;
		ret = read_piece(search, b, pos, buf + READ_BYTES, &len);
		if (ret < 0)
			return ret;
		*equal = memcmp(buf, buf + READ_BYTES, len) == 0;
		pos += READ_BYTES;
	}
	return 0;
}

/* A candidate whose digest equals another's, but whose bytes do not, stands by itself. */
static int confirm_candidate(void *arg, uint64_t index)
{
	struct search *search = arg;
	struct candidate *candidate = &search->candidates.items[index];
	const struct candidate *first = &search->candidates.items[candidate->first];
	autofree uint8_t *buf = NULL;
	bool equal;
	int ret;

	if (candidate->first == index)
		return 0;
	buf = malloc(2 * READ_BYTES);
	if (!buf)
		return -ENOMEM;
	ret = compare_content(search, range_of(search, first), range_of(search, candidate), buf,
			      &equal);
	if (ret == 0 && equal)
		search->ranges[candidate->range].first = first->range;
	return ret;
}

static int find_equal(struct search *search, size_t count)
{
	const struct kataimg_host *host = search->source->host;
	int ret = collect_ranges(search, count);

	if (ret < 0)
		return ret;
	drop_single_lengths(search);
	ret = host->parallel(host->ctx, search->candidates.count, digest_candidate, search);
	if (ret < 0)
		return ret;
	find_firsts(search);
	return host->parallel(host->ctx, search->candidates.count, confirm_candidate, search);
}

int erofs_equal_find(const struct erofs_source *source, struct erofs_range *ranges, size_t count)
{
	struct search search = { .source = source, .ranges = ranges };
	int ret = find_equal(&search, count);

	array_free(&search.candidates);
	return ret;
}
