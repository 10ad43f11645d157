/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/xattr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/acl.h"
#include "lib/array.h"
#include "lib/hashtable.h"
#include "lib/round.h"

#define NOT_SHARED UINT32_MAX

/* A distinct pair of name and value. */
struct pair {
	const struct kataimg_xattr *xattr;
	uint32_t uses;
	uint32_t shared_off; /* in the shared area, or NOT_SHARED */
};

struct erofs_xattrs {
	ARRAY(struct pair) pairs; /* in order of first use */
	struct hashtable by_hash; /* their numbers */
	uint32_t hash_start;
	uint64_t shared_bytes;
};

static const struct {
	const char *text;
	uint8_t len;
	uint8_t prefix;
	bool whole; /* nothing follows */
} prefixes[] = {
	{ "user.", 5, EROFS_XATTR_USER, false },
	{ "trusted.", 8, EROFS_XATTR_TRUSTED, false },
	{ "security.", 9, EROFS_XATTR_SECURITY, false },
	{ ACL_ACCESS_NAME, 23, EROFS_XATTR_ACL_ACCESS, true },
	{ ACL_DEFAULT_NAME, 24, EROFS_XATTR_ACL_DEFAULT, true },
};

int erofs_xattr_split(const struct kataimg_xattr *xattr, uint8_t *prefix, const char **suffix,
		      uint32_t *suffix_len)
{
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		uint32_t len = prefixes[i].len;

		if (xattr->name_len < len || memcmp(xattr->name, prefixes[i].text, len) != 0)
			continue;
		if (prefixes[i].whole != (xattr->name_len == len))
			continue;
		*prefix = prefixes[i].prefix;
		*suffix = xattr->name + len;
		*suffix_len = xattr->name_len - len;
		return 0;
	}
	return -1;
}

static uint32_t entry_bytes(const struct kataimg_xattr *xattr)
{
	const char *suffix = "";
	uint32_t suffix_len = 0;
	uint8_t prefix;

	erofs_xattr_split(xattr, &prefix, &suffix, &suffix_len);
	return (uint32_t)round_up(
		sizeof(struct erofs_xattr_entry) + suffix_len + (uint64_t)xattr->value_len, 4);
}

uint64_t erofs_xattr_bytes_alone(const struct kataimg_node *node)
{
	uint64_t bytes = sizeof(struct erofs_xattr_header);

	for (uint32_t i = 0; i < node->xattr_count; i++)
		bytes += entry_bytes(&node->xattrs[i]);
	return node->xattr_count ? bytes : 0;
}

static uint32_t hash_xattr(const struct erofs_xattrs *xattrs, const struct kataimg_xattr *xattr)
{
	uint32_t hash = hash_bytes(xattrs->hash_start, xattr->name, xattr->name_len);

	return hash_bytes(hash, xattr->value, xattr->value_len);
}

static bool xattr_equal(const struct kataimg_xattr *a, const struct kataimg_xattr *b)
{
	return a->name_len == b->name_len && a->value_len == b->value_len &&
	       memcmp(a->name, b->name, a->name_len) == 0 &&
	       (!a->value_len || memcmp(a->value, b->value, a->value_len) == 0);
}

/* NULL: it was not counted yet. */
static struct pair *find_pair(const struct erofs_xattrs *xattrs, const struct kataimg_xattr *xattr)
{
	uint32_t hash = hash_xattr(xattrs, xattr), number;
	size_t step = 0;

	while (hashtable_next(&xattrs->by_hash, hash, &step, &number))
		if (xattr_equal(xattrs->pairs.items[number].xattr, xattr))
			return &xattrs->pairs.items[number];
	return NULL;
}

static int add_pair(struct erofs_xattrs *xattrs, const struct kataimg_xattr *xattr)
{
	struct pair *pair = array_add(&xattrs->pairs);

	if (!pair)
		return -ENOMEM;
	*pair = (struct pair){ .xattr = xattr, .uses = 1, .shared_off = NOT_SHARED };
	return hashtable_put(&xattrs->by_hash, hash_xattr(xattrs, xattr),
			     (uint32_t)(xattrs->pairs.count - 1));
}

static int count_xattr(struct erofs_xattrs *xattrs, const struct kataimg_xattr *xattr)
{
	struct pair *pair = find_pair(xattrs, xattr);

	if (!pair)
		return add_pair(xattrs, xattr);
	pair->uses++;
	return 0;
}

static int count_node(struct erofs_xattrs *xattrs, const struct kataimg_node *node)
{
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < node->xattr_count; i++)
		ret = count_xattr(xattrs, &node->xattrs[i]);
	return ret;
}

/* Sharing pays when one copy and an id for each use are smaller than a copy for each use. */
static void choose_shared(struct erofs_xattrs *xattrs)
{
	for (size_t i = 0; i < xattrs->pairs.count; i++) {
		struct pair *pair = &xattrs->pairs.items[i];
		uint64_t bytes = entry_bytes(pair->xattr);

		if (bytes + 4 * (uint64_t)pair->uses >= bytes * pair->uses ||
		    xattrs->shared_bytes + bytes >= NOT_SHARED)
			continue;
		pair->shared_off = (uint32_t)xattrs->shared_bytes;
		xattrs->shared_bytes += bytes;
	}
}

int erofs_xattrs_make(const struct erofs_source *source, struct erofs_xattrs **made)
{
	struct erofs_xattrs *xattrs = calloc(1, sizeof(*xattrs));
	int ret = 0;

	*made = xattrs;
	if (!xattrs)
		return -ENOMEM;
	/* From the seed, which depends on all attributes: none can be chosen so that their hashes
	 * are equal. */
	memcpy(&xattrs->hash_start, source->job->seed, sizeof(xattrs->hash_start));
	for (uint64_t i = 0; ret == 0 && i < source->tree->node_count; i++)
		ret = count_node(xattrs, source->tree->nodes[i]);
	choose_shared(xattrs);
	return ret;
}

void erofs_xattrs_free(struct erofs_xattrs *xattrs)
{
	if (!xattrs)
		return;
	array_free(&xattrs->pairs);
	hashtable_free(&xattrs->by_hash);
	free(xattrs);
}

static uint32_t shared_off_of(const struct erofs_xattrs *xattrs, const struct kataimg_xattr *xattr)
{
	return find_pair(xattrs, xattr)->shared_off;
}

/* How many ids the node's list holds: its first shared pairs, as many as the count can say. */
static uint32_t count_shared(const struct erofs_xattrs *xattrs, const struct kataimg_node *node)
{
	uint32_t shared = 0;

	for (uint32_t i = 0; i < node->xattr_count && shared < EROFS_XATTR_SHARED_MAX; i++)
		shared += shared_off_of(xattrs, &node->xattrs[i]) != NOT_SHARED;
	return shared;
}

uint32_t erofs_xattrs_node_bytes(const struct erofs_xattrs *xattrs, const struct kataimg_node *node)
{
	uint32_t bytes = sizeof(struct erofs_xattr_header);
	uint32_t shared = 0;

	for (uint32_t i = 0; i < node->xattr_count; i++) {
		if (shared < EROFS_XATTR_SHARED_MAX &&
		    shared_off_of(xattrs, &node->xattrs[i]) != NOT_SHARED) {
			shared++;
			bytes += 4;
		} else {
			bytes += entry_bytes(&node->xattrs[i]);
		}
	}
	return node->xattr_count ? bytes : 0;
}

static uint8_t *encode_entry(const struct kataimg_xattr *xattr, uint8_t *out)
{
	struct erofs_xattr_entry entry = { .value_len = to_le16((uint16_t)xattr->value_len) };
	uint32_t bytes = entry_bytes(xattr);
	const char *suffix = "";
	uint32_t suffix_len = 0;

	erofs_xattr_split(xattr, &entry.prefix, &suffix, &suffix_len);
	entry.name_len = (uint8_t)suffix_len;
	memset(out, 0, bytes);
	memcpy(out, &entry, sizeof(entry));
	memcpy(out + sizeof(entry), suffix, suffix_len);
	if (xattr->value_len)
		memcpy(out + sizeof(entry) + suffix_len, xattr->value, xattr->value_len);
	return out + bytes;
}

void erofs_xattrs_encode_node(const struct erofs_xattrs *xattrs, const struct kataimg_node *node,
			      uint32_t first_id, uint8_t *out)
{
	struct erofs_xattr_header header = { .shared_count = 0 };
	uint32_t ids = count_shared(xattrs, node);
	uint8_t *entries = out + sizeof(header) + 4 * ids;

	for (uint32_t i = 0; i < node->xattr_count; i++) {
		uint32_t shared_off = shared_off_of(xattrs, &node->xattrs[i]);

		if (shared_off != NOT_SHARED && header.shared_count < ids) {
			le32 id = to_le32(first_id + shared_off / 4);

			memcpy(out + sizeof(header) + 4 * header.shared_count++, &id, sizeof(id));
		} else {
			entries = encode_entry(&node->xattrs[i], entries);
		}
	}
	memcpy(out, &header, sizeof(header));
}

uint64_t erofs_xattrs_shared_bytes(const struct erofs_xattrs *xattrs)
{
	return xattrs->shared_bytes;
}

void erofs_xattrs_encode_shared(const struct erofs_xattrs *xattrs, uint8_t *out)
{
	for (size_t i = 0; i < xattrs->pairs.count; i++)
		if (xattrs->pairs.items[i].shared_off != NOT_SHARED)
			encode_entry(xattrs->pairs.items[i].xattr,
				     out + xattrs->pairs.items[i].shared_off);
}
