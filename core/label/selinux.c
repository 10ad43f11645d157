/* SPDX-License-Identifier: Apache-2.0 */
#include "core/label/selinux.h"

#include <errno.h>
#include <search.h>
#include <selinux/label.h>
#include <selinux/selinux.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/cancel.h"
#include "core/base/log.h"
#include "core/tree/node.h"
#include "lib/array.h"
#include "lib/filetype.h"

#define XATTR_NAME "security.selinux"

struct labeller {
	struct selabel_handle *handle;
	struct tree *tree;
	void *labels; /* of tsearch: each different label once, in the tree's arena */
	char *path;   /* of the node at hand, from "/" */
	size_t path_room;
	uint64_t labelled;
};

/* libselinux would print to stderr by itself. */
__attribute__((format(printf, 2, 3))) static int forward_log(int type, const char *fmt, ...)
{
	char line[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	line[strcspn(line, "\n")] = '\0';
	log_message(type == SELINUX_ERROR ? LOG_WARNING : LOG_DEBUG, "libselinux: %s", line);
	return 0;
}

static size_t path_len(const struct kataimg_node *node)
{
	size_t len = 0;

	for (; node->parent != node; node = node->parent)
		len += 1 + node->name_len;
	return len ? len : 1;
}

/* The whole path, however long: a cut one would get another file's label. */
static int make_path(struct labeller *labeller, const struct kataimg_node *node)
{
	size_t len = path_len(node);

	if (labeller->path_room <= len &&
	    array_grow(&labeller->path, &labeller->path_room, 0, len + 1, 1) < 0)
		return -ENOMEM;
	labeller->path[0] = '/';
	if (node->parent != node)
		tree_path(node, labeller->path + 1, len);
	else
		labeller->path[1] = '\0';
	return 0;
}

static int compare_labels(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The tree's own copy of a label. NULL when memory is out. */
static const char *keep_label(struct labeller *labeller, const char *label)
{
	char **found = tfind(label, &labeller->labels, compare_labels);
	char *kept;

	if (found)
		return *found;
	kept = arena_text(tree_arena(labeller->tree), label, strlen(label));
	if (!kept || !tsearch(kept, &labeller->labels, compare_labels))
		return NULL;
	return kept;
}

/* As the kernel keeps it: with its NUL. */
static int set_label(struct labeller *labeller, struct tree_node *node, const char *label)
{
	uint32_t count = 0;
	struct kataimg_xattr *xattrs = arena_array(tree_arena(labeller->tree),
						   node->pub.xattr_count + 1u, sizeof(*xattrs));
	const char *kept = keep_label(labeller, label);

	if (!xattrs || !kept)
		return -ENOMEM;
	for (uint32_t i = 0; i < node->pub.xattr_count; i++)
		if (strcmp(node->pub.xattrs[i].name, XATTR_NAME) != 0)
			xattrs[count++] = node->pub.xattrs[i];
	xattrs[count++] = (struct kataimg_xattr){ .name = XATTR_NAME,
						  .value = kept,
						  .name_len = strlen(XATTR_NAME),
						  .value_len = (uint32_t)strlen(kept) + 1 };
	tree_set_xattrs(node, xattrs, count);
	labeller->labelled++;
	return 0;
}

/* ENOENT is the policy's word that a file has no label of its own: <<none>>, or no rule. */
static int label_node(struct labeller *labeller, struct tree_node *node, struct error *error)
{
	char *label = NULL;
	int ret = make_path(labeller, &node->pub);

	if (ret < 0)
		return error_nomem(error);
	if (selabel_lookup_raw(labeller->handle, &label, labeller->path,
			       (int)filetype_bits(node->pub.type)) < 0)
		return errno == ENOENT ? 0
				       : error_errno(error, errno, "cannot find a label for %s",
						     labeller->path);
	ret = set_label(labeller, node, label);
	freecon(label);
	return ret < 0 ? error_nomem(error) : 0;
}

static int label_all(struct labeller *labeller, struct error *error)
{
	const struct kataimg_tree *tree = tree_public(labeller->tree);
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < tree->node_count; i++) {
		ret = cancel_check(error);
		if (ret == 0)
			ret = label_node(labeller, tree_node(tree->nodes[i]), error);
	}
	return ret;
}

static void keep_nothing(void *label)
{
	(void)label; /* the tree's arena has it */
}

int selinux_label_tree(struct tree *tree, const char *file_contexts, uint64_t *labelled,
		       struct error *error)
{
	const struct selinux_opt options[] = { { SELABEL_OPT_PATH, file_contexts } };
	struct labeller labeller = { .tree = tree };
	int ret;

	selinux_set_callback(SELINUX_CB_LOG, (union selinux_callback){ .func_log = forward_log });
	if (access(file_contexts, R_OK) < 0)
		return error_usage(error, "[selinux] file-contexts: cannot read %s: %s",
				   file_contexts, strerror(errno));
	labeller.handle = selabel_open(SELABEL_CTX_FILE, options, 1);
	if (!labeller.handle)
		return error_usage(
			error, "[selinux] file-contexts: %s is not a policy's file contexts: %s",
			file_contexts, strerror(errno));
	ret = label_all(&labeller, error);
	*labelled = labeller.labelled;
	tdestroy(labeller.labels, keep_nothing);
	free(labeller.path);
	selabel_close(labeller.handle);
	return ret;
}

int selinux_confine(const char *file_contexts, struct confine *confine, struct error *error)
{
	static const char *const ends[] = {
		"",       ".bin",       ".homedirs", ".homedirs.bin",
		".local", ".local.bin", ".subs",     ".subs_dist",
	};
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < sizeof(ends) / sizeof(ends[0]); i++) {
		autofree char *path = NULL;

		if (asprintf(&path, "%s%s", file_contexts, ends[i]) < 0) {
			path = NULL;
			return error_nomem(error);
		}
		ret = confine_allow(confine, path, CONFINE_READ, error);
	}
	return ret;
}
