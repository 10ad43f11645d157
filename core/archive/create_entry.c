/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/create_entry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/time.h"
#include "core/tree/reader.h"
#include "lib/acl.h"
#include "lib/cleanup.h"
#include "lib/filetype.h"

static int set_path(struct archive_entry *entry, const char *path, bool is_directory)
{
	autofree char *name = NULL;

	if (asprintf(&name, "./%s%s", path, is_directory && *path ? "/" : "") < 0)
		return -ENOMEM;
	archive_entry_copy_pathname(entry, name);
	return 0;
}

static int set_link(struct archive_entry *entry, const struct kataimg_node *node)
{
	size_t bytes = strlen("./") + 1;
	autofree char *first = NULL;

	for (const struct kataimg_node *at = node; at->parent != at; at = at->parent)
		bytes += at->name_len + 1;
	first = malloc(bytes);
	if (!first)
		return -ENOMEM;
	memcpy(first, "./", strlen("./"));
	tree_path(node, first + strlen("./"), bytes - strlen("./"));
	archive_entry_copy_hardlink(entry, first);
	return 0;
}

static void set_acl(struct archive_entry *entry, const struct kataimg_xattr *xattr)
{
	bool is_default = strcmp(xattr->name, ACL_DEFAULT_NAME) == 0;
	static const struct {
		int tag, archive_tag;
	} tags[] = {
		{ ACL_USER_OBJ, ARCHIVE_ENTRY_ACL_USER_OBJ },
		{ ACL_USER, ARCHIVE_ENTRY_ACL_USER },
		{ ACL_GROUP_OBJ, ARCHIVE_ENTRY_ACL_GROUP_OBJ },
		{ ACL_GROUP, ARCHIVE_ENTRY_ACL_GROUP },
		{ ACL_MASK, ARCHIVE_ENTRY_ACL_MASK },
		{ ACL_OTHER, ARCHIVE_ENTRY_ACL_OTHER },
	};

	for (size_t i = 0; i < acl_entry_count(xattr->value_len); i++) {
		const struct acl_entry acl = acl_entry_at(xattr->value, i);
		char name[16] = "";

		/* As a name: libarchive's numbers end where those of int do. */
		if (acl_has_id(&acl))
			snprintf(name, sizeof(name), "%" PRIu32, from_le32(acl.id));
		for (size_t t = 0; t < sizeof(tags) / sizeof(tags[0]); t++)
			if (tags[t].tag == from_le16(acl.tag))
				archive_entry_acl_add_entry(
					entry,
					is_default ? ARCHIVE_ENTRY_ACL_TYPE_DEFAULT
						   : ARCHIVE_ENTRY_ACL_TYPE_ACCESS,
					from_le16(acl.perm), tags[t].archive_tag, -1,
					*name ? name : NULL);
	}
}

static void set_xattrs(struct archive_entry *entry, const struct kataimg_node *node)
{
	for (uint32_t i = 0; i < node->xattr_count; i++) {
		const struct kataimg_xattr *xattr = &node->xattrs[i];

		/* Images and archives may have bytes there that are no ACL: they are kept as they
		 * are. */
		if (acl_is_name(xattr->name) && acl_is_valid(xattr->value, xattr->value_len))
			set_acl(entry, xattr);
		/* ACLs as well: libarchive, which reads archives too, knows no ids above those of
		 * int in their text. */
		archive_entry_xattr_add_entry(entry, xattr->name, xattr->value, xattr->value_len);
	}
}

/* A file that is data from end to end needs no map. */
static void set_sparse(struct archive_entry *entry, const struct tree *tree,
		       const struct kataimg_node *node)
{
	struct tree_extent extent;
	uint64_t at = 0;

	if (node->segment_count == 1 && node->segments[0].file_off == 0 &&
	    node->segments[0].len >= node->size)
		return;
	while (tree_next_extent(tree, node, at, node->size, &extent)) {
		archive_entry_sparse_add_entry(entry, (la_int64_t)extent.file_off,
					       (la_int64_t)extent.len);
		at = extent.file_off + extent.len;
	}
	if (at == 0 && node->size > 0)
		archive_entry_sparse_add_entry(entry, (la_int64_t)node->size, 0);
}

/*
 * libarchive prints the seconds, a dot and the nanoseconds, which pax reads as one number: before
 * 1970 a fraction would lead away from 0. Of the last second before it only the whole can be said.
 */
static int set_time(struct archive_entry *entry, const struct kataimg_node *node)
{
	bool rounds_up = node->mtime_sec < 0 && node->mtime_nsec > 0;
	long nanoseconds = rounds_up ? 1000000000 - (long)node->mtime_nsec : (long)node->mtime_nsec;

	if (node->mtime_sec == -1 && rounds_up)
		return archive_time_set(entry, -1, 0);
	return archive_time_set(entry, node->mtime_sec + rounds_up, nanoseconds);
}

int create_entry(struct archive_entry *entry, const struct tree *tree, const char *path,
		 const struct kataimg_node *node, bool is_link)
{
	int ret;

	archive_entry_clear(entry);
	archive_entry_set_mode(entry, filetype_mode(node));
	archive_entry_set_uid(entry, node->uid);
	archive_entry_set_gid(entry, node->gid);
	ret = set_time(entry, node);
	if (ret == 0)
		ret = set_path(entry, path, node->type == KATAIMG_DIR);
	if (ret < 0)
		return ret;
	if (is_link)
		return set_link(entry, node);
	if (node->type == KATAIMG_LNK)
		archive_entry_copy_symlink(entry, node->target);
	if (node->type == KATAIMG_CHR || node->type == KATAIMG_BLK) {
		archive_entry_set_rdevmajor(entry, node->rdev_major);
		archive_entry_set_rdevminor(entry, node->rdev_minor);
	}
	if (node->type == KATAIMG_REG) {
		archive_entry_set_size(entry, (la_int64_t)node->size);
		set_sparse(entry, tree, node);
	}
	set_xattrs(entry, node);
	return 0;
}
