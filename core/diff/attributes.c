/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/diff/private.h"
#include "lib/acl.h"

static int compare_names(const struct kataimg_xattr *a, const struct kataimg_xattr *b)
{
	if (!a || !b)
		return a ? -1 : 1;
	return strcmp(a->name, b->name);
}

static bool is_same_value(const struct kataimg_xattr *a, const struct kataimg_xattr *b)
{
	return a->value_len == b->value_len && memcmp(a->value, b->value, a->value_len) == 0;
}

/* Both lists are sorted by name. */
static unsigned int diff_xattrs(const struct kataimg_node *a, const struct kataimg_node *b)
{
	uint32_t i = 0, j = 0;
	unsigned int bits = 0;

	while (i < a->xattr_count || j < b->xattr_count) {
		const struct kataimg_xattr *one = i < a->xattr_count ? &a->xattrs[i] : NULL;
		const struct kataimg_xattr *other = j < b->xattr_count ? &b->xattrs[j] : NULL;
		int order = compare_names(one, other);
		const char *name = order <= 0 ? one->name : other->name;

		if (order != 0 || !is_same_value(one, other))
			bits |= acl_is_name(name) ? DIFF_ACL : DIFF_XATTR;
		i += order <= 0;
		j += order >= 0;
	}
	return bits;
}

static bool is_other_value(const struct kataimg_node *a, const struct kataimg_node *b)
{
	if (a->type == KATAIMG_LNK)
		return a->size != b->size || memcmp(a->target, b->target, (size_t)a->size) != 0;
	return a->rdev_major != b->rdev_major || a->rdev_minor != b->rdev_minor;
}

unsigned int diff_attributes(const struct kataimg_node *a, const struct kataimg_node *b)
{
	unsigned int bits = 0;

	if (a->type != b->type)
		return DIFF_TYPE;
	if (is_other_value(a, b))
		bits |= DIFF_CONTENT;
	if (a->type == KATAIMG_REG && a->size != b->size)
		bits |= DIFF_CONTENT | DIFF_SIZE;
	if (a->mtime_sec != b->mtime_sec || a->mtime_nsec != b->mtime_nsec)
		bits |= DIFF_TIME;
	if (a->mode != b->mode)
		bits |= DIFF_MODE;
	if (a->uid != b->uid)
		bits |= DIFF_OWNER;
	if (a->gid != b->gid)
		bits |= DIFF_GROUP;
	return bits | diff_xattrs(a, b);
}
