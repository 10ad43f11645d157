/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/acl.h"
#include "lib/cleanup.h"
#include "plugins/xfs/acl.h"
#include "plugins/xfs/read.h"

/* The longest namespace and the longest name, with its end. */
#define NAME_BYTES (32 + 256)

static const struct xfs_block_kind value_kind = XFS_BLOCK_KIND(
	"block of an attribute's value", struct xfs_attr_value, XFS_ATTR_VALUE_MAGIC);

/* ---- Values that have blocks of their own ---- */

static int read_value_block(struct xfs_reader *reader, const struct xfs_found_inode *inode,
			    struct xfs_map *map, uint64_t file_block, uint8_t *block)
{
	uint64_t off;
	int ret = xfs_map_read(reader, inode, map, file_block, 1, block, &off);

	if (ret < 0)
		return ret;
	return xfs_reader_check_block(reader, block, reader->block_bytes, off, &value_kind,
				      inode->number);
}

int xfs_reader_remote_value(struct xfs_reader *reader, const struct xfs_found_inode *inode,
			    struct xfs_map *map, uint64_t file_block, uint8_t *buf,
			    uint32_t value_len)
{
	uint32_t room = reader->block_bytes - (uint32_t)sizeof(struct xfs_attr_value);
	autofree uint8_t *block = malloc(reader->block_bytes);

	if (!block)
		return -ENOMEM;
	for (uint32_t done = 0; done < value_len;) {
		uint32_t part = value_len - done < room ? value_len - done : room;
		struct xfs_attr_value head;
		int ret = read_value_block(reader, inode, map, file_block++, block);

		if (ret < 0)
			return ret;
		memcpy(&head, block, sizeof(head));
		if (from_be32(head.offset) != done || from_be32(head.bytes) != part)
			return window_refuse(&reader->window,
					     "inode %" PRIu64
					     " has an attribute whose value is not all there",
					     inode->number);
		memcpy(buf + done, block + sizeof(head), part);
		done += part;
	}
	return 0;
}

/* ---- As Linux shows them ---- */

static bool has_name(const struct xfs_found_attr *attr, const char *name)
{
	return attr->name_len == strlen(name) && memcmp(attr->name, name, attr->name_len) == 0;
}

/* The name under which Linux shows an ACL that is stored under this one; NULL: it is no ACL. */
static const char *acl_name(const struct xfs_found_attr *attr)
{
	if (!(attr->flags & XFS_ATTR_ROOT))
		return NULL;
	if (has_name(attr, "SGI_ACL_FILE"))
		return ACL_ACCESS_NAME;
	return has_name(attr, "SGI_ACL_DEFAULT") ? ACL_DEFAULT_NAME : NULL;
}

static int report_acl(const struct xfs_reader *reader, const struct xfs_found_inode *inode,
		      const char *name, const struct xfs_found_attr *attr)
{
	struct kataimg_xattr xattr = { .name = name, .name_len = (uint32_t)strlen(name) };
	autofree uint8_t *value = NULL;
	uint32_t entries;

	if (xfs_acl_count(attr->value, attr->value_len, &entries) < 0)
		return window_refuse(&reader->window, "inode %" PRIu64 " has a %s that is no ACL",
				     inode->number, name);
	xattr.value_len = xfs_acl_linux_bytes(entries);
	value = malloc(xattr.value_len);
	if (!value)
		return -ENOMEM;
	xfs_acl_restore(attr->value, entries, value);
	xattr.value = value;
	return reader->sink->xattr(reader->sink->ctx, inode->number, &xattr);
}

static const char *prefix_of(uint8_t flags)
{
	if (flags & XFS_ATTR_ROOT)
		return "trusted.";
	return flags & XFS_ATTR_SECURE ? "security." : "user.";
}

int xfs_reader_report_attr(struct xfs_reader *reader, const struct xfs_found_inode *inode,
			   const struct xfs_found_attr *attr)
{
	const char *prefix = prefix_of(attr->flags), *acl = acl_name(attr);
	struct kataimg_xattr xattr = { .value = attr->value, .value_len = attr->value_len };
	char name[NAME_BYTES];
	size_t len = strlen(prefix);

	if (attr->flags & (XFS_ATTR_PARENT | XFS_ATTR_INCOMPLETE))
		return 0;
	if (acl)
		return report_acl(reader, inode, acl, attr);
	memcpy(name, prefix, len);
	memcpy(name + len, attr->name, attr->name_len);
	name[len + attr->name_len] = '\0';
	xattr.name = name;
	xattr.name_len = (uint32_t)len + attr->name_len;
	return reader->sink->xattr(reader->sink->ctx, inode->number, &xattr);
}
