/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX ACLs that an archive has as text. */
#include <stdlib.h>
#include <string.h>

#include "core/archive/unpack.h"
#include "lib/acl.h"

static enum acl_tag tag_of(int tag)
{
	switch (tag) {
	case ARCHIVE_ENTRY_ACL_USER_OBJ:
		return ACL_USER_OBJ;
	case ARCHIVE_ENTRY_ACL_USER:
		return ACL_USER;
	case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
		return ACL_GROUP_OBJ;
	case ARCHIVE_ENTRY_ACL_GROUP:
		return ACL_GROUP;
	case ARCHIVE_ENTRY_ACL_MASK:
		return ACL_MASK;
	default:
		return ACL_OTHER;
	}
}

static int compare_entries(const void *a, const void *b)
{
	const struct acl_entry *x = a, *y = b;
	uint32_t x_tag = from_le16(x->tag), y_tag = from_le16(y->tag);
	uint32_t x_id = from_le32(x->id), y_id = from_le32(y->id);

	return x_tag != y_tag ? (x_tag > y_tag) - (x_tag < y_tag) : (x_id > y_id) - (x_id < y_id);
}

/* The next one: 1, 0 at the end, or an error. */
static int next_entry(struct unpack *unpack, struct archive_entry *entry, const char *path,
		      int want, struct acl_entry *acl, struct error *error)
{
	int type, permset, tag, id;
	const char *name;
	bool has_id;

	if (archive_entry_acl_next(entry, want, &type, &permset, &tag, &id, &name) != ARCHIVE_OK)
		return 0;
	has_id = tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP;
	if (has_id && id < 0)
		return unpack_fail(
			unpack, path, error,
			"its ACL names %s, and names are not looked up: make the archive "
			"with --numeric-owner",
			name && *name ? name : "no one");
	*acl = (struct acl_entry){ to_le16((uint16_t)tag_of(tag)), to_le16(permset & 7),
				   to_le32(has_id ? (uint32_t)id : ACL_NO_ID) };
	return 1;
}

int unpack_acl(struct unpack *unpack, struct archive_entry *entry, const char *path, int type,
	       struct kataimg_xattr *xattr, struct error *error)
{
	const char *name =
		type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS ? ACL_ACCESS_NAME : ACL_DEFAULT_NAME;
	size_t room = (size_t)archive_entry_acl_reset(entry, type), count = 0;
	struct acl_entry *entries;
	struct acl_header *header;
	int more = 1;

	*xattr = (struct kataimg_xattr){ 0 };
	if (room == 0)
		return 0;
	header = arena_alloc(tree_arena(unpack->tree), sizeof(*header) + room * sizeof(*entries));
	if (!header)
		return error_nomem(error);
	entries = (struct acl_entry *)(header + 1);
	while (count < room &&
	       (more = next_entry(unpack, entry, path, type, &entries[count], error)) > 0)
		count++;
	if (more < 0)
		return more;
	if (count == 0)
		return 0;
	header->version = to_le32(ACL_VERSION);
	qsort(entries, count, sizeof(*entries), compare_entries);
	*xattr = (struct kataimg_xattr){
		.name = name,
		.value = header,
		.name_len = (uint32_t)strlen(name),
		.value_len = (uint32_t)(sizeof(*header) + count * sizeof(*entries)),
	};
	return 0;
}
