/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical text of a tree: a line a node, in tree order,
 *
 *   TYPE MODE UID GID SECONDS NANOSECONDS LINKS MAJOR MINOR SIZE, then what the node lists:
 *   ' t' TARGET, ' x' NAME VALUE for each attribute, ' s' OFFSET LENGTH for each segment,
 *   ' e' NAME INDEX for each entry
 *
 * Numbers are decimal with a space in front, byte strings are "LENGTH:bytes": no text has two
 * readings, so two trees that differ have texts that differ.
 */
#include <errno.h>
#include <string.h>

#include "core/base/cancel.h"
#include "core/base/digest.h"
#include "core/tree/model.h"

#define BUFFER_BYTES 16384
#define NUMBER_BYTES_MAX 21 /* a sign and 20 digits */

struct text {
	struct digest *digest;
	int failure;
	size_t len;
	char buf[BUFFER_BYTES];
};

static void flush(struct text *text)
{
	if (text->failure == 0)
		text->failure = digest_update(text->digest, text->buf, text->len);
	text->len = 0;
}

static void put_bytes(struct text *text, const void *bytes, size_t len)
{
	if (len > BUFFER_BYTES - text->len)
		flush(text);
	if (len > BUFFER_BYTES) {
		if (text->failure == 0)
			text->failure = digest_update(text->digest, bytes, len);
		return;
	}
	memcpy(text->buf + text->len, bytes, len);
	text->len += len;
}

static void put_digits(struct text *text, char before, uint64_t number)
{
	char digits[NUMBER_BYTES_MAX], *at = digits + sizeof(digits);

	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	*--at = before;
	put_bytes(text, at, (size_t)(digits + sizeof(digits) - at));
}

static void put_number(struct text *text, uint64_t number)
{
	put_digits(text, ' ', number);
}

static void put_seconds(struct text *text, int64_t seconds)
{
	if (seconds < 0)
		put_digits(text, '-', -(uint64_t)seconds);
	else
		put_digits(text, '+', (uint64_t)seconds);
}

static void put_string(struct text *text, const void *bytes, size_t len)
{
	put_number(text, len);
	put_bytes(text, ":", 1);
	put_bytes(text, bytes, len);
}

static void put_lists(struct text *text, const struct kataimg_node *node)
{
	if (node->type == KATAIMG_LNK) {
		put_bytes(text, " t", 2);
		put_string(text, node->target, (size_t)node->size);
	}
	for (uint32_t i = 0; i < node->xattr_count; i++) {
		put_bytes(text, " x", 2);
		put_string(text, node->xattrs[i].name, node->xattrs[i].name_len);
		put_string(text, node->xattrs[i].value, node->xattrs[i].value_len);
	}
	for (uint32_t i = 0; i < node->segment_count; i++) {
		put_bytes(text, " s", 2);
		put_number(text, node->segments[i].file_off);
		put_number(text, node->segments[i].len);
	}
	for (uint32_t i = 0; i < node->entry_count; i++) {
		put_bytes(text, " e", 2);
		put_string(text, node->entries[i].name, node->entries[i].name_len);
		put_number(text, node->entries[i].node->index);
	}
}

static void put_node(struct text *text, const struct kataimg_node *node)
{
	put_number(text, node->type);
	put_number(text, node->mode);
	put_number(text, node->uid);
	put_number(text, node->gid);
	put_seconds(text, node->mtime_sec);
	put_number(text, node->mtime_nsec);
	put_number(text, node->nlink);
	put_number(text, node->rdev_major);
	put_number(text, node->rdev_minor);
	put_number(text, node->size);
	put_lists(text, node);
	put_bytes(text, "\n", 1);
}

int tree_digest(const struct tree *tree, struct digest *digest, struct error *error)
{
	struct text text = { .digest = digest };
	int ret;

	put_bytes(&text, "kataimg-tree-1\n", 15);
	for (uint64_t i = 0; i < tree->pub.node_count; i++) {
		ret = cancel_check(error);
		if (ret < 0)
			return ret;
		put_node(&text, tree->pub.nodes[i]);
	}
	flush(&text);
	return text.failure < 0 ? error_set(error, -text.failure, "SHA-256 failed") : 0;
}
