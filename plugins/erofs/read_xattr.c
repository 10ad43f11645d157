/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/acl.h"
#include "lib/cleanup.h"
#include "lib/round.h"
#include "plugins/erofs/read.h"

/* The names' starts, by enum erofs_xattr_prefix. */
static const char *const prefix_texts[] = {
	[EROFS_XATTR_USER] = "user.",
	[EROFS_XATTR_ACL_ACCESS] = ACL_ACCESS_NAME,
	[EROFS_XATTR_ACL_DEFAULT] = ACL_DEFAULT_NAME,
	[EROFS_XATTR_TRUSTED] = "trusted.",
	[EROFS_XATTR_SECURITY] = "security.",
};
#define PREFIX_COUNT (sizeof(prefix_texts) / sizeof(prefix_texts[0]))
/* A prefix's text, an infix and a name, each with its end. */
#define NAME_BYTES (32 + 256 + 256)

/* ---- Long prefixes ---- */

/* They lie in the packed inode, if there is one, unless the superblock says that they do not. */
static int fetch_prefix(struct erofs_reader *reader, uint64_t off, void *buf, size_t len)
{
	bool plain = from_le32(reader->super.feature_compat) & EROFS_COMPAT_PLAIN_XATTR_PREFIX;

	if (plain || reader->packed_bytes == 0)
		return window_fetch(&reader->window, off, buf, len);
	if (off > reader->packed_bytes || len > reader->packed_bytes - off)
		return window_refuse(&reader->window,
				     "its attribute prefixes are outside the packed "
				     "inode");
	return erofs_map_read(reader, &reader->packed, off, buf, len);
}

static int load_prefix(struct erofs_reader *reader, uint64_t *off, struct erofs_prefix *prefix)
{
	le16 bytes;
	uint32_t len;
	int ret;

	*off = round_up(*off, 4);
	ret = fetch_prefix(reader, *off, &bytes, sizeof(bytes));
	if (ret < 0)
		return ret;
	len = from_le16(bytes);
	if (len == 0 || len > 1 + sizeof(prefix->text))
		return window_refuse(&reader->window, "an attribute prefix has %u bytes", len);
	ret = fetch_prefix(reader, *off + sizeof(bytes), &prefix->base, 1);
	if (ret < 0)
		return ret;
	prefix->len = (uint8_t)(len - 1);
	ret = fetch_prefix(reader, *off + sizeof(bytes) + 1, prefix->text, prefix->len);
	*off += sizeof(bytes) + len;
	return ret;
}

int erofs_reader_load_prefixes(struct erofs_reader *reader)
{
	uint64_t off = (uint64_t)from_le32(reader->super.xattr_prefix_start) * 4;
	int ret = 0;

	if (!(from_le32(reader->super.feature_incompat) & EROFS_INCOMPAT_XATTR_PREFIX)) {
		reader->super.xattr_prefix_count = 0;
		return 0;
	}
	reader->prefixes = calloc(reader->super.xattr_prefix_count + 1u, sizeof(*reader->prefixes));
	if (!reader->prefixes)
		return -ENOMEM;
	for (uint32_t i = 0; ret == 0 && i < reader->super.xattr_prefix_count; i++)
		ret = load_prefix(reader, &off, &reader->prefixes[i]);
	return ret;
}

/* ---- Entries ---- */

static void append(struct kataimg_xattr *xattr, char *name, const char *text, size_t len)
{
	memcpy(name + xattr->name_len, text, len);
	xattr->name_len += (uint32_t)len;
}

/* The name without its last part. */
static int begin_name(struct erofs_reader *reader, const struct erofs_found_inode *inode,
		      uint8_t number, struct kataimg_xattr *xattr, char *name)
{
	const struct erofs_prefix *prefix = NULL;
	uint32_t base = number;

	if (number & EROFS_XATTR_LONG_PREFIX) {
		number &= EROFS_XATTR_LONG_PREFIX - 1;
		if (number >= reader->super.xattr_prefix_count)
			return window_refuse(&reader->window,
					     "inode %" PRIu64
					     " has an attribute with prefix %u of %u",
					     inode->nid, number, reader->super.xattr_prefix_count);
		prefix = &reader->prefixes[number];
		base = prefix->base;
	}
	if (base >= PREFIX_COUNT || !prefix_texts[base])
		return window_decline(&reader->window,
				      "inode %" PRIu64 " has an attribute of namespace %u, "
				      "which Linux does not show",
				      inode->nid, base);
	append(xattr, name, prefix_texts[base], strlen(prefix_texts[base]));
	if (prefix)
		append(xattr, name, prefix->text, prefix->len);
	return 0;
}

/* Reports the entry at off, which ends by end. *bytes: what it takes. */
static int report_entry(struct erofs_reader *reader, const struct erofs_found_inode *inode,
			uint64_t off, uint64_t end, uint64_t *bytes)
{
	char name[NAME_BYTES], last[256];
	struct kataimg_xattr xattr = { .name = name, .value = reader->value };
	struct erofs_xattr_entry entry;
	uint64_t value_off;
	int ret = window_fetch(&reader->window, off, &entry, sizeof(entry));

	if (ret < 0)
		return ret;
	xattr.value_len = from_le16(entry.value_len);
	value_off = off + sizeof(entry) + entry.name_len;
	*bytes = round_up(value_off + xattr.value_len - off, 4);
	if (*bytes > end - off)
		return window_refuse(&reader->window,
				     "inode %" PRIu64 " has an attribute longer than its place",
				     inode->nid);
	if (!entry.prefix && !entry.name_len && !xattr.value_len)
		return 0; /* padding */
	ret = begin_name(reader, inode, entry.prefix, &xattr, name);
	if (ret < 0)
		return ret;
	ret = window_fetch(&reader->window, off + sizeof(entry), last, entry.name_len);
	if (ret < 0)
		return ret;
	append(&xattr, name, last, entry.name_len);
	name[xattr.name_len] = '\0';
	ret = window_fetch(&reader->window, value_off, reader->value, xattr.value_len);
	return ret < 0 ? ret : reader->sink->xattr(reader->sink->ctx, inode->nid, &xattr);
}

static int report_shared(struct erofs_reader *reader, const struct erofs_found_inode *inode,
			 uint32_t count)
{
	uint64_t area = (uint64_t)from_le32(reader->super.xattr_block) << reader->block_bits;
	uint64_t off = inode->xattr_off + sizeof(struct erofs_xattr_header), bytes;
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < count; i++) {
		le32 id;

		ret = window_fetch(&reader->window, off + i * sizeof(id), &id, sizeof(id));
		if (ret == 0)
			ret = report_entry(reader, inode, area + (uint64_t)from_le32(id) * 4,
					   UINT64_MAX, &bytes);
	}
	return ret;
}

int erofs_reader_report_xattrs(struct erofs_reader *reader, const struct erofs_found_inode *inode)
{
	struct erofs_xattr_header header;
	uint64_t off, bytes;
	int ret;

	if (inode->body_off == inode->xattr_off)
		return 0;
	ret = window_fetch(&reader->window, inode->xattr_off, &header, sizeof(header));
	if (ret < 0)
		return ret;
	off = inode->xattr_off + sizeof(header) + header.shared_count * sizeof(le32);
	if (off > inode->body_off)
		return window_refuse(&reader->window,
				     "inode %" PRIu64
				     " shares %u attributes, for which it has no room",
				     inode->nid, header.shared_count);
	ret = report_shared(reader, inode, header.shared_count);
	for (; ret == 0 && off < inode->body_off; off += bytes)
		ret = report_entry(reader, inode, off, inode->body_off, &bytes);
	return ret;
}
