/* SPDX-License-Identifier: Apache-2.0 */
/* A tree against the numbers of struct kataimg_limits. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend/limits.h"
#include "core/backend/negotiate_private.h"
#include "lib/calloc64.h"

#define NSEC_PER_SEC UINT64_C(1000000000)

/* Returns whether the value is within the limit. */
static bool check_limit(struct negotiation *n, const struct kataimg_node *node, uint64_t value,
			const struct limit_rule *rule)
{
	uint64_t limit = limit_of(&n->limits, rule);
	char cannot[REASON_BYTES], has[REASON_BYTES];

	if (value <= limit)
		return true;
	snprintf(cannot, sizeof(cannot), "%s above %" PRIu64, rule->cannot, limit);
	snprintf(has, sizeof(has), "has %" PRIu64 "%s", value, rule->unit);
	negotiation_offend(n, node, TREE_DROP_NODE, 0, cannot, has);
	return false;
}

static void check_times(struct negotiation *n, const struct kataimg_node *node)
{
	char has[REASON_BYTES];

	if (node->mtime_sec >= n->limits.mtime_min && node->mtime_sec <= n->limits.mtime_max)
		return;
	snprintf(has, sizeof(has),
		 "has %" PRId64 " seconds since 1970, it holds %" PRId64 " to %" PRId64,
		 node->mtime_sec, n->limits.mtime_min, n->limits.mtime_max);
	negotiation_offend(n, node, TREE_DROP_NODE, 0, "this modification time", has);
}

static void check_node_limits(struct negotiation *n, const struct kataimg_node *node)
{
	for (size_t i = 0; i < limit_rule_count; i++)
		if (!check_limit(n, node, limit_rules[i].value(node), &limit_rules[i]))
			break;
	check_times(n, node);
}

/* Parents precede their children, so a directory's own path is known when it is asked for. */
static void check_entries(struct negotiation *n, const struct kataimg_node *dir)
{
	static const struct limit_rule name_rule = { LIMIT_MEMBER(name_bytes), NULL, "names",
						     " bytes in its name" };
	static const struct limit_rule path_rule = { LIMIT_MEMBER(path_bytes), NULL, "paths",
						     " bytes in a path" };
	uint64_t before = n->path_bytes && dir->index ? n->path_bytes[dir->index] + 1 : 0;

	for (uint32_t i = 0; i < dir->entry_count; i++) {
		const struct kataimg_entry *entry = &dir->entries[i];

		if (n->path_bytes && entry->node->type == KATAIMG_DIR)
			n->path_bytes[entry->node->index] = before + entry->name_len;
		if (check_limit(n, entry->node, entry->name_len, &name_rule) && n->path_bytes)
			check_limit(n, entry->node, before + entry->name_len, &path_rule);
	}
}

/* One size of one attribute against its limit. Returns whether it fits. */
static bool check_xattr_size(struct negotiation *n, const struct kataimg_node *node, uint32_t item,
			     const char *what, uint64_t size, uint64_t limit)
{
	char cannot[REASON_BYTES], has[REASON_BYTES];

	if (size <= limit)
		return true;
	snprintf(cannot, sizeof(cannot), "extended attributes with %s above %" PRIu64 " bytes",
		 what, limit);
	snprintf(has, sizeof(has), "has %s with %" PRIu64, node->xattrs[item].name, size);
	negotiation_offend(n, node, TREE_DROP_XATTR, item, cannot, has);
	return false;
}

static void check_xattr_limits(struct negotiation *n, const struct kataimg_node *node)
{
	const struct kataimg_limits *limits = &n->limits;
	char cannot[REASON_BYTES], has[REASON_BYTES];
	uint64_t total = 0;

	for (uint32_t i = 0; i < node->xattr_count; i++) {
		const struct kataimg_xattr *xattr = &node->xattrs[i];

		if (check_xattr_size(n, node, i, "names", xattr->name_len,
				     limits->xattr_name_bytes) &&
		    check_xattr_size(n, node, i, "values", xattr->value_len,
				     limits->xattr_value_bytes))
			total += (uint64_t)xattr->name_len + xattr->value_len;
	}
	if (total <= limits->xattr_total_bytes)
		return;
	snprintf(cannot, sizeof(cannot), "more than %" PRIu64 " bytes of extended attributes",
		 limits->xattr_total_bytes);
	snprintf(has, sizeof(has), "has %" PRIu64, total);
	negotiation_offend(n, node, TREE_DROP_XATTRS, 0, cannot, has);
}

static bool has_fine_time(const struct kataimg_node *node, uint64_t granularity)
{
	if (granularity <= NSEC_PER_SEC)
		return node->mtime_nsec % granularity != 0;
	return node->mtime_nsec != 0 ||
	       node->mtime_sec % (int64_t)(granularity / NSEC_PER_SEC) != 0;
}

static void check_granularity(struct negotiation *n, const struct kataimg_node *node)
{
	uint64_t granularity = n->limits.mtime_granularity_nsec;

	if (!has_fine_time(node, granularity))
		return;
	if (n->fine_times++ == 0)
		n->first_fine_time = node;
	else if (n->drop)
		negotiation_drop(n, node, TREE_DROP_FINE_TIME, granularity);
}

void negotiation_end_times(struct negotiation *n)
{
	uint64_t granularity = n->limits.mtime_granularity_nsec;
	char cannot[REASON_BYTES] = "nanoseconds", has[REASON_BYTES];

	if (n->fine_times == 0)
		return;
	if (granularity != NSEC_PER_SEC)
		snprintf(cannot, sizeof(cannot), "times finer than %" PRIu64 " nanoseconds",
			 granularity);
	snprintf(has, sizeof(has), "is one of %" PRIu64 " that have them%s", n->fine_times,
		 granularity > NSEC_PER_SEC ? "" : " (whole-seconds = yes cuts them)");
	negotiation_offend(n, n->first_fine_time, TREE_DROP_FINE_TIME, granularity, cannot, has);
}

int negotiation_begin_paths(struct negotiation *n, struct error *error)
{
	if (n->limits.path_bytes == UINT64_MAX)
		return 0;
	n->path_bytes = calloc64(tree_public(n->tree)->node_count, sizeof(*n->path_bytes));
	return n->path_bytes ? 0 : error_nomem(error);
}

void negotiation_check_limits(struct negotiation *n, const struct kataimg_node *node)
{
	check_node_limits(n, node);
	check_granularity(n, node);
	check_entries(n, node);
	check_xattr_limits(n, node);
}
