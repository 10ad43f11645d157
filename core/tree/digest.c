/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical text of a tree: a line a node in tree order, then its parts. Every text of the
 * source's choosing has its length in front, so that no two trees read the same.
 */
#include "core/base/digest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/tree/tree.h"

/* Small pieces are gathered: a call into the library for each would cost more than the hashing. */
struct sink {
	struct digest *digest;
	size_t len;
	int ret;
	char bytes[16384];
};

static void flush(struct sink *sink)
{
	if (sink->ret == 0)
		sink->ret = digest_update(sink->digest, sink->bytes, sink->len);
	sink->len = 0;
}

static void put(struct sink *sink, const void *bytes, size_t len)
{
	if (len > sizeof(sink->bytes) - sink->len)
		flush(sink);
	if (len > sizeof(sink->bytes)) {
		if (sink->ret == 0)
			sink->ret = digest_update(sink->digest, bytes, len);
		return;
	}
	memcpy(sink->bytes + sink->len, bytes, len);
	sink->len += len;
}

static void print(struct sink *sink, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void print(struct sink *sink, const char *fmt, ...)
{
	char line[256];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	put(sink, line, (size_t)len);
}

static void put_text(struct sink *sink, const char *what, const void *bytes, size_t len)
{
	print(sink, "%s %zu:", what, len);
	put(sink, bytes, len);
	put(sink, "\n", 1);
}

static void put_node(struct sink *sink, const struct kataimg_node *node)
{
	print(sink,
	      "node %" PRIu32 " type %u mode %o uid %" PRIu32 " gid %" PRIu32 " mtime %" PRId64
	      ".%09" PRIu32 " size %" PRIu64 " dev %" PRIu32 ":%" PRIu32 "\n",
	      node->index, node->type, node->mode, node->uid, node->gid, node->mtime_sec,
	      node->mtime_nsec, node->size, node->rdev_major, node->rdev_minor);
	if (node->type == KATAIMG_LNK)
		put_text(sink, "target", node->target, node->size);
	for (uint32_t i = 0; i < node->xattr_count; i++) {
		put_text(sink, "xattr", node->xattrs[i].name, node->xattrs[i].name_len);
		put_text(sink, "value", node->xattrs[i].value, node->xattrs[i].value_len);
	}
	for (uint32_t i = 0; i < node->segment_count; i++)
		print(sink, "data %" PRIu64 "+%" PRIu64 "\n", node->segments[i].file_off,
		      node->segments[i].len);
	for (uint32_t i = 0; i < node->entry_count; i++) {
		print(sink, "entry %" PRIu32, node->entries[i].node->index);
		put_text(sink, "", node->entries[i].name, node->entries[i].name_len);
	}
}

int tree_digest(const struct tree *tree, struct digest *digest, struct error *error)
{
	const struct kataimg_tree *pub = tree_public(tree);
	struct sink sink = { .digest = digest };

	for (uint64_t i = 0; i < pub->node_count; i++)
		put_node(&sink, pub->nodes[i]);
	flush(&sink);
	return sink.ret < 0 ? error_set(error, -sink.ret, "SHA-256 failed") : 0;
}
