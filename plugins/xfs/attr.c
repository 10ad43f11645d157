/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/attr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/acl.h"
#include "lib/round.h"
#include "plugins/xfs/acl.h"
#include "plugins/xfs/da.h"
#include "plugins/xfs/format.h"
#include "plugins/xfs/geometry.h"
#include "plugins/xfs/hash.h"

/* A record of three quarters of a block or more keeps its value elsewhere. */
#define LOCAL_LIMIT (XFS_BLOCK_BYTES * 3 / 4)
#define SHORT_MAX_VALUE 255u

enum attr_kind { KIND_ACCESS_ACL, KIND_DEFAULT_ACL, KIND_PLAIN, KIND_IGNORED };

struct attr_space {
	const char *prefix; /* the whole name when stored_name is set */
	const char *stored_name;
	enum attr_kind kind;
	uint8_t flags;
};

/*
 * Longest match first. XFS shows its ACLs also as trusted attributes: read from an XFS source,
 * these would be stored twice.
 */
static const struct attr_space spaces[] = {
	{ ACL_ACCESS_NAME, "SGI_ACL_FILE", KIND_ACCESS_ACL, XFS_ATTR_ROOT },
	{ ACL_DEFAULT_NAME, "SGI_ACL_DEFAULT", KIND_DEFAULT_ACL, XFS_ATTR_ROOT },
	{ "trusted.SGI_ACL_FILE", "", KIND_IGNORED, 0 },
	{ "trusted.SGI_ACL_DEFAULT", "", KIND_IGNORED, 0 },
	{ "user.", NULL, KIND_PLAIN, 0 },
	{ "trusted.", NULL, KIND_PLAIN, XFS_ATTR_ROOT },
	{ "security.", NULL, KIND_PLAIN, XFS_ATTR_SECURE },
};

static bool space_matches(const struct attr_space *space, const struct kataimg_xattr *xattr)
{
	size_t len = strlen(space->prefix);

	if (space->stored_name)
		return len == xattr->name_len && memcmp(space->prefix, xattr->name, len) == 0;
	return len < xattr->name_len && memcmp(space->prefix, xattr->name, len) == 0;
}

static const struct attr_space *find_space(const struct kataimg_xattr *xattr)
{
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		if (space_matches(&spaces[i], xattr))
			return &spaces[i];
	return NULL;
}

static bool is_acl(const struct attr_space *space)
{
	return space->kind == KIND_ACCESS_ACL || space->kind == KIND_DEFAULT_ACL;
}

static bool is_stored(const struct attr_space *space, const struct kataimg_xattr *xattr)
{
	if (!space || space->kind == KIND_IGNORED)
		return false;
	return space->kind != KIND_ACCESS_ACL ||
	       !xfs_acl_is_trivial(xattr->value, xattr->value_len);
}

/* Puts an ACL of XFS's form in the place of the source's. */
static int convert_acl(struct xfs_attr_list *list, struct xfs_attr *attr)
{
	uint32_t entries = xfs_acl_entries(attr->value_len);
	void **acl = array_add(&list->acls);

	if (!acl)
		return -ENOMEM;
	*acl = malloc(xfs_acl_bytes(entries));
	if (!*acl)
		return -ENOMEM;
	xfs_acl_convert(attr->value, entries, *acl);
	attr->value = *acl;
	attr->value_len = xfs_acl_bytes(entries);
	return 0;
}

static int add_one(struct xfs_attr_list *list, const struct attr_space *space,
		   const struct kataimg_xattr *xattr)
{
	struct xfs_attr *attr = array_add(&list->items);
	size_t skip = space->stored_name ? 0 : strlen(space->prefix);

	if (!attr)
		return -ENOMEM;
	*attr = (struct xfs_attr){
		.name = space->stored_name ? space->stored_name : xattr->name + skip,
		.name_len = (uint8_t)(space->stored_name ? strlen(space->stored_name)
							 : xattr->name_len - skip),
		.value = xattr->value,
		.value_len = xattr->value_len,
		.flags = space->flags,
	};
	attr->hash = xfs_hash_name(attr->name, attr->name_len);
	return is_acl(space) ? convert_acl(list, attr) : 0;
}

int xfs_attrs_add(struct xfs_attr_list *list, const struct kataimg_node *node)
{
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < node->xattr_count; i++) {
		const struct attr_space *space = find_space(&node->xattrs[i]);

		if (is_stored(space, &node->xattrs[i]))
			ret = add_one(list, space, &node->xattrs[i]);
	}
	return ret;
}

void xfs_attrs_clear(struct xfs_attr_list *list)
{
	for (size_t i = 0; i < list->acls.count; i++)
		free(list->acls.items[i]);
	array_free(&list->acls);
	array_free(&list->items);
}

static const char *refusal(const struct kataimg_xattr *xattr)
{
	const struct attr_space *space = find_space(xattr);

	if (!space)
		return "XFS has the namespaces user, trusted and security, and ACLs";
	if (!is_acl(space))
		return NULL;
	switch (xfs_acl_check(xattr->value, xattr->value_len)) {
	case -EINVAL:
		return "it is not a valid ACL";
	case -E2BIG:
		return "XFS holds ACLs of up to 5461 entries";
	default:
		return NULL;
	}
}

bool xfs_attrs_check(const struct kataimg_node *node, char *reason, size_t reason_size)
{
	for (uint32_t i = 0; i < node->xattr_count; i++) {
		const char *why = refusal(&node->xattrs[i]);

		if (!why)
			continue;
		snprintf(reason, reason_size, "extended attribute %s: %s", node->xattrs[i].name,
			 why);
		return false;
	}
	return true;
}

static int compare_attrs(const void *left, const void *right)
{
	const struct xfs_attr *a = left;
	const struct xfs_attr *b = right;
	uint8_t shorter = a->name_len < b->name_len ? a->name_len : b->name_len;
	int order;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (a->flags != b->flags)
		return a->flags - b->flags;
	order = memcmp(a->name, b->name, shorter);
	return order ? order : a->name_len - b->name_len;
}

void xfs_attrs_sort(const struct xfs_attrs *attrs)
{
	if (attrs->count > 1)
		qsort(attrs->items, attrs->count, sizeof(*attrs->items), compare_attrs);
}

uint32_t xfs_attrs_short_bytes(const struct xfs_attrs *attrs)
{
	uint32_t bytes = sizeof(struct xfs_attr_short);

	for (uint32_t i = 0; i < attrs->count; i++) {
		const struct xfs_attr *attr = &attrs->items[i];

		if (attr->value_len > SHORT_MAX_VALUE)
			return 0;
		bytes += 3u + attr->name_len + attr->value_len;
	}
	return bytes;
}

static uint32_t local_bytes(const struct xfs_attr *attr)
{
	return (uint32_t)round_up(sizeof(struct xfs_attr_local) + attr->name_len + attr->value_len,
				  4);
}

bool xfs_attr_is_local(const struct xfs_attr *attr)
{
	return local_bytes(attr) < LOCAL_LIMIT;
}

uint32_t xfs_attr_record_bytes(const struct xfs_attr *attr)
{
	if (xfs_attr_is_local(attr))
		return local_bytes(attr);
	return (uint32_t)round_up(XFS_ATTR_REMOTE_BYTES + attr->name_len, 4);
}

uint32_t xfs_attr_value_blocks(const struct xfs_attr *attr)
{
	if (xfs_attr_is_local(attr))
		return 0;
	return (uint32_t)div_up(attr->value_len, XFS_ATTR_VALUE_BYTES);
}

static uint32_t fill_leaf(const struct xfs_attrs *attrs, uint32_t first)
{
	uint32_t bytes = sizeof(struct xfs_attr_leaf);
	uint32_t end = first;

	for (; end < attrs->count; end++) {
		bytes += (uint32_t)sizeof(struct xfs_attr_entry) +
			 xfs_attr_record_bytes(&attrs->items[end]);
		if (bytes > XFS_BLOCK_BYTES)
			break;
	}
	return end;
}

/* xfs_repair takes it for an error when the last two leaves end with the same hash: the whole run
 * of that hash then goes to the last leaf, if it has room. */
uint32_t xfs_attrs_leaf_end(const struct xfs_attrs *attrs, uint32_t first)
{
	const struct xfs_attr *items = attrs->items;
	uint32_t end = fill_leaf(attrs, first);
	uint32_t run = end;

	if (end == attrs->count || fill_leaf(attrs, end) < attrs->count)
		return end;
	while (run > first && items[run - 1].hash == items[attrs->count - 1].hash)
		run--;
	return run > first && fill_leaf(attrs, run) == attrs->count ? run : end;
}

uint32_t xfs_attrs_leaves(const struct xfs_attrs *attrs)
{
	uint32_t leaves = 0;

	for (uint32_t first = 0; first < attrs->count; leaves++)
		first = xfs_attrs_leaf_end(attrs, first);
	return leaves;
}

uint64_t xfs_attrs_blocks(const struct xfs_attrs *attrs)
{
	uint64_t blocks = xfs_da_blocks(xfs_attrs_leaves(attrs));

	for (uint32_t i = 0; i < attrs->count; i++)
		blocks += xfs_attr_value_blocks(&attrs->items[i]);
	return blocks;
}

void xfs_attrs_pack_short(const struct xfs_attrs *attrs, uint8_t *fork)
{
	struct xfs_attr_short head = {
		.totsize = to_be16((uint16_t)xfs_attrs_short_bytes(attrs)),
		.count = (uint8_t)attrs->count,
	};
	uint8_t *to = fork + sizeof(head);

	memcpy(fork, &head, sizeof(head));
	for (uint32_t i = 0; i < attrs->count; i++) {
		const struct xfs_attr *attr = &attrs->items[i];

		*to++ = attr->name_len;
		*to++ = (uint8_t)attr->value_len;
		*to++ = attr->flags;
		memcpy(to, attr->name, attr->name_len);
		if (attr->value_len)
			memcpy(to + attr->name_len, attr->value, attr->value_len);
		to += attr->name_len + attr->value_len;
	}
}
