/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tree/owner.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cancel.h"
#include "core/tree/model.h"
#include "lib/acl.h"

#define PATH_MESSAGE_BYTES 4096

static bool parse_number(const char **at, char end, uint64_t *number)
{
	char *stop;

	if (**at < '0' || **at > '9')
		return false;
	errno = 0;
	*number = strtoull(*at, &stop, 10);
	if (errno || *stop != end)
		return false;
	*at = stop + (end != '\0');
	return true;
}

static int parse_range(const char *text, struct tree_id_range *range, struct error *error)
{
	uint64_t from, to, count;
	const char *at = text;

	if (!parse_number(&at, ':', &from) || !parse_number(&at, ':', &to) ||
	    !parse_number(&at, '\0', &count))
		return error_usage(error, "not FROM:TO:COUNT");
	if (count == 0 || count > UINT32_MAX || from > UINT32_MAX - count ||
	    to > UINT32_MAX - count)
		return error_usage(error, "ids end at %" PRIu32, UINT32_MAX - 1);
	*range = (struct tree_id_range){ (uint32_t)from, (uint32_t)to, (uint32_t)count };
	return 0;
}

static bool overlap(const struct tree_id_range *low, const struct tree_id_range *high)
{
	return high->from - low->from < low->count;
}

static int fail_overlap(const struct tree_id_range *high, struct error *error)
{
	return error_usage(error, "two ranges have the id %" PRIu32, high->from);
}

int tree_id_map_add(struct tree_id_map *map, const char *text, struct error *error)
{
	struct tree_id_range *ranges, range;
	size_t at = map->count;
	int ret = parse_range(text, &range, error);

	if (ret < 0)
		return ret;
	ranges = reallocarray(map->ranges, map->count + 1, sizeof(*ranges));
	if (!ranges)
		return error_nomem(error);
	map->ranges = ranges;
	while (at > 0 && ranges[at - 1].from > range.from)
		at--;
	if (at > 0 && overlap(&ranges[at - 1], &range))
		return fail_overlap(&range, error);
	if (at < map->count && overlap(&range, &ranges[at]))
		return fail_overlap(&ranges[at], error);
	memmove(&ranges[at + 1], &ranges[at], (map->count - at) * sizeof(*ranges));
	ranges[at] = range;
	map->count++;
	return 0;
}

void tree_id_map_free(struct tree_id_map *map)
{
	free(map->ranges);
	*map = (struct tree_id_map){ 0 };
}

static int map_id(const struct tree_id_map *map, uint32_t *id)
{
	size_t low = 0, high = map->count;

	if (map->count == 0)
		return 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct tree_id_range *range = &map->ranges[middle];

		if (*id < range->from) {
			high = middle;
		} else if (*id - range->from >= range->count) {
			low = middle + 1;
		} else {
			*id = range->to + (*id - range->from);
			return 0;
		}
	}
	return -ENOENT;
}

static int fail_unmapped(const struct tree_node *node, const char *kind, uint32_t id,
			 struct error *error)
{
	char path[PATH_MESSAGE_BYTES];

	return error_set(error, EINVAL, "%s has the %s %" PRIu32 ", which [tree] %s-map leaves out",
			 tree_path(&node->pub, path, sizeof(path)), kind, id, kind);
}

static int map_acl_entry(const struct tree_node *node, struct acl_entry *entry,
			 const struct tree_id_map *uids, const struct tree_id_map *gids,
			 struct error *error)
{
	uint32_t id = from_le32(entry->id);
	bool user = from_le16(entry->tag) == ACL_USER;

	if (!acl_has_id(entry))
		return 0;
	if (map_id(user ? uids : gids, &id) < 0)
		return fail_unmapped(node, user ? "uid" : "gid", id, error);
	entry->id = to_le32(id);
	return 0;
}

static int map_acl(struct tree *tree, const struct tree_node *node, struct kataimg_xattr *xattr,
		   const struct tree_id_map *uids, const struct tree_id_map *gids,
		   struct error *error)
{
	char *value = arena_text(&tree->arena, xattr->value, xattr->value_len);
	int ret = 0;

	if (!value)
		return error_nomem(error);
	for (size_t i = 0; ret == 0 && i < acl_entry_count(xattr->value_len); i++) {
		struct acl_entry entry = acl_entry_at(value, i);

		ret = map_acl_entry(node, &entry, uids, gids, error);
		acl_set_entry(value, i, &entry);
	}
	xattr->value = value;
	return ret;
}

static int map_acls(struct tree *tree, struct tree_node *node, const struct tree_id_map *uids,
		    const struct tree_id_map *gids, struct error *error)
{
	struct kataimg_xattr *xattrs = tree_xattrs(node);
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < node->pub.xattr_count; i++)
		if (acl_is_name(xattrs[i].name))
			ret = map_acl(tree, node, &xattrs[i], uids, gids, error);
	return ret;
}

int tree_map_ids(struct tree *tree, const struct tree_id_map *uids, const struct tree_id_map *gids,
		 struct error *error)
{
	int ret = 0;

	if (uids->count == 0 && gids->count == 0)
		return 0;
	for (uint64_t i = 0; ret == 0 && i < tree->pub.node_count; i++) {
		struct tree_node *node = tree_node(tree->nodes[i]);

		if (cancel_requested())
			return cancel_check(error);
		if (map_id(uids, &node->pub.uid) < 0)
			return fail_unmapped(node, "uid", node->pub.uid, error);
		if (map_id(gids, &node->pub.gid) < 0)
			return fail_unmapped(node, "gid", node->pub.gid, error);
		ret = map_acls(tree, node, uids, gids, error);
	}
	return ret;
}

void tree_set_all_root(struct tree *tree)
{
	for (uint64_t i = 0; i < tree->pub.node_count; i++) {
		struct tree_node *node = tree_node(tree->nodes[i]);

		node->pub.uid = 0;
		node->pub.gid = 0;
	}
}

uint64_t tree_clamp_mtime(struct tree *tree, int64_t latest)
{
	uint64_t clamped = 0;

	for (uint64_t i = 0; i < tree->pub.node_count; i++) {
		struct tree_node *node = tree_node(tree->nodes[i]);

		if (node->pub.mtime_sec < latest ||
		    (node->pub.mtime_sec == latest && node->pub.mtime_nsec == 0))
			continue;
		node->pub.mtime_sec = latest;
		node->pub.mtime_nsec = 0;
		clamped++;
	}
	return clamped;
}

void tree_cut_nanoseconds(struct tree *tree)
{
	for (uint64_t i = 0; i < tree->pub.node_count; i++)
		tree_node(tree->nodes[i])->pub.mtime_nsec = 0;
}
