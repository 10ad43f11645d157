/* SPDX-License-Identifier: Apache-2.0 */
/* Can hold next to nothing, and is never to be given more. */
#include "toy.h"

#include <errno.h>
#include <stdio.h>

int toy_limits(void *state, struct kataimg_limits *limits)
{
	(void)state;
	limits->name_bytes = 11;
	limits->symlink_bytes = 10;
	limits->xattr_value_bytes = 20;
	limits->mtime_max = 0;
	limits->device_major = 255;
	limits->device_minor = 255;
	limits->links = 1;
	limits->subdirectories = 3;
	limits->entries = 15;
	limits->file_bytes = 70000;
	limits->nodes = 25;
	return 0;
}

int toy_check(void *state, const struct kataimg_node *node, char *reason, size_t reason_size)
{
	(void)state;
	if (node->type == KATAIMG_REG && node->size == 1) {
		snprintf(reason, reason_size, "one byte is not to my taste");
		return KATAIMG_CHECK_NODE;
	}
	if (node->type == KATAIMG_DIR && node->xattr_count > 0) {
		snprintf(reason, reason_size, "no attributes of directories, please");
		return KATAIMG_CHECK_XATTRS;
	}
	return KATAIMG_CHECK_OK;
}

static int is_too_much(const struct kataimg_node *node)
{
	char reason[64];

	return node->name_len > 11 || (node->type == KATAIMG_LNK && node->size > 10) ||
	       (node->xattr_count > 0 && node->xattrs[0].value_len > 20) || node->mtime_sec > 0 ||
	       node->rdev_major > 255 || node->rdev_minor > 255 || node->entry_count > 15 ||
	       (node->type == KATAIMG_DIR ? node->nlink > 5 : node->nlink > 1) ||
	       (node->type == KATAIMG_REG && node->size > 70000) ||
	       toy_check(NULL, node, reason, sizeof(reason)) != KATAIMG_CHECK_OK;
}

int toy_refuse_too_much(const struct toy *toy, const struct kataimg_tree *tree)
{
	char path[256];

	for (uint64_t i = 0; i < tree->node_count; i++) {
		if (!is_too_much(tree->nodes[i]) && tree->node_count <= 25)
			continue;
		toy->host->error(
			toy->host->ctx, "%s is too much",
			toy->host->path(toy->host->ctx, tree->nodes[i], path, sizeof(path)));
		return -EFBIG;
	}
	return 0;
}
