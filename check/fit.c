/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sample tree for a backend that cannot hold all of it. As kataimg does before a build, every
 * node is held against what limits and check say; what is too much is made smaller where a smaller
 * value does, and left out where not.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "core/backend/limits.h"

#define REASON_BYTES 128
#define PATH_BYTES 256
/* So many reasons are told apart; what is left out for others is counted with the last one. */
#define NOTES_MAX 20

/* What was left out for one reason: the first of it, and how much. */
struct note {
	char reason[REASON_BYTES];
	char first[PATH_BYTES];
	unsigned int count;
};

struct fit {
	const struct kataimg_backend *backend;
	void *state;
	struct kataimg_limits limits;
	struct note notes[NOTES_MAX];
	size_t note_count;
};

static struct note *find_note(struct fit *fit, const char *reason)
{
	size_t i = 0;

	while (i < fit->note_count && strcmp(fit->notes[i].reason, reason) != 0)
		i++;
	if (i == NOTES_MAX)
		return &fit->notes[NOTES_MAX - 1];
	fit->note_count += i == fit->note_count;
	return &fit->notes[i];
}

/* The sample tree's names are not all text. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void note(struct fit *fit, const struct kataimg_node *node, const char *what,
		 const char *reason)
{
	struct note *note = find_note(fit, reason);
	char path[PATH_BYTES / 2];

	if (note->count++ > 0)
		return;
	snprintf(note->reason, sizeof(note->reason), "%s", reason);
	snprintf(note->first, sizeof(note->first), "%s%s", what,
		 memtree_path(node, path, sizeof(path)));
	make_printable(note->first);
}

static void print_notes(const struct fit *fit, const char *occasion)
{
	for (size_t i = 0; i < fit->note_count; i++) {
		const struct note *note = &fit->notes[i];

		printf("note %s: without %s", occasion, note->first);
		if (note->count > 1)
			printf(" and %u more", note->count - 1);
		printf(": %s\n", note->reason);
	}
}

static int remove_node(struct fit *fit, const struct kataimg_node *node, const char *reason)
{
	if (node->parent == node)
		return 0;
	note(fit, node, "", reason);
	memtree_remove(node);
	return 1;
}

static int clear_xattrs(struct fit *fit, struct kataimg_node *node, const char *reason)
{
	if (node->xattr_count == 0)
		return 0;
	note(fit, node, "the extended attributes of ", reason);
	memtree_clear_xattrs(node);
	return 1;
}

static void shrink_values(const struct kataimg_limits *limits, struct kataimg_node *node)
{
	if (node->mtime_sec < limits->mtime_min)
		node->mtime_sec = limits->mtime_min;
	if (node->mtime_sec > limits->mtime_max)
		node->mtime_sec = limits->mtime_max;
	if (limits->mtime_granularity_nsec != UINT64_MAX) {
		int64_t step = (int64_t)(limits->mtime_granularity_nsec / 1000000000);

		node->mtime_nsec = 0;
		if (step > 0)
			node->mtime_sec -= node->mtime_sec % step;
	}
	if (node->rdev_major > limits->device_major)
		node->rdev_major = (uint32_t)limits->device_major;
	if (node->rdev_minor > limits->device_minor)
		node->rdev_minor = (uint32_t)limits->device_minor;
}

static int xattrs_exceed(const struct kataimg_limits *limits, const struct kataimg_node *node)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < node->xattr_count; i++) {
		if (node->xattrs[i].name_len > limits->xattr_name_bytes ||
		    node->xattrs[i].value_len > limits->xattr_value_bytes)
			return 1;
		total += (uint64_t)node->xattrs[i].name_len + node->xattrs[i].value_len;
	}
	return total > limits->xattr_total_bytes;
}

/* 1 when something of the directory was taken out. */
static int fit_entries(struct fit *fit, const struct kataimg_node *dir)
{
	const struct kataimg_limits *limits = &fit->limits;
	char path[PATH_BYTES];

	memtree_path(dir, path, sizeof(path));
	for (uint32_t i = 0; i < dir->entry_count; i++)
		if (dir->parent != dir &&
		    strlen(path) + 1 + dir->entries[i].name_len > limits->path_bytes)
			return remove_node(fit, dir->entries[i].node, "limits.path_bytes");
	for (uint32_t i = 0; i < dir->entry_count; i++)
		if (dir->entries[i].name_len > limits->name_bytes)
			return remove_node(fit, dir->entries[i].node, "limits.name_bytes");
	return 0;
}

/* What there are too many of in a directory loses the last one. */
static const struct kataimg_node *last_entry(const struct kataimg_node *dir, bool subdirectory)
{
	for (uint32_t i = dir->entry_count; i-- > 0;)
		if (!subdirectory || dir->entries[i].node->type == KATAIMG_DIR)
			return dir->entries[i].node;
	return dir;
}

static int fit_numbers(struct fit *fit, struct kataimg_node *node)
{
	const struct limit_rule *rule;

	shrink_values(&fit->limits, node);
	rule = limit_broken(&fit->limits, node);
	if (rule && node->type == KATAIMG_DIR)
		return remove_node(fit,
				   last_entry(node, rule->member == offsetof(struct kataimg_limits,
									     subdirectories)),
				   rule->name);
	if (rule)
		return remove_node(fit, node, rule->name);
	if (xattrs_exceed(&fit->limits, node))
		return clear_xattrs(fit, node, "limits.xattr_...");
	return fit_entries(fit, node);
}

static int fit_check(struct fit *fit, struct kataimg_node *node)
{
	char reason[REASON_BYTES] = "";
	int ret = fit->backend->check
			  ? fit->backend->check(fit->state, node, reason, sizeof(reason))
			  : KATAIMG_CHECK_OK;

	if (ret == KATAIMG_CHECK_XATTRS)
		return clear_xattrs(fit, node, reason);
	if (ret == KATAIMG_CHECK_OWNER && (node->uid || node->gid)) {
		note(fit, node, "the owner of ", reason);
		node->uid = node->gid = 0;
		return 1;
	}
	if (ret == KATAIMG_CHECK_MODE && node->mode & 07000) {
		note(fit, node, "the mode of ", reason);
		node->mode &= 0777;
		return 1;
	}
	return ret == KATAIMG_CHECK_NODE ? remove_node(fit, node, reason) : 0;
}

/* 1 when something was taken out: the tree is to be finished again. */
static int fit_once(struct fit *fit, const struct kataimg_tree *tree)
{
	for (uint64_t i = 0; i < tree->node_count; i++) {
		struct kataimg_node *node = (struct kataimg_node *)(uintptr_t)tree->nodes[i];

		if (fit_numbers(fit, node) || fit_check(fit, node))
			return 1;
	}
	return tree->node_count > fit->limits.nodes
		       ? remove_node(fit, tree->nodes[tree->node_count - 1], "limits.nodes")
		       : 0;
}

void check_fit(const struct subject *subject, struct memtree *tree, const char *occasion)
{
	const struct fakehost_setup setup = check_setup(subject, tree);
	struct fit fit = { .backend = subject->backend };
	struct fakehost *host = fakehost_new(&setup);

	/* What fails here fails in the run that follows, which says so. */
	fakehost_preset_limits(&fit.limits);
	if (fit.backend->open(fakehost_services(host), setup.job, setup.values, &fit.state) == 0) {
		if (!fit.backend->limits || fit.backend->limits(fit.state, &fit.limits) == 0)
			while (fit_once(&fit, memtree_finish(tree)))
				;
		fit.backend->close(fit.state);
	}
	if (occasion)
		print_notes(&fit, occasion);
	fakehost_free(host);
}
