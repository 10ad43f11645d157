/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backend/limits.h"

#include <string.h>

static uint64_t target_bytes(const struct kataimg_node *node)
{
	return node->type == KATAIMG_LNK ? node->size : 0;
}

static uint64_t file_bytes(const struct kataimg_node *node)
{
	return node->type == KATAIMG_REG ? node->size : 0;
}

static uint64_t device_major(const struct kataimg_node *node)
{
	return node->rdev_major;
}

static uint64_t device_minor(const struct kataimg_node *node)
{
	return node->rdev_minor;
}

static uint64_t user_id(const struct kataimg_node *node)
{
	return node->uid;
}

static uint64_t group_id(const struct kataimg_node *node)
{
	return node->gid;
}

static uint64_t link_count(const struct kataimg_node *node)
{
	return node->type == KATAIMG_DIR ? 0 : node->nlink;
}

static uint64_t subdirectory_count(const struct kataimg_node *node)
{
	return node->type == KATAIMG_DIR ? node->nlink - 2 : 0;
}

static uint64_t entry_count(const struct kataimg_node *node)
{
	return node->entry_count;
}

const struct limit_rule limit_rules[] = {
	{ LIMIT_MEMBER(symlink_bytes), target_bytes, "symbolic link targets", " bytes" },
	{ LIMIT_MEMBER(file_bytes), file_bytes, "files", " bytes" },
	{ LIMIT_MEMBER(device_major), device_major, "device majors", "" },
	{ LIMIT_MEMBER(device_minor), device_minor, "device minors", "" },
	{ LIMIT_MEMBER(id), user_id, "user ids", "" },
	{ LIMIT_MEMBER(id), group_id, "group ids", "" },
	{ LIMIT_MEMBER(links), link_count, "link counts", " names" },
	{ LIMIT_MEMBER(subdirectories), subdirectory_count, "subdirectories of one directory",
	  " of them" },
	{ LIMIT_MEMBER(entries), entry_count, "entries of one directory", " of them" },
};
const size_t limit_rule_count = sizeof(limit_rules) / sizeof(limit_rules[0]);

uint64_t limit_of(const struct kataimg_limits *limits, const struct limit_rule *rule)
{
	uint64_t limit;

	memcpy(&limit, (const char *)limits + rule->member, sizeof(limit));
	return limit;
}
