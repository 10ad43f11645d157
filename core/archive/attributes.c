/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/archive/unpack.h"
#include "lib/acl.h"

/* Access and default ACL. */
#define ACLS_MAX 2

static int take_id(struct unpack *unpack, const char *path, const char *what, int64_t value,
		   uint32_t *id, struct error *error)
{
	if (value < 0 || value >= UINT32_MAX)
		return unpack_fail(unpack, path, error,
				   "its %s is %" PRId64 ": ids are 0 to %" PRIu32, what, value,
				   UINT32_MAX - 1);
	*id = (uint32_t)value;
	return 0;
}

static int copy_xattr(struct unpack *unpack, const char *name, const void *value, size_t len,
		      struct kataimg_xattr *xattr)
{
	struct arena *arena = tree_arena(unpack->tree);

	*xattr = (struct kataimg_xattr){
		.name = arena_text(arena, name, strlen(name)),
		.value = arena_text(arena, len ? value : "", len),
		.name_len = (uint32_t)strlen(name),
		.value_len = (uint32_t)len,
	};
	return xattr->name && xattr->value ? 0 : -ENOMEM;
}

static int copy_xattrs(struct unpack *unpack, struct archive_entry *entry, const char *path,
		       struct kataimg_xattr *xattrs, uint32_t *count, struct error *error)
{
	const char *name;
	const void *value;
	size_t len;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &len) == ARCHIVE_OK) {
		if (!name || !*name || len > UINT32_MAX)
			return unpack_fail(unpack, path, error,
					   "it has an extended attribute without a name");
		if (copy_xattr(unpack, name, value, len, &xattrs[(*count)++]) < 0)
			return error_nomem(error);
	}
	return 0;
}

static bool has_xattr(const struct kataimg_xattr *xattrs, uint32_t count, const char *name)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(xattrs[i].name, name) == 0)
			return true;
	return false;
}

/* GNU tar stores an ACL as an attribute as well, and in the text it may name users: the attribute
 * has their ids. */
static int convert_acls(struct unpack *unpack, struct archive_entry *entry, const char *path,
			struct kataimg_xattr *xattrs, uint32_t *count, struct error *error)
{
	static const struct {
		int type;
		const char *name;
	} acls[ACLS_MAX] = { { ARCHIVE_ENTRY_ACL_TYPE_ACCESS, ACL_ACCESS_NAME },
			     { ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, ACL_DEFAULT_NAME } };

	if (archive_entry_acl_count(entry, ARCHIVE_ENTRY_ACL_TYPE_NFS4) > 0)
		return unpack_fail(unpack, path, error,
				   "it has an NFSv4 ACL: only POSIX ACLs can "
				   "be stored");
	for (size_t i = 0; i < ACLS_MAX; i++) {
		int ret;

		if (has_xattr(xattrs, *count, acls[i].name))
			continue;
		ret = unpack_acl(unpack, entry, path, acls[i].type, &xattrs[*count], error);
		if (ret < 0)
			return ret;
		*count += xattrs[*count].value_len > 0;
	}
	return 0;
}

/* An attribute may be there in several spellings: the first one stays. */
static void drop_repeated(struct tree_node *node, struct kataimg_xattr *xattrs)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < node->pub.xattr_count; i++)
		if (kept == 0 || strcmp(xattrs[kept - 1].name, xattrs[i].name) != 0)
			xattrs[kept++] = xattrs[i];
	node->pub.xattr_count = kept;
}

static int set_xattrs(struct unpack *unpack, struct archive_entry *entry, const char *path,
		      struct tree_node *node, struct error *error)
{
	uint32_t room = (uint32_t)archive_entry_xattr_count(entry) + ACLS_MAX, count = 0;
	struct kataimg_xattr *xattrs = NULL;
	int ret;

	tree_set_xattrs(node, NULL, 0);
	if (room == ACLS_MAX && archive_entry_acl_types(entry) == 0)
		return 0;
	xattrs = arena_array(tree_arena(unpack->tree), room, sizeof(*xattrs));
	if (!xattrs)
		return error_nomem(error);
	ret = copy_xattrs(unpack, entry, path, xattrs, &count, error);
	if (ret == 0)
		ret = convert_acls(unpack, entry, path, xattrs, &count, error);
	tree_set_xattrs(node, xattrs, count);
	drop_repeated(node, xattrs);
	return ret;
}

/* libarchive makes the group bits those of the ACL's group; the kernel shows the mask. */
static uint16_t mode_of(struct archive_entry *entry)
{
	int type, permset, tag, id;
	const char *name;
	mode_t mode = archive_entry_perm(entry) & 07777;

	archive_entry_acl_reset(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS);
	while (archive_entry_acl_next(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, &type, &permset, &tag,
				      &id, &name) == ARCHIVE_OK)
		if (tag == ARCHIVE_ENTRY_ACL_MASK)
			mode = (mode & ~(mode_t)0070) | (mode_t)(permset & 7) << 3;
	return (uint16_t)mode;
}

static int set_device(struct unpack *unpack, struct archive_entry *entry, const char *path,
		      struct tree_node *node, struct error *error)
{
	uint64_t major = archive_entry_rdevmajor(entry), minor = archive_entry_rdevminor(entry);

	if (major > UINT32_MAX || minor > UINT32_MAX)
		return unpack_fail(unpack, path, error,
				   "the device %" PRIu64 ":%" PRIu64 " is beyond 32 bits", major,
				   minor);
	node->pub.rdev_major = (uint32_t)major;
	node->pub.rdev_minor = (uint32_t)minor;
	return 0;
}

int unpack_attributes(struct unpack *unpack, struct archive_entry *entry, const char *path,
		      struct tree_node *node, struct error *error)
{
	int ret = take_id(unpack, path, "uid", archive_entry_uid(entry), &node->pub.uid, error);

	if (ret == 0)
		ret = take_id(unpack, path, "gid", archive_entry_gid(entry), &node->pub.gid, error);
	if (ret < 0)
		return ret;
	node->implied = 0;
	node->flagged = unpack->member.has_flags;
	/* Symbolic links have no mode of their own on Linux, which shows all as 0777. */
	node->pub.mode = node->pub.type == KATAIMG_LNK ? 0777 : mode_of(entry);
	node->pub.mtime_sec = unpack->member.mtime_sec;
	node->pub.mtime_nsec = unpack->member.mtime_nsec;
	if (node->pub.type == KATAIMG_CHR || node->pub.type == KATAIMG_BLK)
		ret = set_device(unpack, entry, path, node, error);
	return ret < 0 ? ret : set_xattrs(unpack, entry, path, node, error);
}
